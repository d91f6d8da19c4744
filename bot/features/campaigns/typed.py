"""Dates and hours as coordinators type them. Pure."""

import re
from collections.abc import Iterable
from datetime import date, time
from functools import lru_cache
from typing import Literal

from babel.dates import get_month_names
from rapidfuzz import fuzz, process

from bot.features.campaigns.planned import zones
from bot.library.planning import span
from bot.talk.words import folded

NEAR = 3  # zones that are offered
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_NUMBERS = re.compile(r"(\d{1,2})\s*[./ ]\s*(\d{1,2})(?:\s*[./ ]\s*(\d{4}))?\.?")
_HOURS = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*(?:-|–|to|a)\s*(\d{1,2})(?:[:.h](\d{2}))?")

Misread = Literal["no_date", "no_such_date"]


def read_day(text: str, languages: Iterable[str], near: date) -> date | Misread:
    """Return the date meant by `2027-06-18`, `18 June`, `18 de junio` or `18/6`; without a year, the nearest."""
    found = _parts(folded(text), languages)
    if found is None:
        return "no_date"
    day, month, year = found
    years = [year] if year else [near.year - 1, near.year, near.year + 1]
    dates = [made for one in years if (made := _date(one, month, day))]
    if not dates:
        return "no_such_date"
    return min(dates, key=lambda one: abs(one - near))


def _parts(text: str, languages: Iterable[str]) -> tuple[int, int, int] | None:
    if iso := _ISO.fullmatch(text):
        return int(iso[3]), int(iso[2]), int(iso[1])
    if numbers := _NUMBERS.fullmatch(text):
        return int(numbers[1]), int(numbers[2]), int(numbers[3] or 0)
    digits = [int(word) for word in re.findall(r"\d+", text)]
    named = {
        month for language in languages for word in re.findall(r"[^\W\d_]+", text) if (month := _month(word, language))
    }
    years = [number for number in digits if number > 31]
    days = [number for number in digits if number <= 31]
    if len(named) != 1 or len(days) != 1 or len(years) > 1:
        return None
    return days[0], named.pop(), years[0] if years else 0


def _month(word: str, language: str) -> int | None:
    return _months(language).get(word)


@lru_cache(maxsize=64)
def _months(language: str) -> dict[str, int]:
    """Return the months by their names and their short names."""
    forms = [
        get_month_names(width, context, language)
        for width in ("wide", "abbreviated")
        for context in ("format", "stand-alone")
    ]
    return {folded(name).rstrip("."): number for names in forms for number, name in names.items()}


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def read_hours(text: str) -> str | None:
    """Return `21:00-08:00` for that, `21-8` or `21.00 to 8.00`; None where it is no span of hours."""
    found = _HOURS.fullmatch(folded(text))
    if not found:
        return None
    try:
        first, last = (time(int(found[at]), int(found[at + 1] or 0)) for at in (1, 3))
    except ValueError:
        return None
    return f"{first:%H:%M}-{last:%H:%M}"


def read_spans(text: str) -> str | None:
    """Return spans of days by comma for what is typed, such as `2026-12-23..2027-01-07`; None where one is none."""
    found = [part for part in re.split(r"[,;\s]+", text) if part]
    try:
        spans = sorted(span(part) for part in found)
    except ValueError:
        return None
    sound = bool(spans) and all(first <= last for first, last in spans)
    return ",".join(f"{first}..{last}" for first, last in spans) if sound else None


def read_zone(text: str) -> str | list[str]:
    """Return the time zone that is called so, whatever the case; else the nearest ones."""
    wanted = _plain(text)
    names = {_plain(name): name for name in sorted(zones())}
    if wanted in names:
        return names[wanted]
    towns = {plain: plain.rpartition("/")[2] for plain in names}
    same = [names[plain] for plain, town in towns.items() if town == wanted]
    near = process.extract(wanted, towns, scorer=fuzz.ratio, limit=NEAR, score_cutoff=60)
    return list(dict.fromkeys([*same, *(names[plain] for _, _, plain in near)]))[:NEAR]


def _plain(zone: str) -> str:
    return folded(zone).replace(" ", "_")
