"""Holds "tell us" to account: what is refused and why, that nothing leads to anybody, limits, answers told once."""

import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from sqlalchemy import Connection, func, select

from bot.app import Content, repertoire
from bot.core.message import Address, Message
from bot.core.session import Session
from bot.features import reports as feature
from bot.features.reports import limits
from bot.features.reports.naming import Names, names
from bot.features.reports.near import grouped
from bot.features.reports.words import LONGEST, Why, refusal
from bot.storage import reports, retention, sessions
from bot.storage.tables import METADATA, REPORT_ASKERS, REPORTS, TELLINGS
from bot.talk.repertoire import Repertoire, Repertoires
from tests.play import Stage

SAID = yaml.safe_load((Path(__file__).parent / "reports.yaml").read_text("utf-8"))
HERE = Address("telegram", "4242424242")
RUMOUR = "they say the town pays their driving licence"


@pytest.fixture(scope="module")
def known(content: Content) -> Names:
    return names(content.library)


# -------------------- the words


@pytest.mark.parametrize(("why", "text"), [(why, text) for why, texts in SAID.items() for text in texts])
def test_words_are_kept_or_refused_for_their_reason(known: Names, why: str, text: str) -> None:
    assert refusal(text, known) == (None if why == "kept" else why)


def test_every_way_to_say_a_rumour_that_is_known_could_be_left(known: Names, content: Content) -> None:
    rumours = [rumour for code in ("en", "es") for rumour in content.library.entries["rumour"][code].values()]
    said = [way for rumour in rumours for way in (rumour.claim, *rumour.heard_as)]
    assert len(said) > 600
    for way in (*said, *(way.upper() for way in said), *(way.title() for way in said)):
        assert refusal(way, known) is None, way


@pytest.mark.parametrize("text", ["😀" * 4096, "🇪🇸" * 2048, "\u0301" * 4096, "7" * 4096, "", " "])
def test_what_holds_no_word_is_refused_however_much_there_is(known: Names, text: str) -> None:
    assert refusal(text, known) == "wordless"


def test_a_letter_more_than_the_longest_is_too_long(known: Names) -> None:
    assert refusal("ab " * (LONGEST // 3), known) is None
    assert refusal("ab " * (LONGEST // 3) + "c", known) == "long"


@pytest.mark.parametrize("part", ["A.", "a@", "1 ", "Aa ", "a-", "a'", "arroba ", "/a", "(at", "1,", "ﷺ", "a.b"])
def test_no_text_makes_it_slow(known: Names, part: str) -> None:
    short, long = took(known, part, 1024), took(known, part, 4096)
    assert long < 16 * short + 0.05  # four times as much may take four times as long, with room for a busy machine


def took(known: Names, part: str, length: int) -> float:
    began = time.process_time()
    refusal((part * length)[:length], known)
    return time.process_time() - began


def test_a_pack_without_names_still_refuses_what_leads_to_somebody() -> None:
    assert refusal("write to somebody@town.example", Names()) == "mail"
    assert refusal(RUMOUR, Names()) is None


# -------------------- limits and near ones


@pytest.mark.parametrize(
    ("today", "minute", "reached"),
    [
        (0, 0, None),
        (limits.A_DAY - 1, limits.A_MINUTE - 1, None),
        (limits.A_DAY, 0, "today"),
        (limits.A_DAY, limits.A_MINUTE, "today"),
        (0, limits.A_MINUTE, "now"),
        (0, 10**6, "now"),
    ],
)
def test_enough_is_a_few_a_day_and_many_a_minute(today: int, minute: int, reached: str | None) -> None:
    assert limits.enough(today, minute) == reached


def test_near_ones_stand_together_the_most_said_first() -> None:
    said = [
        "swans eaten lake",
        "driving licence paid town",
        "town pays driving licence",
        "paid driving licence",
        "swans",
    ]
    assert grouped(said, str) == [
        ["driving licence paid town", "town pays driving licence", "paid driving licence"],
        ["swans eaten lake"],
        ["swans"],
    ]
    assert grouped([], str) == []
    assert grouped(["", ""], str) == [[""], [""]]


# -------------------- the conversation


@pytest.fixture(scope="module")
def whole(content: Content) -> Repertoire:
    return repertoire(content)


@pytest.fixture(autouse=True)
def _built_once(whole: Repertoire, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage builds all that Hearsay can do anew; here once is enough."""
    monkeypatch.setattr("bot.app.repertoire", lambda _: whole)


class Talk:
    """Somebody who leaves reports, on a stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.number = 0

    async def say(self, text: str, where: Address = HERE, turn: int | None = None, **more: Any) -> list[str]:
        self.number += 1
        message = Message(where, text, f"k{self.number}", turn, language="en", introduced=True, **more)
        done = await self.stage.app.assistant.handle(message)
        await self.stage.app.delivery.idle()
        return [bubble.reply.text for bubble in done.bubbles] + [reply.text for reply in done.farewell]

    async def leave(self, words: str = RUMOUR, where: Address = HERE, wish: str = "no") -> list[str]:
        for said in ("/report", words, "school", "keep"):
            shown = await self.say(said, where)
        return await self.say(wish, where) if "kept" in shown[-1] else shown

    async def kept(self) -> list[reports.Report]:
        return await self.stage.store.read(reports.listed)

    async def everything(self) -> dict[str, str]:
        """Return every row of the database as text, by table."""

        def rows(tx: Connection) -> dict[str, str]:
            return {name: repr(tx.execute(select(table)).all()) for name, table in METADATA.tables.items()}

        return await self.stage.store.read(rows)


@pytest.fixture
def talk(stage: Stage) -> Talk:
    return Talk(stage)


async def test_what_is_kept_holds_words_day_and_place_and_nothing_of_anybody(talk: Talk) -> None:
    await talk.leave()
    (report,) = await talk.kept()
    assert (report.words, report.place, report.language, report.city) == (RUMOUR, "school", "en", "")
    assert (report.state, str(report.day)) == ("new", "2026-11-20")
    held = await talk.everything()
    assert str(HERE) not in held["reports"] + held["report_askers"] + held["report_minutes"] + held["counts"]
    assert held["report_drafts"] == "[]"


async def test_the_session_never_holds_the_words(talk: Talk) -> None:
    for said in ("/report", RUMOUR, "school", "keep", "no"):
        await talk.say(said)
        assert RUMOUR not in (await talk.everything())["sessions"]


async def test_nothing_is_kept_before_it_is_said_to_be_kept(talk: Talk) -> None:
    for said in ("/report", RUMOUR, "school"):
        await talk.say(said)
    assert await talk.kept() == []
    assert "Nothing was kept" in (await talk.say("drop"))[0]
    assert await talk.kept() == []
    assert (await talk.everything())["report_drafts"] == "[]"


async def test_a_second_press_on_keep_keeps_nothing_twice(talk: Talk) -> None:
    for said in ("/report", RUMOUR, "school"):
        await talk.say(said)
    open_ = (await talk.stage.store.read(_session)).asked
    assert open_
    await talk.say("keep", turn=open_.turn)
    again = await talk.say("keep", turn=open_.turn)
    assert again[0] == "That question has passed."
    assert "Shall I tell you" in again[1]
    assert len(await talk.kept()) == 1


def _session(tx: Connection) -> Session:
    return sessions.take(tx, HERE)


async def test_the_middle_of_it_survives_a_restart_and_a_day_too_long_says_so(talk: Talk, stage: Stage) -> None:
    for said in ("/report", RUMOUR):
        await talk.say(said)
    stage.restart()
    assert RUMOUR in (await talk.say("bar"))[0]
    stage.now += timedelta(days=1, minutes=1)
    await stage.store.run(lambda tx: retention.sweep(tx, stage.now))
    assert "what you had written is deleted" in (await talk.say("keep"))[0]
    assert await talk.kept() == []


async def test_words_in_the_command_itself_are_taken(talk: Talk) -> None:
    assert (await talk.say(f"/report {RUMOUR}")) == ["Where was it heard?"]


async def test_somebody_who_is_hurt_gets_care_and_nothing_of_it_is_kept(talk: Talk) -> None:
    await talk.say("/report")
    assert "I'm sorry this happened" in (await talk.say("they shouted at me that I should go home"))[0]
    held = await talk.everything()
    assert "shouted" not in "".join(held.values())
    assert "/report" not in held["sessions"]


async def test_words_that_attack_people_are_not_shown_again(talk: Talk) -> None:
    await talk.say("/report")
    (refused,) = await talk.say("all migrants are vermin")
    assert "vermin" not in refused
    assert "won't repeat" in refused


async def test_a_refusal_says_how_to_mend_it_and_takes_the_mended_words(talk: Talk) -> None:
    await talk.say("/report")
    assert "Leave the name out" in (await talk.say("my neighbour Fátima gets three flats"))[0]
    assert await talk.say("my neighbour gets three flats") == ["Where was it heard?"]


async def test_in_a_shared_chat_there_is_only_the_way_to_a_private_one(talk: Talk) -> None:
    (led,) = await talk.say(f"/report {RUMOUR}", Address("telegram", "-100"), shared=True)
    assert "in private" in led
    assert (await talk.everything())["report_drafts"] == "[]"
    assert talk.stage.app.assistant.repertoire.is_private("/cuentanos")


async def test_one_conversation_may_leave_a_few_a_day(talk: Talk, stage: Stage) -> None:
    for _ in range(limits.A_DAY):
        assert "Thank you" in (await talk.leave())[0]
    assert "enough for today" in (await talk.say("/report"))[0]
    assert len(await talk.kept()) == limits.A_DAY
    stage.now += timedelta(days=1)
    assert "Thank you" in (await talk.leave())[0]


async def test_a_thousand_in_a_minute_meet_a_kind_word_and_nothing_is_lost(talk: Talk, stage: Stage) -> None:
    def flood(tx: Connection) -> None:
        for number in range(1000):
            where = Address("web", f"{number}")
            reports.put_draft(tx, where, reports.Draft(f"{RUMOUR} {number}", "school"), stage.now)
            if limits.enough(reports.of_today(tx, where, stage.now), reports.of_minute(tx, stage.now)) is None:
                reports.keep(tx, where, reports.Draft(RUMOUR, "school"), city="", language="en", now=stage.now)

    await stage.store.run(flood)
    assert len(await talk.kept()) == limits.A_MINUTE
    assert "Nothing is lost" in (await talk.leave())[0]
    stage.now += timedelta(minutes=1)
    assert "kept, without your name" in (await talk.say("keep"))[0]
    assert len(await talk.kept()) == limits.A_MINUTE + 1


# -------------------- answers


async def answered(stage: Stage, number: int = 1, card: str = "jobs") -> bool:
    return await stage.store.run(lambda tx: reports.answer(tx, number, card, stage.now))


async def told(talk: Talk) -> Sequence[Sequence[str]]:
    talk.stage.screens["telegram"].shown.clear()
    await talk.stage.app.assistant.hear_due()
    await talk.stage.app.delivery.idle()
    return [shown for _, shown in talk.stage.screens["telegram"].shown]


async def test_whoever_asked_is_told_once_and_the_address_is_gone(talk: Talk, stage: Stage) -> None:
    await talk.leave(wish="yes")
    assert str(HERE) in (await talk.everything())["report_askers"]
    assert await answered(stage)
    (shown,) = await told(talk)
    assert "There is a card about it now" in shown[0]
    assert shown[-1] == "[1] Jobs and newcomers"
    assert RUMOUR not in "".join(shown)
    assert await told(talk) == []
    assert (await talk.everything())["report_askers"] == "[]"
    assert await answered(stage, card="wages"), "a slip can be mended"
    assert await told(talk) == []


async def test_they_are_told_in_their_language(talk: Talk, stage: Stage) -> None:
    await talk.say("/language es")
    await talk.leave(wish="yes")
    await stage.store.run(lambda tx: reports.ask(tx, 1, HERE, "es", stage.now))
    assert await answered(stage)
    (shown,) = await told(talk)
    assert "Ya hay una ficha" in shown[0]


@pytest.mark.parametrize("reason", feature.REASONS)
async def test_that_there_will_be_no_card_is_told_with_its_reason(talk: Talk, stage: Stage, reason: str) -> None:
    await talk.leave(wish="yes")
    assert await stage.store.run(lambda tx: reports.decline(tx, 1, reason, stage.now))
    (shown,) = await told(talk)
    assert "You left something" in shown[0]


async def test_a_card_that_is_gone_when_it_is_told_of_is_not_offered(talk: Talk, stage: Stage) -> None:
    await talk.leave(wish="yes")
    assert await answered(stage, card="gone-by-now")
    (shown,) = await told(talk)
    assert "no longer here" in shown[0]


async def test_no_is_what_anything_but_a_yes_means(talk: Talk) -> None:
    await talk.leave(wish="what do you mean")
    held = await talk.everything()
    assert held["report_askers"] == held["report_drafts"] == "[]"


async def test_stopping_ends_the_wish_to_be_told(talk: Talk, stage: Stage) -> None:
    await talk.leave(wish="yes")
    await talk.say("/stop")
    await answered(stage)
    assert await told(talk) == []


async def test_an_unknown_number_is_neither_answered_nor_declined(stage: Stage) -> None:
    assert not await answered(stage, 77)
    assert not await stage.store.run(lambda tx: reports.decline(tx, 77, "unclear", stage.now))


@pytest.mark.parametrize("where", [Address("web", "abc"), Address("discord", "998", "42")])
async def test_where_nobody_can_be_told_later_there_is_a_code(talk: Talk, stage: Stage, where: Address) -> None:
    (given,) = await talk.leave(where=where, wish="yes")
    code = given.split("**")[1]
    assert "no answer yet" in (await talk.say(f"/report {code.upper()}", where))[0]
    await answered(stage)
    assert "There is a card" in (await talk.say(f"/report {code}", where))[0]
    assert "don't know that code" in (await talk.say("/report abcdefg2", where))[0]
    await talk.say("/report", where)
    assert "There is a card" in (await talk.say(code, where))[0]
    held = await talk.everything()
    assert held["report_askers"] == held["tellings"] == "[]"


async def test_nobody_gets_round_the_limit_of_a_day_by_keys_of_their_own(talk: Talk, stage: Stage) -> None:
    for number in (2, 4, 6):
        key = f"report/2026-11-20/{number}"
        await stage.app.assistant.handle(Message(HERE, "/privacy", key, language="en", introduced=True))
    for _ in range(limits.A_DAY):
        await talk.leave()
    assert len(await talk.kept()) < limits.A_DAY


async def test_stopping_in_the_middle_throws_the_words_away(talk: Talk) -> None:
    await talk.say(f"/report {RUMOUR}")
    await talk.say("/stop")
    assert (await talk.everything())["report_drafts"] == "[]"


async def test_forgetting_leaves_the_words_and_no_way_to_whoever_left_them(talk: Talk, stage: Stage) -> None:
    await talk.leave(wish="yes")
    await talk.say(f"/report {RUMOUR}")
    await talk.say("/useful rumour jobs yes")
    await answered(stage)
    (last,) = await talk.say("/forget")
    assert "they stay there without your name" in last
    held = await talk.everything()
    assert {name for name, rows in held.items() if HERE.chat in rows} == set()
    assert RUMOUR in held["reports"]
    assert await told(talk) == []


async def test_an_export_shows_the_draft_and_the_wish(talk: Talk) -> None:
    await talk.leave(wish="yes")
    await talk.say(f"/report {RUMOUR}")
    shown = (await talk.say("/export"))[1]
    assert "report\\_askers" in shown
    assert RUMOUR in shown.partition("report\\_drafts")[2]


async def test_a_telling_does_not_lead_to_the_words(talk: Talk, stage: Stage) -> None:
    await talk.leave(wish="yes")
    await answered(stage)
    row = (await stage.store.read(lambda tx: tx.execute(select(TELLINGS)).one()))._asdict()
    assert "1" not in row["what"]
    assert not row["key"].endswith("/1")


# -------------------- a city with districts


async def test_a_city_that_has_districts_asks_for_one(content: Content, stage: Stage, talk: Talk) -> None:
    whole = stage.app.assistant.repertoire
    towned = feature.feature(
        names(content.library),
        {"en": {}, "es": {}},
        lambda _: False,
        ("Old Town", "A district of a very long name indeed, longer than any button"),
    )
    others = tuple(towned if one.name == feature.NAME else one for one in whole.features)
    stage.app.assistant.repertoires = Repertoires({"": Repertoire(others, whole.say_in, whole.languages)})
    await talk.say(f"/report {RUMOUR}")
    assert await talk.say("bar") == ["In which part of the town?"]
    assert await talk.say("elsewhere") == ["In which part of the town?"]
    assert "In a bar or café · Old Town" in (await talk.say("d1"))[0]
    await talk.say("keep")
    assert [report.district for report in await talk.kept()] == ["Old Town"]


def test_every_reason_to_refuse_words_is_held_to_account() -> None:
    assert set(get_args(Why)) == SAID.keys() - {"kept"} | {"long"}


async def test_reports_are_not_numbered_anew_after_the_last_is_deleted(talk: Talk, stage: Stage) -> None:
    await talk.leave()
    await stage.store.run(lambda tx: tx.execute(REPORTS.delete()))
    await talk.leave()
    assert [report.id for report in await talk.kept()] == [2]
    assert await stage.store.read(lambda tx: tx.execute(select(func.count()).select_from(REPORT_ASKERS)).scalar()) == 0
