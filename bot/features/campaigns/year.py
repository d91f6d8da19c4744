"""A town's days in a year, month by month, as one sheet shows them. Pure."""

from calendar import Calendar
from collections.abc import Sequence
from datetime import date, timedelta

from babel import Locale
from babel.dates import format_skeleton

from bot.core.sheet import Marked, Month, Year
from bot.features.campaigns.coming import Coming, coming
from bot.features.campaigns.due import Run
from bot.features.campaigns.town import Town


def year_of(town: Town, runs: Sequence[Run], year: int, language: str, *, everything: bool) -> Year:
    """Return the year of `town`, as its coordinators planned it; `everything` adds the days it takes no part in."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    found = [one for one in coming(town, runs, first, last) if everything or one.joined]
    short = Locale.parse(language).days["stand-alone"]["short"]
    weekdays = tuple(str(short[number]) for number in range(7))
    months = tuple(_month(town, found, year, month, language) for month in range(1, 13))
    return Year(year, town.name, language, everything, weekdays, months)


def _month(town: Town, found: Sequence[Coming], year: int, month: int, language: str) -> Month:
    begun = [one for one in found if _shown_on(one, year).month == month]
    marked = {one.first + timedelta(days=n) for one in found for n in range((one.last - one.first).days + 1)}
    weeks = tuple(
        tuple((day.day, day in marked) if day.month == month else None for day in week)
        for week in Calendar().monthdatescalendar(year, month)
    )
    name = str(Locale.parse(language).months["stand-alone"]["wide"][month])
    return Month(name, weeks, tuple(_marked(town, one, language) for one in begun))


def _shown_on(one: Coming, year: int) -> date:
    """Return the date under which a day stands: its first, or the first of the year that it lasts into."""
    return max(one.first, date(year, 1, 1))


def _marked(town: Town, one: Coming, language: str) -> Marked:
    name = town.campaigns[language][one.campaign].name
    return Marked(_dates(one, language), name, f"/day {one.campaign}")


def _dates(one: Coming, language: str) -> str:
    """Return the number of a day in its month, or the two between which a week lies."""
    if one.first == one.last:
        return str(one.first.day)
    if one.first.month == one.last.month:
        return f"{one.first.day}–{one.last.day}"
    return f"{one.first.day}–{format_skeleton('MMMd', one.last, locale=language)}"
