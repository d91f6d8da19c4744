"""Figures, years and months as each language writes them."""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated

from babel.dates import format_date, format_interval, format_skeleton
from babel.numbers import format_decimal
from pydantic import StringConstraints, WithJsonSchema

Figure = Annotated[
    str,
    StringConstraints(pattern=r"^(-?\d+(\.\d+)?|year \d{4})$"),
    WithJsonSchema({"type": ["string", "number"], "pattern": r"^(-?\d+(\.\d+)?|year \d{4})$"}),
]
"""A number such as 30.7, or `year 1856`, which takes no thousands mark."""

Year = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}(-\d{4}|-(0[1-9]|1[0-2]))?$"),
    WithJsonSchema({"type": ["string", "number"], "pattern": r"^\d{4}(-\d{4}|-(0[1-9]|1[0-2]))?$"}),
]
"""When a figure is from: 2010, 2006-2018 or 2024-07."""

_REGION = {"en": "en_GB"}  # the content is British; other languages write days alike wherever they are spoken
_PLACE = re.compile(r"\{(\w+)\}")


def places(text: str) -> set[str]:
    """Return the names of the figures that `text` takes."""
    return set(_PLACE.findall(text))


def fill(text: str, figures: dict[str, str], language: str) -> str:
    """Return `text` with its figures, drawn for `language`."""
    return _PLACE.sub(lambda match: draw(figures[match[1]], language), text)


@lru_cache(maxsize=1024)
def draw(figure: str, language: str) -> str:
    """Return one figure as `language` writes it: 30.7 is 30,7 in Spanish; a year stays as it is."""
    if figure.startswith("year "):
        return figure.removeprefix("year ")
    number = Decimal(figure)
    # Spanish and Portuguese write four digits without a mark, as CLDR says and Babel does not.
    apart = abs(number) >= 10_000 or language not in {"es", "pt"}
    return format_decimal(number, locale=language, group_separator=apart, decimal_quantization=False)


@lru_cache(maxsize=256)
def draw_year(year: str, language: str) -> str:
    """Return a year, a span of years or a month as `language` writes it."""
    if len(year) == 7:
        first, month = year.split("-")
        return format_skeleton("yMMMM", date(int(first), int(month), 1), locale=language)
    return year.replace("-", "–")


def draw_day(day: date, language: str) -> str:
    """Return a day as `language` writes it."""
    return format_date(day, "long", locale=_REGION.get(language, language))


def draw_date(day: date, language: str) -> str:
    """Return a day without its year as `language` writes it."""
    return format_skeleton("MMMMd", day, locale=_REGION.get(language, language))


def draw_days(first: date, last: date, language: str) -> str:
    """Return a day, or a span of days, as `language` writes them."""
    if first == last:
        return draw_day(first, language)
    return str(format_interval(first, last, "yMMMd", locale=_REGION.get(language, language)))
