"""Which days come in a town, on its dates and in its order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.features.campaigns.campaign import Campaign
from bot.features.campaigns.due import Run, begins
from bot.features.campaigns.town import Town


@dataclass(frozen=True, slots=True)
class Coming:
    """A day of a campaign, from its first date to its last; `joined` says that the town takes part.

    `number` tells it from others of the same campaign in `year`, which a list of dates may hold.
    """

    campaign: str
    year: int
    number: int
    first: date
    last: date
    joined: bool


def coming(town: Town, runs: Sequence[Run], first: date, last: date) -> list[Coming]:
    """Return the days that fall between two dates, both included, in order.

    `town` is as its coordinators planned it; a town that skips or stopped a day this year takes no part.
    """
    known = {(run.campaign, run.year): run for run in runs}
    found = [
        one
        for name, campaign in town.campaigns[town.first].items()
        for year in range(first.year - 1, last.year + 2)  # a week begins before, a moved day was of another year
        for one in _in_year(campaign, name, year, known.get((name, year)), joins=name in town.planning.join)
        if one.first <= last and one.last >= first
    ]
    return sorted(found, key=lambda one: (one.first, one.campaign))


def _in_year(campaign: Campaign, name: str, year: int, run: Run | None, *, joins: bool) -> Iterator[Coming]:
    dates = begins(campaign, run) if run else campaign.day.in_year(year)
    joined = run.state in ("on", "paused") if run else joins
    for number, day in enumerate(dates, 1):
        yield Coming(name, year, number, day, day + timedelta(days=campaign.day.lasts - 1), joined)
