"""Answers pass at once, broadcasts at their pace, and whoever Telegram tells to wait, waits; in a time of our own."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from bot.core.platform import DeliveryError
from bot.platforms.telegram.lanes import BROADCASTS_A_SECOND, GROUP_MOST, GROUP_SPAN, PATIENCE, REMEMBERED, SOON, Lanes
from tests.hurried import hurried

ANA, BO, GROUP, OTHER_GROUP = 7, 8, -100, -200


def at_once(scene: Callable[[Lanes], Awaitable[None]]) -> Callable[[], None]:
    """Run a test in a loop that never waits, with new lanes."""

    async def play() -> None:
        async with asyncio.timeout(3600):
            await scene(Lanes())

    def run() -> None:
        hurried(play())

    run.__name__ = getattr(scene, "__name__", "")
    return run


def now() -> float:
    return asyncio.get_running_loop().time()


async def passed(lanes: Lanes, chat: int = ANA, *, broadcast: bool = False, takes: float = 0.0) -> float:
    """Send one message that is in the air for a while; return when it left."""
    async with lanes.passing(chat, broadcast=broadcast):
        left = now()
        await asyncio.sleep(takes)
    return left


async def must_wait(lanes: Lanes, chat: int = ANA, *, broadcast: bool = False) -> float:
    """Return for how long a message that may not pass is told to wait, 0 where it may."""
    try:
        await passed(lanes, chat, broadcast=broadcast)
    except DeliveryError as error:
        return -1.0 if error.permanent or error.after is None else error.after
    return 0.0


def about(seconds: float) -> Any:
    return pytest.approx(seconds, abs=0.01)


@at_once
async def test_any_number_of_answers_passes_at_once(lanes: Lanes) -> None:
    begun = now()
    left = await asyncio.gather(*(passed(lanes, chat, takes=1) for chat in range(1, 500)))
    assert max(left) == about(begun)


@at_once
async def test_broadcasts_keep_their_pace(lanes: Lanes) -> None:
    left = await asyncio.gather(*(passed(lanes, chat, broadcast=True) for chat in range(1, 201)))
    assert most_within_a_second(sorted(left)) <= BROADCASTS_A_SECOND + 1
    assert max(left) - min(left) <= 200 / BROADCASTS_A_SECOND


def most_within_a_second(moments: list[float]) -> int:
    return max(sum(1 for other in moments if moment <= other < moment + 1) for moment in moments)


@at_once
async def test_answers_do_not_wait_for_broadcasts(lanes: Lanes) -> None:
    told = [asyncio.create_task(passed(lanes, chat, broadcast=True)) for chat in range(100, 200)]
    await asyncio.sleep(1)
    begun = now()
    assert await passed(lanes, ANA) == about(begun)
    await asyncio.gather(*told)


@at_once
async def test_no_broadcast_leaves_while_an_answer_is_in_the_air(lanes: Lanes) -> None:
    told = [asyncio.create_task(passed(lanes, chat, broadcast=True)) for chat in range(100, 200)]
    await asyncio.sleep(1.01)
    begun = await passed(lanes, ANA, takes=PATIENCE)
    left = await asyncio.gather(*told)
    assert [moment for moment in left if begun < moment < begun + PATIENCE] == []


@at_once
async def test_a_broadcast_does_not_wait_for_ever_for_those_who_always_talk(lanes: Lanes) -> None:
    talk = asyncio.create_task(passed(lanes, ANA, takes=60))
    begun = now()
    left = await asyncio.gather(*(passed(lanes, chat, broadcast=True) for chat in range(100, 150)))
    assert max(left) - begun == pytest.approx(50 * PATIENCE, rel=0.3)
    await talk


@at_once
async def test_answers_take_their_part_of_what_broadcasts_may_have(lanes: Lanes) -> None:
    async def talk() -> list[float]:
        moments = []
        for chat in range(100):
            moments.append(await passed(lanes, chat + 1))
            await asyncio.sleep(0.1)
        return moments

    talking = asyncio.create_task(talk())
    left = await asyncio.gather(*(passed(lanes, chat, broadcast=True) for chat in range(1000, 1200)))
    assert most_within_a_second(sorted([*left, *await talking])) <= BROADCASTS_A_SECOND + 2


@at_once
async def test_broadcasts_that_waited_for_answers_do_not_burst(lanes: Lanes) -> None:
    answer = asyncio.create_task(passed(lanes, ANA, takes=PATIENCE))
    await asyncio.sleep(0)
    left = await asyncio.gather(*(passed(lanes, chat, broadcast=True) for chat in range(100, 200)))
    assert most_within_a_second(sorted(left)) <= BROADCASTS_A_SECOND + 1
    assert min(left) >= await answer + PATIENCE


@at_once
async def test_an_answer_that_fails_leaves_the_way_free(lanes: Lanes) -> None:
    with pytest.raises(ZeroDivisionError):
        async with lanes.passing(ANA, broadcast=False):
            raise ZeroDivisionError
    begun = now()
    assert await passed(lanes, BO, broadcast=True) < begun + 1


@at_once
async def test_an_answer_that_is_cut_short_leaves_the_way_free(lanes: Lanes) -> None:
    answer = asyncio.create_task(passed(lanes, ANA, takes=100))
    await asyncio.sleep(0)
    answer.cancel()
    begun = now()
    assert await passed(lanes, BO, broadcast=True) < begun + 1


@at_once
async def test_a_chat_that_is_refused_rests_and_others_go_on(lanes: Lanes) -> None:
    lanes.refused(ANA, 30)
    assert await must_wait(lanes, ANA) == about(30)
    assert await must_wait(lanes, BO) == 0
    await asyncio.sleep(30)
    assert await must_wait(lanes, ANA) == 0


@at_once
async def test_a_second_refusal_soon_after_lets_everybody_rest(lanes: Lanes) -> None:
    lanes.refused(ANA, 3)
    await asyncio.sleep(SOON - 1)
    lanes.refused(BO, 5)
    assert await must_wait(lanes, 9) == about(5)
    await asyncio.sleep(5)
    assert await must_wait(lanes, 9) == 0


@at_once
async def test_a_second_refusal_much_later_is_about_its_chat(lanes: Lanes) -> None:
    lanes.refused(ANA, 3)
    await asyncio.sleep(SOON)
    lanes.refused(BO, 5)
    assert await must_wait(lanes, 9) == 0
    assert await must_wait(lanes, BO) == about(5)


@at_once
async def test_broadcasts_rest_as_long_as_any_chat_was_told(lanes: Lanes) -> None:
    lanes.refused(ANA, 30)
    assert await must_wait(lanes, BO, broadcast=True) == pytest.approx(30, abs=1)
    await asyncio.sleep(30)
    assert await must_wait(lanes, BO, broadcast=True) == 0


@at_once
async def test_a_shorter_refusal_does_not_end_a_longer_one(lanes: Lanes) -> None:
    lanes.refused(ANA, 3)
    lanes.refused(ANA, 60)
    lanes.refused(ANA, 1)
    await asyncio.sleep(2)
    assert await must_wait(lanes, ANA) == about(58)
    assert await must_wait(lanes, BO) == about(58)
    assert await must_wait(lanes, BO, broadcast=True) == pytest.approx(58, abs=1)


@at_once
async def test_a_group_gets_twenty_messages_within_any_minute(lanes: Lanes) -> None:
    begun = now()
    for _ in range(GROUP_MOST):
        assert not await must_wait(lanes, GROUP)
        await asyncio.sleep(1)
    assert await must_wait(lanes, GROUP) == about(GROUP_SPAN - GROUP_MOST)
    assert await must_wait(lanes, OTHER_GROUP) == 0
    assert await must_wait(lanes, ANA) == 0
    await asyncio.sleep(GROUP_SPAN - GROUP_MOST)
    assert now() == about(begun + GROUP_SPAN)
    assert await must_wait(lanes, GROUP) == 0, "the first has left the window"
    assert await must_wait(lanes, GROUP) == about(1), "the second has not"


@at_once
async def test_what_may_not_pass_does_not_count(lanes: Lanes) -> None:
    for _ in range(GROUP_MOST):
        await passed(lanes, GROUP)
    for _ in range(50):
        await must_wait(lanes, GROUP)
    await asyncio.sleep(GROUP_SPAN)
    assert await must_wait(lanes, GROUP) == 0


@at_once
async def test_of_very_many_groups_the_quietest_are_forgotten(lanes: Lanes) -> None:
    for number in range(REMEMBERED + 10):
        await passed(lanes, -number - 1)
    assert len(lanes._groups) == REMEMBERED


MOMENTS = some.lists(some.floats(0, 20, allow_nan=False), min_size=1, max_size=80)


@given(MOMENTS)
@settings(max_examples=40, deadline=None)
def test_no_minute_ever_holds_more_than_twenty_messages_to_a_group(pauses: list[float]) -> None:
    sent: list[float] = []

    async def scene() -> None:
        lanes = Lanes()
        for pause in pauses:
            await asyncio.sleep(pause)
            if not await must_wait(lanes, GROUP):
                sent.append(now())

    hurried(scene())
    assert all(sum(1 for other in sent if moment <= other < moment + GROUP_SPAN) <= GROUP_MOST for moment in sent)


@given(some.lists(some.tuples(some.sampled_from([1, 2, 3]), some.floats(0.1, 40), some.floats(0, 20)), max_size=12))
@settings(max_examples=60, deadline=None)
def test_whoever_waits_as_long_as_told_may_pass_unless_told_again(refusals: list[tuple[int, float, float]]) -> None:
    async def scene() -> None:
        lanes = Lanes()
        for chat, seconds, pause in refusals:
            lanes.refused(chat, seconds)
            await asyncio.sleep(pause)
        for chat, broadcast in ((1, False), (2, False), (9, False), (9, True)):
            if wait := await must_wait(lanes, chat, broadcast=broadcast):
                await asyncio.sleep(wait + 1e-6)
                assert await must_wait(lanes, chat, broadcast=broadcast) == 0

    hurried(scene())
