"""On which dates a day falls: fixed, the nth weekday of a month, or written down year by year. Pure."""

from calendar import Calendar, monthrange
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints, model_validator

from bot.library.shape import Entry

NTH = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
LEAP_YEAR = 2024

Month = Literal[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
Weekday = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS: tuple[str, ...] = get_args(Month)
WEEKDAYS: tuple[str, ...] = get_args(Weekday)


class Day(Entry):
    """When a day is: `every: 20 June`, `nth`, `weekday` and `month`, or a list of `dates`; a week `lasts: 7`."""

    every: Annotated[str, StringConstraints(pattern=r"^\d{1,2} [A-Z][a-z]+$")] | None = Field(
        None, description="The same date every year, for example 20 June"
    )
    nth: Literal["first", "second", "third", "fourth", "last"] | None = Field(
        None, description="first, second, third, fourth or last weekday of the month"
    )
    weekday: Weekday | None = Field(None, description="The weekday, with 'nth'")
    month: Month | None = Field(None, description="The month, with 'nth'")
    dates: list[date] = Field([], description="Each year's date of a movable feast, for example 2027-03-10")
    lasts: int = Field(1, ge=1, le=31, description="How many days it lasts; a week is 7")

    @model_validator(mode="after")
    def _says_one_thing(self) -> "Day":
        by_weekday = [self.nth, self.weekday, self.month]
        if any(by_weekday) and not all(by_weekday):
            raise ValueError("a weekday of a month needs all three: 'nth: third', 'weekday: Thursday', 'month: May'")
        if sum(map(bool, (self.every, self.nth, self.dates))) != 1:
            raise ValueError("say when it is in one way: 'every: 20 June'; or 'nth', 'weekday', 'month'; or 'dates'")
        if self.every:
            _check_exists(self.every)
        return self

    def in_year(self, year: int) -> Iterator[date]:
        """Yield the dates on which it begins in `year`; 29 February is 28 February where there is none."""
        if self.every:
            number, month = _parts(self.every)
            yield date(year, month, min(number, monthrange(year, month)[1]))
        elif self.nth and self.weekday and self.month:
            month = MONTHS.index(self.month) + 1
            yield _weekdays(year, month, WEEKDAYS.index(self.weekday))[NTH[self.nth]]
        else:
            yield from sorted(found for found in set(self.dates) if found.year == year)


def _parts(text: str) -> tuple[int, int]:
    number, month = text.split()
    return int(number), MONTHS.index(month) + 1


def _check_exists(text: str) -> None:
    number, name = text.split()
    if name not in MONTHS:
        raise ValueError(f"no month is called '{name}'; write for example 20 June")
    most = monthrange(LEAP_YEAR, MONTHS.index(name) + 1)[1]
    if not 1 <= int(number) <= most:
        raise ValueError(f"{name} has {most} days, and no {number}")


def _weekdays(year: int, month: int, weekday: int) -> list[date]:
    """Return the dates in a month that are of a weekday, Monday being 0."""
    weeks = Calendar().monthdatescalendar(year, month)
    return [week[weekday] for week in weeks if week[weekday].month == month]
