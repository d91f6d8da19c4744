"""Holds a town's days to account: which come and when, as lists, as pages, as a calendar's feed and as a year."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from icalendar import Calendar

from bot.app import Content, towns
from bot.core.message import Reply
from bot.features.campaigns.calendar import Look, calendar
from bot.features.campaigns.coming import Coming, coming
from bot.features.campaigns.due import Run
from bot.features.campaigns.find import DayFinder
from bot.features.campaigns.planned import planned
from bot.features.campaigns.showing import when
from bot.features.campaigns.town import Town
from bot.features.campaigns.year import year_of
from bot.storage import runs
from bot.storage.runs import Key
from tests.play import NOON, Stage, with_cities

FIRST, LAST = date(2026, 11, 20), date(2027, 11, 19)
FOCUS = ["migrants-day", "racial-discrimination", "idahobit", "cultural-diversity-day", "refugee-day"]
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def town(content: Content) -> Town:
    return planned(towns(content)[""], {})


def joined(found: Sequence[Coming]) -> list[str]:
    return [one.campaign for one in found if one.joined]


# -------------------- which days come


def test_a_town_takes_part_in_what_it_plans_and_everything_else_comes_too(town: Town) -> None:
    found = coming(town, [], FIRST, LAST)
    assert joined(found) == FOCUS
    assert {one.campaign for one in found} == town.campaigns[town.first].keys()
    assert found == sorted(found, key=lambda one: one.first)


def test_a_day_that_was_moved_comes_on_its_new_date_and_one_that_is_skipped_is_not_the_towns(town: Town) -> None:
    moved = Run("refugee-day", 2027, SINCE, moved=date(2027, 6, 18))
    skipped = Run("idahobit", 2027, SINCE, "skipped")
    taken = Run("peace-day", 2027, SINCE)
    paused = Run("migrants-day", 2026, SINCE, "paused")
    found = coming(town, [moved, skipped, taken, paused], FIRST, LAST)
    first = {one.campaign: one.first for one in found if one.joined}
    assert first["refugee-day"] == date(2027, 6, 18)
    assert "idahobit" not in first
    assert {"peace-day", "migrants-day"} <= first.keys()
    assert next(one for one in found if one.campaign == "idahobit").first == date(2027, 5, 17)


def test_a_week_comes_while_it_lasts(town: Town) -> None:
    for day, there in ((1, True), (7, True), (8, False)):
        spot = date(2027, 2, day)
        found = [one.campaign for one in coming(town, [], spot, spot)]
        assert ("interfaith-harmony-week" in found) is there, day


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (date(2027, 6, 20), "today"),
        (date(2027, 6, 19), "tomorrow"),
        (date(2027, 6, 14), "this_week"),  # Monday of a week that ends on the day
        (date(2027, 6, 13), "next_week"),
        (date(2027, 6, 6), ""),
    ],
)
def test_how_near_a_day_is_goes_by_weeks_from_monday_on(today: date, said: str) -> None:
    day = date(2027, 6, 20)
    one = Coming("refugee-day", 2027, 1, day, day, joined=True)
    assert when(lambda name: name.removeprefix("days."), one, today) == said
    week = replace(one, first=date(2027, 6, 10), last=date(2027, 6, 25))
    if today >= week.first:
        assert when(lambda name: name.removeprefix("days."), week, today) == "now"


# -------------------- how they are found


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("refugee-day", "refugee-day"),
        ("World Refugee Day", "refugee-day"),
        ("wolrd refuge day", "refugee-day"),
        ("día del refugiado", "refugee-day"),
        ("DIA DE LAS PERSONAS REFUGIADAS", "refugee-day"),
        ("mandela", "mandela-day"),
        ("Holocaust Memorial Day for Sinti", "roma-sinti-remembrance"),
    ],
)
def test_a_day_is_found_by_its_name_a_typo_or_some_words_of_it(town: Town, words: str, day: str) -> None:
    assert DayFinder(town.campaigns).find(words, "en").day == day


@pytest.mark.parametrize(
    "words", ["what day is it", "they took a day", "day", "the day", "día", "children work all day", ""]
)
def test_words_that_are_no_days_name_claim_none(town: Town, words: str) -> None:
    assert DayFinder(town.campaigns).remembered(words) == ()


# -------------------- how they are shown


@pytest.fixture
def stage(stage: Stage) -> Stage:
    stage.platform, stage.language = "telegram", "en"
    return stage


@pytest.mark.parametrize("language", ["en", "es"])
async def test_every_day_is_a_page_that_fits(stage: Stage, content: Content, language: str) -> None:
    assistant = stage.app.assistant
    assert await assistant.preview("/days all", language)
    for name, campaign in towns(content)[""].campaigns[language].items():
        (page,) = await assistant.preview(f"/day {name}", language)
        assert campaign.name in page.text
        assert "{{" not in page.text
        assert (assistant.repertoire.say_in(language)("days.unchecked") in page.text) is not campaign.basis.checked
        _check_buttons(page)
        assert not (campaign.sober and any(choice.say.startswith("/quiz") for choice in page.choices)), name


def _check_buttons(page: Reply) -> None:
    assert max(len(choice.say.encode()) for choice in page.choices) <= 48
    assert len({choice.label for choice in page.choices}) == len({choice.say for choice in page.choices})
    assert len({choice.say for choice in page.choices}) == len(page.choices)


async def test_a_day_that_the_town_moved_is_shown_on_its_new_date(stage: Stage) -> None:
    key = Key("", "migrants-day", 2026)
    await stage.store.run(lambda tx: runs.join(tx, key, NOON, NOON + timedelta(days=90)))
    await stage.store.run(lambda tx: runs.change(tx, key, moved=date(2026, 12, 16)))
    for command in ("/days", "/day migrants-day"):
        assert "16 December 2026" in str(await stage.say(command)), command


async def test_a_town_that_takes_part_in_nothing_says_so(stage: Stage) -> None:
    await stage.store.run(lambda tx: runs.set_(tx, "", "leave", ",".join(FOCUS)))
    assert "No prompts are planned here" in str(await stage.say("/days"))


# -------------------- the feed


def feed(town: Town, look: Look | None = None, taken: Sequence[Run] = ()) -> Any:
    """Read a feed again with the library of whoever subscribes to it."""
    return Calendar.from_ical(calendar(town, taken, FIRST, LAST, *([look] if look else [])))


def test_the_feed_holds_the_towns_days_as_whole_days(town: Town) -> None:
    events = feed(town).events
    assert str(events[0]["summary"]) == "International Migrants Day"
    assert [event.start for event in events][:2] == [date(2026, 12, 18), date(2027, 3, 21)]
    assert all(event.end - event.start == timedelta(days=1) for event in events)
    assert not any(event.errors for event in events)


def test_a_week_lasts_seven_days_in_the_feed(town: Town) -> None:
    (week,) = (one for one in feed(town, Look(everything=True)).events if "interfaith" in str(one["uid"]))
    assert (week.start, week.end) == (date(2027, 2, 1), date(2027, 2, 8))


def test_the_feed_speaks_the_language_that_is_asked_for(town: Town) -> None:
    spanish = feed(town, Look("es"))
    assert str(spanish.events[0]["summary"]) == "Día de las Personas Migrantes"
    assert str(spanish["x-wr-calname"]) == "Días internacionales"


def test_an_event_keeps_its_id_when_its_day_moves_and_the_same_days_are_the_same_bytes(town: Town) -> None:
    moved = Run("refugee-day", 2027, SINCE, moved=date(2027, 6, 18))
    ids = {str(event["uid"]) for event in feed(town).events}
    assert {str(event["uid"]) for event in feed(town, taken=[moved]).events} == ids
    assert len(ids) == len(FOCUS)
    assert calendar(town, [], FIRST, LAST) == calendar(town, [], FIRST, LAST)
    assert b"T000000Z" in calendar(town, [], FIRST, LAST)


def test_the_stamp_is_the_contents_and_the_page_is_named_where_there_is_one(town: Town) -> None:
    stamp = datetime(2026, 11, 5, 8, 30, tzinfo=UTC)
    (event, *_) = feed(town, Look(stamp=stamp, page=lambda command: f"https://chat.test{command}")).events
    assert event["dtstamp"].dt == stamp
    assert str(event["url"]) == "https://chat.test/day migrants-day"
    assert all("url" not in event for event in feed(town).events)


def test_every_line_of_the_feed_is_short_and_ends_as_the_standard_says(town: Town) -> None:
    lines = calendar(town, [], FIRST, LAST, Look("es", everything=True)).split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert not any(b"\n" in line for line in lines)


# -------------------- the year


def test_a_year_has_twelve_months_with_all_days_once(town: Town) -> None:
    found = year_of(town, [], 2027, "en", everything=True)
    assert [month.name for month in found.months][::11] == ["January", "December"]
    assert sum(len(month.days) for month in found.months) == len(coming(town, [], date(2027, 1, 1), date(2027, 12, 31)))
    february = found.months[1]
    assert february.days[0].dates == "1–7"
    assert [cell for week in february.weeks for cell in week if cell][:8] == [
        *((n, True) for n in range(1, 8)),
        (8, False),
    ]


def test_a_town_with_another_name_has_its_own_year() -> None:
    own = planned(towns(with_cities())["puertaluna"], {})
    found = year_of(own, [], 2027, "es", everything=False)
    assert found.city == "Puertaluna"
    assert [day.name for month in found.months for day in month.days][-1] == "Día de las Personas Migrantes"
    assert found.weekdays[0].casefold() == "lu"


def test_a_week_that_lasts_into_a_year_stands_in_its_first_month(town: Town) -> None:
    run = Run("interfaith-harmony-week", 2027, SINCE, moved=date(2026, 12, 29))
    in_year = partial(year_of, town, [run], language="en", everything=True)
    assert in_year(2027).months[0].days[0].dates == "29–Jan 4"
    assert in_year(2026).months[11].days[-1].name == "Interfaith Harmony Week"
