"""A town's days for calendars and printers: what pages ask for, from what is planned and what is written."""

from collections.abc import Callable, Mapping
from datetime import date, datetime

from sqlalchemy import Connection

from bot.core.sheet import Year
from bot.features.campaigns.due import Run
from bot.features.campaigns.showing import at_present
from bot.features.campaigns.town import Town
from bot.features.campaigns.year import year_of
from bot.platforms.web import NAME as WEB
from bot.platforms.web.days import Days
from bot.storage import versions

Towns = Callable[[], Mapping[str, Town]]
Doors = Callable[[str], Mapping[str, str]]


def days(towns: Towns, clock: Callable[[], datetime], doors: Doors) -> Days:
    """Return what answers for every town; `towns` knows all of them at this moment, `doors` a command's links."""

    def present(tx: Connection, city: str) -> tuple[Town, list[Run], date]:
        known = towns()
        town, taken = at_present(tx, known.get(city, known[""]))
        return town, taken, town.today(clock())

    def feed(tx: Connection, city: str, language: str, everything: bool) -> bytes:  # noqa: FBT001  # as `Days` asks
        from bot.features.campaigns.calendar import AHEAD, BACK, SINCE, Look, calendar  # a third of a second to load

        def page(command: str) -> str:
            address = doors(command).get(WEB, "")
            return f"{address}?lang={language}{f'&city={city}' if city else ''}" if address else ""

        town, taken, today = present(tx, city)
        stamp = versions.newest(tx, "campaign", ("", city)) or SINCE
        look = Look(language, everything, stamp, page)
        return calendar(town, taken, today - BACK, today + AHEAD, look)

    def year(tx: Connection, city: str, language: str, number: int | None, everything: bool) -> Year:  # noqa: FBT001
        town, taken, today = present(tx, city)
        return year_of(town, taken, number or today.year, language, everything=everything)

    return Days(feed, year)
