"""Holds coordinators' work to account: who may, what is kept and refused, alike in the chat and at the command line."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select

from bot import cli
from bot.app import no_doors, towns
from bot.core.message import Address, Reply
from bot.features.campaigns import acts, coordinating, typed, wording
from bot.features.campaigns.acts import By, Standing
from bot.features.campaigns.campaign import VALUES
from bot.features.campaigns.planned import planned, zones
from bot.features.campaigns.town import Town, digest, lacking
from bot.features.campaigns.writing import mistake
from bot.library.city import NO_CITY
from bot.library.template import render, template_problem
from bot.platforms import limits
from bot.storage import audit, coordinators, invites, runs, sessions
from bot.storage.moments import millis
from bot.storage.store import Store
from bot.storage.tables import BUBBLES, INVITES, METADATA, OCCURRENCES
from bot.talk.repertoire import Repertoire, Repertoires
from tests.coordination import Known, with_campaigns
from tests.play import Stage

NOW = datetime(2027, 8, 1, 10, tzinfo=UTC)
HERE, THERE = Address("telegram", "1"), Address("web", "2")
ONE, TWO = By(1, NOW), By(2, NOW)
HARVEST = "harvest-day"


@pytest.fixture(scope="module")
def town() -> Town:
    return planned(towns(with_campaigns())[""], {})


@pytest.fixture
async def tx() -> AsyncIterator[Connection]:
    store = Store(":memory:")
    await store.run(METADATA.create_all)
    with store._engine.connect() as connection:
        yield connection
    store.close()


def standing(tx: Connection, town: Town, name: str = HARVEST, now: datetime = NOW) -> Standing:
    found = acts.standing(tx, town, name, now)
    assert found
    return found


# -------------------- codes and roles


def test_a_code_is_good_once_within_ten_minutes_and_kept_as_a_digest(tx: Connection) -> None:
    code = invites.make(tx, "town", Random(1), NOW)
    assert code not in str(tx.execute(select(INVITES)).all())
    assert invites.use(tx, f"{code[:4]}-{code[4:].upper()}", NOW + timedelta(minutes=9)) == "town"
    assert invites.use(tx, code, NOW + timedelta(minutes=9)) is None
    late = invites.make(tx, "town", Random(2), NOW)
    assert invites.use(tx, late, NOW + timedelta(minutes=10)) is None


def test_a_wrong_code_is_a_try_of_every_code_and_five_are_enough(tx: Connection) -> None:
    codes = [invites.make(tx, city, Random(city), NOW) for city in ("one", "two", "three")]
    for _ in range(4):
        assert invites.use(tx, "wrong", NOW) is None
    assert invites.use(tx, codes[0], NOW) == "one"
    assert invites.use(tx, "wrong", NOW) is None
    assert [invites.use(tx, code, NOW) for code in codes] == [None, None, None]


def test_a_number_is_never_given_twice_in_a_town(tx: Connection) -> None:
    for number in (1, 2, 3):
        code = acts.invite(tx, "town", Random(number), By(0, NOW))
        me = acts.become(tx, HERE, code, "en", NOW)
        assert me
        assert me.number == number
        acts.leave(tx, me, By(number, NOW))
    other = acts.become(tx, HERE, acts.invite(tx, "other", Random(9), By(0, NOW)), "en", NOW)
    assert other
    assert other.number == 1
    assert coordinators.cities(tx, HERE) == ["other"]


def test_forgetting_a_conversation_ends_its_role(tx: Connection) -> None:
    coordinators.add(tx, HERE, "town", "en", NOW)
    coordinators.add(tx, THERE, "town", "en", NOW)
    sessions.forget(tx, HERE)
    assert [one.number for one in coordinators.of_city(tx, "town")] == [2]


# -------------------- what can be done with a day


def test_two_people_approve_and_an_editor_counts_as_one(tx: Connection, town: Town) -> None:
    two = replace(town, planning=town.planning.model_copy(update={"two_approve": True}))
    coordinators.add(tx, HERE, "", "en", NOW)
    coordinators.add(tx, THERE, "", "es", NOW)
    done, tell = acts.approve(tx, two, standing(tx, two), "", ONE)
    assert done == "half"
    assert [telling.to for telling in tell] == [THERE]
    assert acts.approve(tx, two, standing(tx, two), "", ONE) == ("half", ())
    assert acts.approve(tx, two, standing(tx, two), "", TWO)[0] == "approved"
    acts.edit(tx, standing(tx, two), ("today", "en", "text"), "Other words.", TWO)
    assert not standing(tx, two).approved
    assert acts.approve(tx, two, standing(tx, two), "", TWO)[0] == "half"
    assert acts.approve(tx, two, standing(tx, two), "", ONE)[0] == "approved"


def test_what_changed_since_it_was_shown_is_not_approved(tx: Connection, town: Town) -> None:
    seen = standing(tx, town).digest[:4]
    acts.edit(tx, standing(tx, town), ("today", "es", "child"), "Otra cosa.", ONE)
    assert acts.approve(tx, town, standing(tx, town), seen, TWO)[0] == "changed"
    assert not standing(tx, town).approved
    assert acts.unedit(tx, standing(tx, town), ("today", "es", "child"), ONE)
    assert acts.approve(tx, town, standing(tx, town), seen, TWO)[0] == "approved"


def test_each_act_makes_sense_in_some_states_only_and_is_noted(tx: Connection, town: Town) -> None:
    for verb, state in (
        ("pause", "paused"),
        ("resume", "on"),
        ("skip", "skipped"),
        ("join", "on"),
        ("stop", "stopped"),
    ):
        found = next(known for known in acts.FROM if known == verb)
        assert acts.do(tx, town, standing(tx, town), found, ONE)
        assert standing(tx, town).state == state
        assert not acts.do(tx, town, standing(tx, town), found, ONE)
    assert acts.move(tx, town, standing(tx, town), date(2027, 9, 20), ONE) == "not_on"
    assert acts.approve(tx, town, standing(tx, town), "", ONE)[0] == "not_on"
    assert [(act.act, act.city, act.who) for act in audit.last(tx, "", 2)] == [("stop", "", "1"), ("join", "", "1")]


def test_taking_part_and_leaving_hold_for_the_years_to_come(tx: Connection, town: Town) -> None:
    def now() -> Town:
        return planned(towns(with_campaigns())[""], runs.settings(tx, [""]).get("", {}))

    assert acts.do(tx, now(), standing(tx, now(), "quiet-day"), "join", ONE)
    assert now().planning.join == [HARVEST, "quiet-day"]
    assert acts.do(tx, now(), standing(tx, now(), HARVEST), "leave", ONE)
    assert now().planning.join == ["quiet-day"]
    assert standing(tx, now(), HARVEST).state == "out"
    assert acts.do(tx, now(), standing(tx, now(), HARVEST), "join", ONE)
    assert now().planning.join == [HARVEST, "quiet-day"]
    assert town.planning.join == [HARVEST]


def test_a_day_moves_neither_into_the_past_nor_far_and_comes_back(tx: Connection, town: Town) -> None:
    own = date(2027, 9, 25)
    now = By(1, datetime(2027, 9, 10, 23, tzinfo=UTC))  # the eleventh already in Madrid

    def moved(day: date) -> tuple[str, date]:
        return acts.move(tx, town, standing(tx, town, now=now.now), day, now), standing(tx, town, now=now.now).day

    assert moved(date(2027, 9, 10)) == ("past", own)
    assert moved(date(2027, 10, 26)) == ("far", own)
    assert moved(date(2027, 10, 25)) == ("moved", date(2027, 10, 25))
    assert standing(tx, town, now=datetime(2027, 10, 20, tzinfo=UTC)).key.year == 2027
    assert moved(date(2027, 9, 11)) == ("moved", date(2027, 9, 11))
    assert moved(own) == ("moved_back", own)


def test_when_a_day_is_wholly_over_the_next_year_begins(tx: Connection, town: Town) -> None:
    acts.approve(tx, town, standing(tx, town), "", ONE)
    assert standing(tx, town, now=datetime(2027, 9, 26, 12, tzinfo=UTC)).approved
    after = standing(tx, town, now=datetime(2027, 9, 27, 12, tzinfo=UTC))
    assert (after.day, after.approved, after.state) == (date(2028, 9, 30), False, "on")


def test_holding_stops_what_waits_and_letting_go_lets_it_wait_again(tx: Connection, town: Town) -> None:
    day = {"year": 2027, "message": "today", "day": "2027-09-25", "audience": "all", "state": "telling"}
    for number, city in ((1, ""), (2, "other")):
        row = {"id": number, "campaign": HARVEST, "city": city, "at": 0, "until": millis(NOW), **day}
        tx.execute(insert(OCCURRENCES).values(row))
    bubble = {"address": str(HERE), "language": "en", "reply": "{}", "lease": 9, "made": 0}
    for prompt, state in ((1, "waiting"), (1, "sent"), (2, "waiting"), (None, "waiting")):
        tx.execute(insert(BUBBLES).values({**bubble, "prompt": prompt, "state": state}))

    def states() -> list[str]:
        return list(tx.execute(select(BUBBLES.c.state).order_by(BUBBLES.c.id)).scalars())

    assert acts.hold(tx, town, ONE)
    assert not acts.hold(tx, town, ONE)
    assert states() == ["held", "sent", "waiting", "waiting"]
    assert runs.held(tx) == {""}
    assert acts.release(tx, town, ONE)
    assert not acts.release(tx, town, ONE)
    assert states() == ["waiting", "sent", "waiting", "waiting"]


def test_a_language_that_lacks_is_known_from_its_file(town: Town) -> None:
    gaps = {("es", HARVEST): frozenset({("messages", "today", "text"), ("messages", "soon", "short")})}
    half = replace(town, gaps=gaps)
    assert lacking(half, HARVEST, {}) == [("today", "es")]
    assert lacking(half, HARVEST, {("today", "es", "text"): "Hoy."}) == []
    assert lacking(town, HARVEST, {}) == []
    assert digest(half, HARVEST, {}) != digest(town, HARVEST, {})


@pytest.mark.parametrize("city", ["", "puertaluna"])
def test_no_button_says_more_than_fits(city: str, town: Town) -> None:
    own = planned(towns(with_campaigns())[city], {})
    longest = max(len(name) for name in own.campaigns[own.first])
    for verb in ("see all", "see es s", "edit 12 ast s", "approve 1a2b", "kit concept", "move 0618", "stop yes"):
        assert len(f"/campaign {'x' * 24} {verb}") <= 48
    assert max(len(f"/planning zone {zone}") for zone in zones()) <= 48
    assert longest <= 24


# -------------------- how a town plans


def test_settings_lie_over_the_pack_and_what_makes_no_sense_is_left_aside() -> None:
    pack = towns(with_campaigns())["puertaluna"]
    found = planned(pack, {"zone": "Atlantic/Canary", "quiet": "22:00-07:30", "two_approve": "true"})
    assert (found.zone, found.planning.quiet, found.planning.two_approve) == ("Atlantic/Canary", "22:00-07:30", True)
    broken = {
        "zone": "Europe/Atlantis",
        "quiet": "late",
        "holidays": "2027-13-01",
        "join": "gone-day",
        "leave": HARVEST,
    }
    found = planned(pack, broken)
    assert (found.zone, found.planning.quiet, found.planning.holidays) == ("Europe/Madrid", "20:00-09:00", [])
    assert found.planning.join == []


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2027-06-18", date(2027, 6, 18)),
        ("18 June", date(2027, 6, 18)),
        ("June 18, 2027", date(2027, 6, 18)),
        ("el 18 de junio", date(2027, 6, 18)),
        ("18/6", date(2027, 6, 18)),
        ("18.6.2027", date(2027, 6, 18)),
        ("30 December", date(2026, 12, 30)),
        ("31 June", "no_such_date"),
        ("29 February 2027", "no_such_date"),
        ("2027-02-30", "no_such_date"),
        ("June", "no_date"),
        ("18", "no_date"),
        ("18 June or 19 July", "no_date"),
        ("", "no_date"),
        ("99999999999999999999-01-01", "no_date"),
    ],
)
def test_dates_are_read_as_people_write_them(text: str, day: date | str) -> None:
    assert typed.read_day(text, ["en", "es"], date(2027, 5, 20)) == day


def test_29_february_is_the_nearest_one_that_there_is() -> None:
    assert typed.read_day("29 February", ["en"], date(2028, 3, 1)) == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("21:00-08:00", "21:00-08:00"),
        ("21 to 8", "21:00-08:00"),
        ("21.30 a 7h15", "21:30-07:15"),
        ("24-8", None),
        ("x", None),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, kept: str | None) -> None:
    assert typed.read_hours(text) == kept


def test_spans_of_days_are_read_sorted_and_whole_or_not_at_all() -> None:
    assert typed.read_spans("2027-04-10; 2026-12-23..2027-01-07") == "2026-12-23..2027-01-07,2027-04-10..2027-04-10"
    for wrong in ("", "2027-04-31", "2027-01-07..2026-12-23", "2027-04-10, Easter"):
        assert typed.read_spans(wrong) is None


def test_zones_are_found_whatever_the_case_and_near_ones_are_offered() -> None:
    assert typed.read_zone("europe/madrid") == "Europe/Madrid"
    assert typed.read_zone("America/New York") == "America/New_York"
    assert typed.read_zone("Madird")[0] == "Europe/Madrid"
    assert typed.read_zone("zzzzzzzz") == []


# -------------------- texts


@pytest.mark.parametrize(
    ("text", "why", "line", "column"),
    [
        ("", "empty", 1, 1),
        ("x" * 281, "long", 1, 281),
        ("One\ntwo {{ citty }}", "unknown", 2, 5),
        ("{% if cty %}x{% endif %}", "unknown", 1, 1),
        ("a {{ name", "braces", 1, 3),
        ("a name }}", "braces", 1, 8),
        ("a {# note #}", "braces", 1, 3),
        ("{{ name }} {% if city %}x", "unclosed", 1, 12),
        ("x{% endif %}", "unopened", 1, 2),
        ("x{% else %}", "unopened", 1, 2),
        ("{{ 1/0 }}", "computes", 1, 1),
        ("a {{ name.__class__.__mro__ }}", "computes", 1, 3),
        ("{{ name|upper }}", "computes", 1, 1),
        ("{{ 'x' * 100000000 }}", "computes", 1, 1),
        ("{% for x in name %}{% endfor %}", "computes", 1, 1),
        ("{% set name = 1 %}", "computes", 1, 1),
        ("{% if city > 1 %}x{% endif %}", "computes", 1, 1),
        ("Well!", "sober", 1, 5),
        ("A \U0001f56f", "sober", 1, 3),
    ],
)
def test_what_is_wrong_with_a_text_is_named_with_its_place(text: str, why: str, line: int, column: int) -> None:
    found = mistake(text, "short", sober=True)
    assert found
    assert (found.why, found.line, found.column) == (why, line, column)


@pytest.mark.parametrize(
    "text", ["{{ name }}, 20 spoons!", "{% if city %}{{ city }}{% elif name %}b{% else %}c{% endif %}"]
)
def test_values_figures_and_questions_are_allowed(text: str) -> None:
    assert mistake(text, "text", sober=False) is None


PIECES = st.sampled_from(
    ["{{", "}}", "{%", "%}", "{{ name }}", "{% if city %}", "{% else %}", "{% endif %}", "1/0", "\n", "name"]
)


@settings(derandomize=True, max_examples=200)
@given(st.lists(PIECES, max_size=8).map(" ".join))
def test_a_text_that_is_taken_can_always_be_drawn(text: str) -> None:
    if mistake(text, "text", sober=False) is None:
        render(text, dict.fromkeys(VALUES, "x"))


@pytest.mark.parametrize(
    "text", ["{{ 1 / 0 }}", "{{ 1 // 0 }}", "{{ name + 1 }}", "{{ -name }}", "{% if name > 1 %}x{% endif %}"]
)
def test_a_files_template_that_would_raise_is_refused_when_it_is_read(text: str) -> None:
    assert template_problem(text, {"name"})


# -------------------- in the chat


@pytest.fixture
async def desk(stage: Stage) -> Stage:
    stage.content = with_campaigns()
    stage.now = NOW
    stage.restart()
    await stage.store.run(lambda tx: coordinators.add(tx, Address("terminal", "here"), "", "en", NOW))
    return stage


async def said(stage: Stage, text: str) -> str:
    return "\n".join(line for part in await stage.say(text) for line in part)


async def test_a_day_that_goes_while_its_card_or_a_question_is_open_is_missed_in_a_sentence(desk: Stage) -> None:
    here = desk.app.assistant.repertoires
    gone = Repertoires({city: without_days(whole) for city, whole in here.by_city.items()}, here.default)
    for begun, then in (
        *(("/campaigns harvest-day", f"[{label}]") for label in ("Approve", "Move", "Kit", "Pause", "Preview")),
        ("/campaign harvest-day edit 1 en s", "Some new words"),
        ("/campaign harvest-day move", "31 June"),
    ):
        desk.app.assistant.repertoires = here
        await desk.say(begun)
        desk.app.assistant.repertoires = gone
        assert "is in the calendar any more" in await said(desk, then)
    desk.app.assistant.repertoires = here
    await desk.say("/campaign harvest-day edit 1 en s")
    await desk.say("Some new words")
    desk.app.assistant.repertoires = gone
    assert "is in the calendar any more" in await said(desk, "[Keep it]")


def without_days(whole: Repertoire) -> Repertoire:
    """Return what Hearsay can do after the files of all days have gone."""
    town = towns(with_campaigns())[whole.city]
    empty = replace(town, campaigns={language: {} for language in town.languages})
    feature = coordinating.feature(empty, {}, limits.BY_NAME, no_doors, {})
    return replace(whole, features=tuple(feature if one.name == feature.name else one for one in whole.features))


async def test_a_code_in_a_link_is_not_used_up_by_a_preview(desk: Stage) -> None:
    await desk.store.run(lambda tx: invites.make(tx, "", Known("abcd2345"), NOW))
    shown = await desk.app.assistant.preview("/coordinator abcd2345", "en")
    assert [choice.say for reply in shown for choice in reply.choices] == ["/coordinator abcd2345"]
    assert await desk.store.run(lambda tx: invites.use(tx, "abcd2345", NOW)) == ""
    assert desk.app.assistant.repertoire.linked("coordinator_abcd2345") == "/coordinator abcd2345"
    assert desk.app.assistant.repertoire.linked("coordinator_leave") is None


async def test_whoever_lost_the_role_is_not_heard_in_the_middle_of_a_text(desk: Stage) -> None:
    await desk.say("/campaign harvest-day edit 1 en s")
    await desk.store.run(lambda tx: coordinators.leave(tx, Address("terminal", "here"), ""))
    assert "people who prepare" in await said(desk, "Words of a stranger")


async def test_a_coordinator_is_told_in_the_language_last_used(desk: Stage) -> None:
    there = Address("terminal", "blue")
    await desk.store.run(lambda tx: coordinators.add(tx, there, "", "en", NOW))
    desk.chat, desk.language = "blue", "es"
    await desk.say("/campaigns")
    desk.chat, desk.language = "here", "en"
    await desk.say("/planning two on")
    digest_ = (await desk.store.read(lambda tx: standing(tx, planned(towns(with_campaigns())[""], {})))).digest
    shown = await said(desk, f"/campaign harvest-day approve {digest_[:4]}")
    assert "the others have been asked" in shown
    assert "Hace falta una segunda persona" in shown


def test_nothing_is_changed_where_the_town_does_not_take_part(tx: Connection, town: Town) -> None:
    quiet = standing(tx, town, "quiet-day")
    assert not acts.edit(tx, quiet, ("today", "en", "text"), "Words.", ONE)
    assert acts.move(tx, town, quiet, date(2028, 1, 20), ONE) == "not_on"
    assert acts.approve(tx, town, quiet, "", ONE)[0] == "not_on"
    assert standing(tx, town, "quiet-day").state == "out"
    assert runs.of_city(tx, "") == []


async def test_a_message_in_several_parts_is_announced(desk: Stage) -> None:
    tight = {name: replace(shape, text=60) for name, shape in limits.BY_NAME.items()}
    town = planned(towns(with_campaigns())[""], {})
    drawn = wording.Desk(town.say_in("en"), "en", town)
    reply = Reply("A sentence of forty letters, more or less. " * 3)
    assert "Telegram: 3 messages" in wording.parts(drawn, reply, tight)
    assert "Telegram: 1 message" in wording.parts(drawn, reply, limits.BY_NAME)


# -------------------- at the command line


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("bot.coordinator.content_of", lambda _: with_campaigns())
    monkeypatch.setenv("HEARSAY_DATABASE", str(tmp_path / "kept.db"))
    monkeypatch.setenv("HEARSAY_CITY", NO_CITY)
    monkeypatch.setenv("HEARSAY_URL", "https://chat.town.example")
    return tmp_path / "kept.db"


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = cli.main(arguments)
    out, err = capsys.readouterr()
    return status, out + err


def test_the_command_line_prepares_days_as_the_chat_does(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "(harvest-day)" in told(capsys, "campaigns")[1]
    assert told(capsys, "campaigns", "approve", HARVEST)[0] == 1
    assert told(capsys, "campaigns", "approve", HARVEST, "--yes")[0] == 0
    assert " · approved" in told(capsys, "campaigns", "show", HARVEST)[1]
    status, wrong = told(capsys, "campaigns", "edit", HARVEST, "--message", "today", "--text", "a {{ citty }}")
    assert (status, "Line 1, column 3" in wrong) == (1, True)
    assert told(capsys, "campaigns", "edit", HARVEST, "--message", "today", "--text", "New.")[0] == 0
    assert "New." in told(capsys, "campaigns", "preview", HARVEST, "--in", "en", "--on", "telegram")[1]
    assert "not approved" in told(capsys, "campaigns", "show", HARVEST)[1]
    assert told(capsys, "campaigns", "edit", HARVEST, "--message", "today", "--back")[0] == 0
    assert told(capsys, "campaigns", "pause", HARVEST)[0] == 0
    assert told(capsys, "campaigns", "pause", HARVEST)[0] == 1
    assert told(capsys, "campaigns", "results", HARVEST)[0] == 0
    assert told(capsys, "hold")[0] == 0
    assert told(capsys, "resume")[0] == 0
    acts_ = told(capsys, "audit")[1].splitlines()
    assert [line.split("  ")[1] for line in acts_] == ["approve", "edit", "unedit", "pause", "hold", "release"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["campaigns", "move", HARVEST, "--to", "31 June"], "does not exist"),
        (["campaigns", "move", HARVEST], "--to"),
        (["campaigns", "show"], "Which day?"),
        (["campaigns", "show", "harvst-day"], "did you mean 'harvest-day'?"),
        (["campaigns", "edit", HARVEST, "--message", "noon", "--text", "x"], "soon, today, thanks"),
        (["campaigns", "edit", HARVEST, "--message", "today"], "--text"),
        (["campaigns", "edit", HARVEST, "--message", "today", "--file", "/nowhere/at/all"], "cannot be read"),
        (["campaigns", "--in", "xx"], "the town speaks"),
        (["hold", "--city", "puertalna"], "did you mean 'puertaluna'?"),
        (["invite", "coordinator", "--city", "atlantis"], "no sound city"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(
    arguments: list[str], named: str, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out = told(capsys, *arguments)
    assert status == 2
    assert named in out


async def test_a_code_from_the_command_line_works_in_the_chat(
    database: Path, capsys: pytest.CaptureFixture[str], stage: Stage
) -> None:
    lines = (await asyncio.to_thread(told, capsys, "invite", "coordinator", "--city", "puertaluna"))[1].splitlines()
    code = lines[-1].removeprefix("/coordinator ")
    assert re.fullmatch(invites.CODE, code)
    assert lines[1] == f"https://chat.town.example/coordinator/{code}"
    store = Store(database)
    assert await store.run(lambda tx: invites.use(tx, code, datetime.now(UTC))) == "puertaluna"
    assert [(act.act, act.city, act.who) for act in await store.run(audit.everything)] == [("invite", "puertaluna", "")]
    store.close()


async def test_the_calendar_is_read_page_by_page(tx: Connection, town: Town) -> None:
    days = acts.calendar(tx, town, NOW) * 6
    desk = wording.Desk(town.say_in("en"), "en", town)
    first, second = (wording.calendar(desk, days, page, held=False) for page in (1, 2))
    assert "/campaigns 2" in [choice.say for choice in first.choices]
    assert "/campaigns 3" not in [choice.say for choice in second.choices]
    assert (first.text.count("\n- "), second.text.count("\n- ")) == (8, 4)


def test_a_late_joiner_has_its_steps_closer_together(tx: Connection, town: Town) -> None:
    late = datetime(2027, 9, 22, 8, tzinfo=UTC)
    desk = wording.Desk(town.say_in("en"), "en", replace(town, steps={"en": {}, "es": {}}))
    early = wording.kit(desk, standing(tx, town), "steps", datetime(2027, 5, 1, tzinfo=UTC)).text
    assert "15 September 2027" in early
    assert "closer together" not in early
    text = wording.kit(desk, standing(tx, town, now=late), "steps", late).text
    assert "closer together" in text
    assert "**25 September 2027** Count the tables for Day of the Shared Harvest on 25 September." in text
    assert "**27 September 2027** Send" in text
