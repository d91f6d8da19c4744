"""Every local date of every zone has one moment; APScheduler's own cron trigger beside it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo, available_timezones

from apscheduler.triggers.cron import CronTrigger

from bot.features.campaigns.due import to_utc
from tests.bench.figure import Figure

FIRST, DAYS = date(2026, 1, 1), 2557  # to the end of 2032
HOURS = (time(0), time(2, 30), time(9), time(23, 30))
CONTRASTED = (time(0), time(0, 30), time(1, 30), time(2, 30))
ZONES = 20  # of those that change their clocks, for the slow one
NOTHING = "none: local dates of all zones, 2026 to 2032"
Moments = Callable[[ZoneInfo, time, date], Sequence[datetime]]
"""What fires at an hour around a date, from two days before to two days after."""


def figures() -> Iterator[Figure]:
    """Yield zones_disordered, and what we and APScheduler skip and double where clocks change."""
    zones = [ZoneInfo(name) for name in sorted(available_timezones())]
    checked, wrong = 0, 0
    for zone in zones:
        for at in HOURS:
            moments = [to_utc(FIRST + timedelta(days=n), at, zone) for n in range(DAYS)]
            checked += len(moments)
            wrong += sum(one >= other for one, other in pairwise(moments))
    more: dict[str, object] = {"zones": len(zones), "dates": checked}
    yield Figure("zones_disordered", wrong, NOTHING, 0, "at most", more)
    changing = Random(7).sample([zone for zone in zones if _changes(zone)], ZONES)
    ours, cron = _missed(changing, _ours), _missed(changing, _cron)
    baseline = f"APScheduler's cron trigger in {ZONES} zones around their clock changes"
    yield Figure("zones_skipped", ours["skipped"], baseline, 0, "at most", {"baseline_skipped": cron["skipped"]})
    yield Figure("zones_doubled", ours["doubled"], baseline, 0, "at most", {"baseline_doubled": cron["doubled"]})


def _changes(zone: ZoneInfo) -> list[date]:
    """Return the dates on which a zone's clocks change."""
    days = [FIRST + timedelta(days=n) for n in range(3, DAYS - 3)]
    noons = [(day, datetime.combine(day, time(12), zone).utcoffset()) for day in days]
    return [day for (_, before), (day, after) in pairwise(noons) if before != after]


def _missed(zones: Sequence[ZoneInfo], moments: Moments) -> Counter[str]:
    found: Counter[str] = Counter()
    for zone in zones:
        for change in _changes(zone):
            for at in CONTRASTED:
                fired = Counter(moment.astimezone(zone).date() for moment in moments(zone, at, change))
                for day in (change - timedelta(days=1), change, change + timedelta(days=1)):
                    found["skipped"] += fired[day] == 0
                    found["doubled"] += fired[day] > 1
    return found


def _ours(zone: ZoneInfo, at: time, around: date) -> list[datetime]:
    return [to_utc(around + timedelta(days=n), at, zone) for n in range(-2, 3)]


def _cron(zone: ZoneInfo, at: time, around: date) -> Sequence[datetime]:
    trigger = CronTrigger(hour=at.hour, minute=at.minute, timezone=zone)
    fired: list[datetime] = []
    now = datetime.combine(around - timedelta(days=2), time(0), zone).astimezone(UTC)
    last = None
    while (last := trigger.get_next_fire_time(last, now)) and len(fired) < 6:
        fired.append(last)
        now = last.astimezone(UTC) + timedelta(seconds=1)
    return fired
