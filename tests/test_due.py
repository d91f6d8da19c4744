"""When campaigns are due: days, hours, zones, schools, late joiners."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.features.campaigns.campaign import Campaign, Step
from bot.features.campaigns.days import Day
from bot.features.campaigns.due import Due, Hours, Run, due, heard_at, is_quiet, school_day, timeline, to_utc

MADRID = ZoneInfo("Europe/Madrid")
QUIET = (time(20), time(9))
ALWAYS = datetime(2020, 1, 1, tzinfo=UTC)
ZONES = sorted(available_timezones())
WAY = {"talk": {"label": "Talk", "opens": "/tip"}}
PROVENANCE = {"status": "draft", "drafted": "people"}


def campaign(day: dict[str, object], **messages: dict[str, object]) -> Campaign:
    said = {name: {"text": "Hello.", "ways": WAY, **message} for name, message in messages.items()}
    return Campaign.model_validate(
        {
            "name": "Harvest day",
            "day": day,
            "basis": {"by": "The gardeners"},
            "why": "Because.",
            "topics": ["culture"],
            "talk": ["What?", "Who?"],
            "messages": said,
            "provenance": PROVENANCE,
        }
    )


def dues(found: Campaign, year: int, hours: Hours, **run: object) -> list[Due]:
    taking = Run("harvest", year, ALWAYS, **run)  # type: ignore[arg-type]  # as the test says
    begin, end = datetime(year - 1, 12, 1, tzinfo=UTC), datetime(year + 1, 2, 1, tzinfo=UTC)
    return due({"harvest": found}, {}, [taking], hours, begin, end)


def prompts(found: list[Due]) -> list[Due]:
    return [one for one in found if one.audience != "coordinators"]


# -------------------- days


@pytest.mark.parametrize(
    ("day", "year", "dates"),
    [
        ({"every": "20 June"}, 2027, ["2027-06-20"]),
        ({"every": "29 February"}, 2028, ["2028-02-29"]),
        ({"every": "29 February"}, 2027, ["2027-02-28"]),
        ({"nth": "third", "weekday": "Thursday", "month": "November"}, 2027, ["2027-11-18"]),
        ({"nth": "last", "weekday": "Monday", "month": "May"}, 2027, ["2027-05-31"]),
        ({"nth": "first", "weekday": "Monday", "month": "February"}, 2027, ["2027-02-01"]),
        ({"dates": ["2028-02-28", "2027-03-10"]}, 2027, ["2027-03-10"]),
        ({"dates": ["2028-02-28", "2027-03-10"]}, 2029, []),
    ],
)
def test_a_day_falls_where_its_rule_says(day: dict[str, object], year: int, dates: list[str]) -> None:
    assert [found.isoformat() for found in Day.model_validate(day).in_year(year)] == dates


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ({"every": "31 June"}, "June has 30 days, and no 31"),
        ({"every": "0 June"}, "June has 30 days, and no 0"),
        ({"every": "30 February"}, "February has 29 days, and no 30"),
        ({"every": "20 Juno"}, "no month is called 'Juno'"),
        ({"nth": "third", "month": "May"}, "a weekday of a month needs all three"),
        ({}, "say when it is in one way"),
        ({"every": "1 May", "dates": ["2027-05-01"]}, "say when it is in one way"),
    ],
)
def test_a_day_that_cannot_be_is_named(day: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Day.model_validate(day)


# -------------------- hours


@pytest.mark.parametrize(
    ("at", "quiet", "heard"),
    [
        ("09:00", QUIET, "09:00"),
        ("07:30", QUIET, "09:00"),
        ("21:15", QUIET, "09:00"),
        ("13:00", (time(12), time(15)), "15:00"),
        ("03:00", (time(0), time(0)), "03:00"),
    ],
)
def test_nothing_is_heard_in_quiet_hours(at: str, quiet: tuple[time, time], heard: str) -> None:
    assert heard_at(time.fromisoformat(at), quiet) == time.fromisoformat(heard)


@given(st.times(), st.times(), st.times())
def test_what_is_heard_is_never_in_the_quiet_hours(at: time, begin: time, end: time) -> None:
    assert begin == end or not is_quiet(heard_at(at, (begin, end)), (begin, end))


def test_a_skipped_hour_moves_forward_and_a_doubled_one_comes_once() -> None:
    assert to_utc(date(2027, 3, 28), time(2, 30), MADRID) == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert to_utc(date(2027, 10, 31), time(2, 30), MADRID) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("zone", Random(7).sample(ZONES, 40))
def test_each_local_date_has_one_moment_and_they_are_in_order(zone: str) -> None:
    """All zones and seven years are swept in `make bench`."""
    where, first = ZoneInfo(zone), date(2026, 1, 1)
    for at in (time(0), time(0, 30), time(2, 30), time(9), time(23, 30)):
        moments = [to_utc(first + timedelta(days=n), at, where) for n in range(800)]
        assert all(one < other for one, other in pairwise(moments))


# -------------------- occurrences


def test_a_prompt_comes_at_its_local_hour_until_the_evening() -> None:
    found = campaign({"every": "21 June"}, today={"at": "09:00"})
    (one,) = prompts(dues(found, 2027, Hours(MADRID, QUIET)))
    assert one.at == datetime(2027, 6, 21, 7, tzinfo=UTC)
    assert one.until == datetime(2027, 6, 21, 18, tzinfo=UTC)
    assert (one.day, one.audience) == (date(2027, 6, 21), "all")


def test_schools_hear_of_a_weekend_on_the_school_day_before() -> None:
    found = campaign({"every": "20 June"}, today={})  # a Sunday in 2027
    heard = {one.audience: one.day for one in prompts(dues(found, 2027, Hours(MADRID, QUIET)))}
    assert heard == {"others": date(2027, 6, 20), "schools": date(2027, 6, 18)}


def test_schools_hear_nothing_in_the_middle_of_their_holidays() -> None:
    found = campaign({"every": "18 July"}, today={})
    summer = ((date(2027, 6, 23), date(2027, 9, 8)),)
    heard = [one.audience for one in prompts(dues(found, 2027, Hours(MADRID, QUIET, summer)))]
    assert heard == ["others"]


@given(st.dates(date(2026, 1, 1), date(2032, 12, 31)), st.lists(st.tuples(st.dates(), st.integers(0, 20)), max_size=3))
def test_a_school_day_is_never_after_nor_on_a_day_off(day: date, spans: list[tuple[date, int]]) -> None:
    holidays = [(first, first + timedelta(days=min(n, (date.max - first).days))) for first, n in spans]
    found = school_day(day, holidays)
    if found:
        assert timedelta(0) <= day - found <= timedelta(days=3)
        assert found.weekday() < 5
        assert not any(first <= found <= last for first, last in holidays)


def test_a_day_that_was_moved_is_due_then_and_only_then() -> None:
    found = campaign({"every": "21 June"}, soon={"day": -7}, today={})
    moved = prompts(dues(found, 2027, Hours(MADRID, QUIET), moved=date(2027, 6, 24)))
    assert [one.day for one in moved] == [date(2027, 6, 17), date(2027, 6, 24)]


@pytest.mark.parametrize(("state", "due_then"), [("on", 1), ("paused", 1), ("skipped", 0), ("stopped", 0)])
def test_what_is_skipped_or_stopped_is_not_due(state: str, due_then: int) -> None:
    found = campaign({"every": "21 June"}, today={})
    assert len(prompts(dues(found, 2027, Hours(MADRID, QUIET), state=state))) == due_then


def test_nothing_is_due_from_before_the_town_took_part() -> None:
    found = campaign({"every": "21 June"}, soon={"day": -7}, today={})
    run = Run("harvest", 2027, datetime(2027, 6, 20, tzinfo=UTC))
    window = datetime(2027, 6, 1, tzinfo=UTC), datetime(2027, 7, 1, tzinfo=UTC)
    assert [one.message for one in due({"harvest": found}, {}, [run], Hours(MADRID, QUIET), *window)] == ["today"]


@given(st.integers(0, 400), st.lists(st.integers(-90, 30), min_size=1, max_size=12))
def test_a_late_joiner_has_every_step_in_order_and_none_in_the_past(left: int, days: list[int]) -> None:
    steps = {str(n): Step(day=day, do="Do.") for n, day in enumerate(days)}
    found = timeline(steps, left)
    assert found.keys() == steps.keys()
    assert all(day >= -left for day in found.values())
    ordered = sorted(steps, key=lambda name: steps[name].day)
    assert all(found[one] <= found[other] for one, other in pairwise(ordered))
    if left >= 90:
        assert found == {name: step.day for name, step in steps.items()}


@given(
    st.sampled_from(ZONES),
    st.lists(st.integers(1, 60 * 24 * 20), min_size=1, max_size=6),
)
def test_windows_side_by_side_bring_everything_once(zone: str, minutes: list[int]) -> None:
    found = campaign({"every": "21 June"}, soon={"day": -7}, today={}, thanks={"day": 1})
    hours, run = Hours(ZoneInfo(zone), QUIET), Run("harvest", 2027, ALWAYS)
    begin, end = datetime(2027, 5, 1, tzinfo=UTC), datetime(2027, 8, 1, tzinfo=UTC)
    cuts = sorted({begin, end, *(begin + timedelta(minutes=n) for n in minutes)})
    pieces = [one for a, b in pairwise(cuts) for one in due({"harvest": found}, {}, [run], hours, a, b)]
    assert pieces == due({"harvest": found}, {}, [run], hours, begin, end)
