"""Figures for the mayor: sums of daily counts as lines, CSV and a plain chart; small numbers stay hidden."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from bot.storage.counts import Sum

LEAST = 5  # what is below is not told
GROUPS = (
    "begun",
    "search",
    "card",
    "tip",
    "technique",
    "term",
    "word",
    "useful",
    "not-useful",
    "outdated",
    "wrong-tone",
    "not-our-town",
    "report",
    "not-it",
    "none-of-these",
    "day",
    "subscribed",
    "unsubscribed",
)
BY_LANGUAGE = frozenset({"begun"})
"""Shown by language; every other group by entry. One way each: two ways to cut one sum would tell what either hides."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Group:
    """What was counted under one heading: a number for each part, None where it is hidden, and their sum likewise."""

    what: str
    parts: Mapping[str, int | None]
    total: int | None


def groups(sums: Iterable[Sum]) -> list[Group]:
    """Return what was counted, group by group, with small numbers hidden."""
    by_group: dict[str, dict[str, int]] = {}
    for found in sums:
        part = found.language if found.what in BY_LANGUAGE else found.entry
        parts = by_group.setdefault(found.what, {})
        parts[part] = parts.get(part, 0) + found.n
    return [hidden(what, by_group[what]) for what in GROUPS if what in by_group]


def hidden(what: str, parts: Mapping[str, int]) -> Group:
    """Return the group with numbers below `LEAST` hidden, and the sum where it would tell one of them."""
    small = [n for n in parts.values() if n < LEAST]
    shown = {part: n if n >= LEAST else None for part, n in sorted(parts.items(), key=lambda item: (-item[1], item[0]))}
    return Group(what, _unranked(shown), None if _tells(small) else sum(parts.values()))


def _unranked(parts: Mapping[str, int | None]) -> dict[str, int | None]:
    """Return hidden parts last and by name: their order would say which is the larger."""
    return {
        **{part: n for part, n in parts.items() if n is not None},
        **{part: None for part in sorted(parts) if parts[part] is None},
    }


def _tells(small: Sequence[int]) -> bool:
    """Say whether the sum of hidden numbers tells any of them: one alone, all at an end of what they can be."""
    left = sum(small)
    return bool(small) and (left < LEAST or left in (len(small), len(small) * (LEAST - 1)) or len(small) == 1)


def _number(n: int | None) -> str:
    return f"<{LEAST}" if n is None else str(n)


def _sum(group: Group) -> str:
    """Return the group's sum: hidden, it may still be large."""
    if group.total is not None:
        return str(group.total)
    shown = _shown(group)
    return f">{shown}" if shown else f"<{LEAST}" if len(group.parts) == 1 else "…"


def _shown(group: Group) -> int:
    """Return the sum, or as much of it as can be reckoned from what is shown anyway."""
    return sum(n for n in group.parts.values() if n is not None) if group.total is None else group.total


def as_lines(found: Sequence[Group], labels: Mapping[str, str]) -> Iterator[str]:
    """Yield the figures as lines for a terminal."""
    for group in found:
        yield f"{labels[group.what]}"
        for part, n in group.parts.items():
            yield f"  {_number(n):>7}  {labels.get(f'{group.what} {part}', part)}"
        yield f"  {_sum(group):>7}  {labels['total']}"
        yield ""


def as_csv(found: Sequence[Group], labels: Mapping[str, str]) -> str:
    """Return the figures as CSV: group, what it is called, part, number; the sum's part is empty."""
    rows = [("group", "name", "part", "number")]
    for group in found:
        rows += [(group.what, labels[group.what], part, _number(n)) for part, n in group.parts.items()]
        rows.append((group.what, labels[group.what], "", _sum(group)))
    return written(rows)


def as_svg(found: Sequence[Group], labels: Mapping[str, str], title: str, note: str) -> str:
    """Return a chart with a bar for each group's sum; of one that is hidden, as long as what is shown of it."""
    most = max(map(_shown, found), default=0) or 1
    bars = [(labels[group.what], _sum(group), round(300 * _shown(group) / most)) for group in found]
    return _template().render(title=title, note=note, bars=bars)


def written(rows: Iterable[Sequence[object]]) -> str:
    """Return `rows` as CSV in which no cell is a formula."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def _harmless(cell: object) -> str:
    """Return a cell as text; a spreadsheet would reckon with one that begins like a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


@cache
def _template() -> Template:
    folder = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=folder, autoescape=True, undefined=StrictUndefined).get_template("figures.svg")
