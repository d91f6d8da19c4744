"""When something is due: local dates and hours to moments, school days, a late joiner's timeline. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from bot.features.campaigns.campaign import EARLIEST, LATEST, Campaign, Prompt, Step

Audience = Literal["all", "schools", "others", "coordinators"]
State = Literal["on", "skipped", "paused", "stopped"]

MORNING = time(9)  # when coordinators are reminded
PATIENCE = timedelta(days=3)  # for which a reminder makes sense
ASKED = (-14, -7, -2)  # days on which an approval that lacks is asked for
NEAR = 3  # days within which a school day before a day off is still near to it
# How the messages to coordinators are called: `step.posters`, `approve.7`.
STEP, APPROVE = "step.", "approve."


@dataclass(frozen=True, slots=True)
class Run:
    """A town's part in a campaign in one year: since when, and whether it goes on; `moved` is the date instead."""

    campaign: str
    year: int
    since: datetime
    state: State = "on"
    moved: date | None = None


@dataclass(frozen=True, slots=True)
class Hours:
    """A town's clock: its zone, when it is quiet (from, to), and its school's holidays, first and last days."""

    zone: ZoneInfo
    quiet: tuple[time, time]
    holidays: tuple[tuple[date, date], ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """A message of a campaign at its moment; from `until` on it is too late.

    `day` is the date in the town's zone on which it is said, `begin` that of the day itself.
    """

    campaign: str
    year: int
    message: str
    day: date
    audience: Audience
    at: datetime
    until: datetime
    begin: date


def to_utc(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the one moment of a local date and hour.

    A time that the clock skips moves forward by as much (RFC 5545); of one that comes twice it is the first.
    """
    return datetime.combine(day, at, tzinfo=zone).replace(fold=0).astimezone(UTC)


def is_quiet(at: time, quiet: tuple[time, time]) -> bool:
    """Say whether `at` lies in the quiet hours, which may span midnight; from and to alike mean none."""
    begin, end = quiet
    return begin <= at < end if begin <= end else at >= begin or at < end


def heard_at(at: time, quiet: tuple[time, time]) -> time:
    """Return the hour, or the end of the quiet hours that it lies in."""
    return quiet[1] if is_quiet(at, quiet) else at


def school_day(day: date, holidays: Sequence[tuple[date, date]]) -> date | None:
    """Return the day, or where there is no school the last school day before; None where that is not near."""
    for back in range(NEAR + 1):
        found = day - timedelta(days=back)
        if found.weekday() < 5 and not any(first <= found <= last for first, last in holidays):
            return found
    return None


def timeline(steps: Mapping[str, Step], left: int) -> dict[str, int]:
    """Return on which day each step is when `left` days remain until the day; whoever joins late has them closer.

    Steps after the day stay where they are; those before keep their order and spread over what is left.
    """
    if left >= -EARLIEST:
        return {name: step.day for name, step in steps.items()}
    return {name: step.day if step.day >= 0 else round(step.day * left / -EARLIEST) for name, step in steps.items()}


def begins(campaign: Campaign, run: Run) -> Iterator[date]:
    """Yield the dates on which a campaign's day begins in its year, or where the town moved it to."""
    if run.moved:
        yield run.moved
    else:
        yield from campaign.day.in_year(run.year)


def due(
    campaigns: Mapping[str, Campaign],
    steps: Mapping[str, Step],
    runs: Sequence[Run],
    hours: Hours,
    since: datetime,
    until: datetime,
) -> list[Due]:
    """Return what is due from `since` on and before `until` in one town, in order.

    `steps` are those of every campaign with a kit. What was due before the town took part is not due.
    """
    found = [
        one
        for run in runs
        if run.campaign in campaigns and run.state in ("on", "paused")
        for one in _of_run(campaigns[run.campaign], steps, run, hours)
        if max(since, run.since) <= one.at < until
    ]
    return sorted(found, key=lambda one: (one.at, one.campaign, one.message, one.audience))


def as_due(
    campaign: Campaign, steps: Mapping[str, Step], run: Run, hours: Hours, message: str, day: date, audience: str
) -> Due | None:
    """Return a message of a date and audience as it is due by now; None where it is not any more."""
    wanted = message, day, audience
    found = _of_run(campaign, steps, run, hours)
    return next((one for one in found if (one.message, one.day, one.audience) == wanted), None)


def _of_run(campaign: Campaign, steps: Mapping[str, Step], run: Run, hours: Hours) -> Iterator[Due]:
    for day in begins(campaign, run):
        for name, prompt in campaign.messages.items():
            yield from _prompts(name, prompt, day, run, hours)
        yield from _reminders(campaign, steps, day, run, hours)


def _prompts(name: str, prompt: Prompt, begin: date, run: Run, hours: Hours) -> Iterator[Due]:
    day = begin + timedelta(days=prompt.day)
    taught = school_day(day, hours.holidays)
    days: list[tuple[date, Audience]] = [(day, "all")] if taught == day else [(day, "others")]
    if taught and taught != day:
        days.append((taught, "schools"))
    at = heard_at(prompt.hour, hours.quiet)
    for date_, audience in days:
        moment = to_utc(date_, at, hours.zone)
        yield Due(run.campaign, run.year, name, date_, audience, moment, _too_late(date_, at, hours), begin)


def _too_late(day: date, at: time, hours: Hours) -> datetime:
    """Return when the day's quiet hours begin, or the day ends."""
    evening = hours.quiet[0]
    if at < evening and hours.quiet[0] != hours.quiet[1]:
        return to_utc(day, evening, hours.zone)
    return to_utc(day + timedelta(days=1), time(0), hours.zone)


def _reminders(campaign: Campaign, steps: Mapping[str, Step], begin: date, run: Run, hours: Hours) -> Iterator[Due]:
    joined = run.since.astimezone(hours.zone).date()
    days = {f"{APPROVE}{-offset}": offset for offset in ASKED}
    if campaign.kit:
        own = timeline({**steps, **campaign.kit.steps}, (begin - joined).days)
        days |= {f"{STEP}{name}": offset for name, offset in own.items()}
    for name, offset in days.items():
        day = begin + timedelta(days=offset)
        moment = to_utc(day, MORNING, hours.zone)
        if day == joined:
            moment = max(moment, run.since)  # what is for the very day of joining is for now
        yield Due(run.campaign, run.year, name, day, "coordinators", moment, moment + PATIENCE, begin)


def over(begin: date) -> datetime:
    """Return the moment from which nothing of a campaign that begins on a date is to come any more."""
    return datetime.combine(begin + timedelta(days=LATEST + 1), time(), UTC)
