"""Telegram's bad days: whatever fails, no answer is lost, doubles are few and known, and nobody waits for another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.app import Content, utc_now
from bot.core.message import Address, Reply
from bot.core.platform import DeliveryError, Sending
from bot.delivery import MOST_DOUBTS
from bot.platforms.telegram import Telegram, request
from bot.platforms.telegram.lanes import Lanes
from bot.storage import outbox
from bot.storage.outbox import Bubble
from bot.storage.tables import BUBBLES
from tests.platforms.telegram.booth import Json, booth
from tests.platforms.telegram.server import TOKEN

ANA, BO, CARLA = 7, 8, 9
OLD, NEW = -500, -(10**12) - 500
STALL = 0.05  # seconds after which we hang up, in these tests
KINDS: dict[int | str, dict[str, Any]] = {
    429: {"retry_after": 3},
    500: {},
    502: {},
    "garbage": {},
    "reset": {},
    "headers": {},
    "half": {},
    "stall": {"seconds": 3 * STALL},
}
FAULTS = pytest.mark.parametrize(
    ("kind", "after"),
    [pytest.param(k, after, id=f"{k}-{'after' if after else 'before'}") for k in KINDS for after in (0, 1)],
)

FEW_FAULTS = pytest.mark.parametrize(("kind", "after"), [(429, 0), (500, 1), ("garbage", 1), ("half", 1), ("stall", 0)])


class Day:
    """A booth whose clocks are told the time."""

    def __init__(self, content: Content, patch: pytest.MonkeyPatch) -> None:
        self._content = content
        self._late = 0.0
        patch.setattr("bot.delivery.MARK_EVERY", 0)
        patch.setattr("bot.platforms.telegram.updates.AGAIN", 0.01)
        patch.setattr("bot.platforms.telegram.updates.seconds", lambda _: 0.01)
        patch.setattr("bot.platforms.telegram.updates.CONFLICT_PAUSE", 0.02)
        patch.setattr("bot.platforms.telegram.Lanes", lambda: Lanes(self._monotonic))
        patch.setattr(request, "READ", STALL)
        patch.setattr(request, "_timeouts", request._timeouts.__wrapped__)  # which remembers READ

    @asynccontextmanager
    async def begin(self, **more: Any) -> AsyncIterator["Day"]:
        async with booth(self._content, clock=self._clock, **more) as self.hall:
            self.server = self.hall.server
            if more.get("polls", True):
                await self.server.wait_for("getUpdates")
            self.people = {who: self.server.person(who) for who in (ANA, BO, CARLA)}
            yield self

    def say(self, who: int, text: str) -> Json:
        return self.server.send(self.server.text(self.people[who], self.people[who], text))

    def misbehave(self, method: str, kind: int | str, times: int = 1, *, after: bool = False) -> None:
        self.server.misbehave(method, kind, times, after=bool(after), **KINDS.get(kind, {}))

    async def heard(self) -> None:
        """Wait until everything that was said to the bot is heard and a try was made to answer it."""
        await self.server.until(lambda: not self.server.pending, 5)
        await self.hall.app.delivery.idle()

    async def later(self, seconds: float) -> int:
        self._late += seconds
        woken = await self.hall.app.delivery.pick_up()
        await self.hall.app.delivery.idle()
        return woken

    async def settled(self) -> None:
        """Let time pass until nothing waits any more."""
        for _ in range(60):
            if not await self.states("waiting"):
                return
            await self.later(61)
        raise AssertionError("something waits for ever")

    async def states(self, state: str) -> int:
        counted = select(func.count()).select_from(BUBBLES).where(BUBBLES.c.state == state)
        return await self.hall.store.read(lambda tx: tx.execute(counted).scalar()) or 0

    def texts(self, chat: int) -> list[str]:
        return [message.text for message in self.server.said(chat)]

    def _clock(self) -> datetime:
        return utc_now() + timedelta(seconds=self._late)

    def _monotonic(self) -> float:
        return asyncio.get_running_loop().time() + self._late


@pytest.fixture
async def day(content: Content, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Day]:
    async with Day(content, monkeypatch).begin() as begun:
        yield begun


def once(texts: list[str]) -> list[str]:
    """Return `texts` without what was said twice in a row."""
    return [text for text, _ in groupby(texts)]


@FAULTS
async def test_an_answer_gets_through_whatever_happens_to_it_and_others_do_not_wait(
    day: Day, kind: int | str, after: bool
) -> None:
    day.misbehave("sendMessage", kind, after=after)
    day.say(ANA, "/help")
    await day.server.wait_for("sendMessage")
    day.say(ANA, "/techniques")
    day.say(BO, "/help")
    day.say(BO, "/techniques")
    await day.heard()
    told = day.texts(BO)
    assert len(told) >= 3, "Bo is answered while Ana waits"
    assert len(day.texts(ANA)) <= after, "nothing overtakes what failed"
    await day.settled()
    assert once(day.texts(ANA)) == told
    assert len(day.texts(ANA)) - len(told) == after, "only what had its effect before it failed is there twice"


@FEW_FAULTS
async def test_three_failures_in_a_row_make_at_most_three_copies(day: Day, kind: int | str, after: bool) -> None:
    day.misbehave("sendMessage", kind, 3 if after else 2, after=after)
    day.say(ANA, "/help")
    await day.heard()
    await day.settled()
    day.say(BO, "/help")
    await day.heard()
    assert once(day.texts(ANA)) == day.texts(BO)
    assert len(day.texts(ANA)) - len(day.texts(BO)) <= (1 + MOST_DOUBTS if after else 0)


@pytest.mark.parametrize("kind", ["reset", "headers", "half", "stall"])
async def test_what_may_have_arrived_is_tried_three_times_and_what_follows_still_comes(
    day: Day, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    day.misbehave("sendMessage", kind, 1 + MOST_DOUBTS, after=True)
    with caplog.at_level("INFO", "bot.delivery"):
        day.say(ANA, "/help")
        await day.heard()
        await day.settled()
    introduction, help_ = once(day.texts(ANA))
    assert day.texts(ANA) == [introduction] * 3 + [help_]
    assert await day.states("dead") == 1
    assert "undeliverable bubble=1 why=TimedOut" in caplog.text


@pytest.mark.parametrize("kind", [500, 502])
async def test_an_outage_of_most_of_an_hour_loses_nothing(day: Day, kind: int) -> None:
    day.misbehave("sendMessage", kind, 12)
    day.say(ANA, "/help")
    await day.heard()
    await day.settled()
    assert len(day.texts(ANA)) == 2
    assert await day.states("dead") == 0


async def test_a_second_refusal_soon_after_lets_everybody_rest(day: Day) -> None:
    for who in (ANA, BO):
        day.misbehave("sendMessage", 429)
        day.say(who, "/help")
        await day.heard()
    asked = len(day.server.calls_of("sendMessage"))
    day.say(CARLA, "/help")
    await day.heard()
    assert len(day.server.calls_of("sendMessage")) == asked, "nobody is written to"
    await day.later(3.1)
    await day.settled()
    assert [len(day.texts(who)) for who in (ANA, BO, CARLA)] == [2, 2, 2]


async def test_a_chat_rests_as_long_as_it_was_told(day: Day) -> None:
    day.misbehave("sendMessage", 429)
    day.say(ANA, "/help")
    await day.heard()
    assert await day.later(2.5) == 0
    assert day.texts(ANA) == []
    await day.later(0.6)
    assert len(day.texts(ANA)) == 2


async def tell(day: Day, who: int, text: str) -> None:
    """Tell one of many subscribers something."""
    bubble = Bubble(0, Address("telegram", str(who)), Reply(text, broadcast=True), "en")
    day.server.open_chat(who)
    made = await day.hall.store.run(lambda tx: outbox.add(tx, bubble, utc_now(), state="waiting"))
    day.hall.app.delivery.made([made])
    await day.hall.app.delivery.idle()


async def test_broadcasts_rest_while_any_chat_must_and_answers_go_on(day: Day) -> None:
    day.misbehave("sendMessage", 429)
    await tell(day, ANA, "news")
    await tell(day, BO, "news")
    day.say(CARLA, "/help")
    await day.heard()
    assert [len(day.texts(who)) for who in (ANA, BO, CARLA)] == [0, 0, 2]
    await day.later(3.1)
    await day.settled()
    assert [day.texts(who) for who in (ANA, BO)] == [["news"], ["news"]]


async def test_whoever_blocked_the_bot_is_left_alone(day: Day) -> None:
    update = day.server.text(day.people[ANA], day.people[ANA], "/help")
    day.server.enter(update)
    day.server.block(ANA)
    day.server.send(update)
    day.say(BO, "/help")
    await day.heard()
    asked = len(day.server.calls_of("sendMessage"))
    await day.later(10_000)
    assert len(day.server.calls_of("sendMessage")) == asked, "nothing is tried again"
    assert (await day.states("dead"), await day.states("waiting")) == (2, 0)
    assert len(day.texts(BO)) == 2


async def test_a_group_that_became_a_supergroup_gets_its_answers_there(day: Day) -> None:
    old = day.server.group(OLD)
    asked = [day.server.text(old, day.people[ANA], f"/{word}") for word in ("help", "techniques", "rumours")]
    day.server.migrate(OLD, NEW)
    for update in asked:
        day.server.send(update)
    await day.heard()
    await day.settled()
    assert day.texts(OLD) == []
    there = day.texts(NEW)
    answers = [text for text in there if "automated assistant" not in text]  # said anew where a command came after
    assert len(answers) == len(set(answers)) == 3
    new = day.server.rooms[NEW].chat
    day.server.send(day.server.text(new, day.people[ANA], "/help"))
    await day.heard()
    assert day.texts(NEW) == [*there, answers[0]], "it is the same conversation: no second introduction"


@FEW_FAULTS
async def test_a_press_is_answered_in_words_even_if_its_acknowledgement_fails(
    day: Day, kind: int | str, after: bool
) -> None:
    day.say(ANA, "/help")
    await day.heard()
    help_ = day.server.said(ANA)[-1]
    day.misbehave("answerCallbackQuery", kind, after=after)
    before = len(day.texts(ANA))
    day.server.send(day.server.press(help_, help_.buttons[0][0]))
    await day.heard()
    assert len(day.texts(ANA)) == before + 1
    assert len(day.server.calls_of("answerCallbackQuery")) == 1


@FAULTS
async def test_updates_are_heard_once_whatever_happens_to_the_poll(day: Day, kind: int | str, after: bool) -> None:
    day.misbehave("getUpdates", kind, 3, after=after)
    day.say(ANA, "/help")
    await day.heard()
    day.misbehave("getUpdates", kind, after=after)
    day.say(ANA, "/techniques")
    await day.heard()
    await day.settled()
    assert len(day.texts(ANA)) == len(set(day.texts(ANA))) == 3


@FEW_FAULTS
async def test_a_card_that_is_edited_in_place_is_never_there_twice(day: Day, kind: int | str, after: bool) -> None:
    day.server.open_chat(ANA)
    for text in ("3 of 7", "4 of 7"):
        if text.startswith("4"):
            day.misbehave("editMessageText", kind, 2, after=after)
        bubble = Bubble(0, Address("telegram", str(ANA)), Reply(text, slot="score"), "en")
        made = await day.hall.store.run(partial(outbox.add, bubble=bubble, now=utc_now(), state="waiting"))
        day.hall.app.delivery.made([made])
        await day.hall.app.delivery.idle()
    await day.settled()
    assert day.texts(ANA) == ["4 of 7"]
    assert await day.states("dead") == 0


@FEW_FAULTS
async def test_a_private_answer_comes_even_if_nobody_knows_whether_the_chat_is_open(
    day: Day, kind: int | str, after: bool
) -> None:
    day.server.open_chat(ANA)
    day.misbehave("sendChatAction", kind, after=after)
    day.misbehave("setMessageReaction", kind, after=after)
    day.server.send(day.server.text(day.server.group(OLD), day.people[ANA], "/tip"))
    await day.heard()
    await day.settled()
    assert day.texts(OLD) == []
    assert len(day.texts(ANA)) >= 1


def trouble(day: Day, chance: Random) -> int:
    """Let something fail soon; return how many doubles that may make."""
    method = chance.choice(["sendMessage", "sendMessage", "getUpdates", "answerCallbackQuery", "*"])
    kinds: list[int | str] = [500, 502, "garbage", "reset", "headers", "half"]
    after = chance.random() < 0.5
    day.misbehave(method, chance.choice(kinds), after=after)
    return int(after)


@pytest.mark.parametrize("seed", range(2))
async def test_on_the_worst_of_days_everybody_gets_every_answer_in_order(day: Day, seed: int) -> None:
    chance, doubles = Random(seed), 0
    words = ["/help", "/techniques", "/rumours", "/terms", "/privacy", "/support"]
    people = [day.server.person(number) for number in range(100, 105)]
    for word in words:
        doubles += sum(trouble(day, chance) for _ in range(4))
        for person in people:
            day.server.send(day.server.text(person, person, word))
        await day.heard()
        await day.later(chance.choice([0, 1, 5]))
    day.server.behave()
    await day.settled()
    day.say(BO, words[0])
    for word in words[1:]:
        day.say(BO, word)
    await day.heard()
    told = day.texts(BO)
    assert [once(day.texts(person["id"])) for person in people] == [told] * len(people)
    assert sum(len(day.texts(person["id"])) - len(told) for person in people) <= doubles
    assert await day.states("dead") == 0


async def test_what_is_to_be_sent_before_telegram_was_met_waits(
    content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Day(content, monkeypatch).begin() as day:
        unmet = Telegram(TOKEN, day.server.url)
        with pytest.raises(DeliveryError) as failed:
            await unmet.send(Address("telegram", str(ANA)), Reply("words"), Sending("1.0"))
    assert not failed.value.permanent
    assert not failed.value.unknown, "nothing was sent"
