"""What is printed: sheets of headed parts, worded by whoever knows the content, drawn by whoever prints."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Part:
    """A headed piece of a sheet; texts are our small Markdown.

    `options` are numbered and may be ticked, `against` is the lettered side they are matched to; `blanks` names lines
    to write on, `boxes` how many boxes to cross off, `folded` what is folded under until it is asked for. `puzzle` is
    a puzzle's id, as `room.puzzle`.
    """

    heading: str = ""
    text: str = ""
    options: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    blanks: tuple[str, ...] = ()
    boxes: int = 0
    folded: tuple[str, ...] = ()
    puzzle: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What begins on a page of its own; `use` says who may see it: the host alone, or the players too."""

    heading: str
    use: Literal["host", "players"]
    text: str = ""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Booklet:
    """A game on paper; the first sheet is the notes of whoever hosts it."""

    title: str
    language: str
    sheets: tuple[Sheet, ...]

    @property
    def notes(self) -> Sheet:
        """What the host has beside the game."""
        return self.sheets[0]


@dataclass(frozen=True, slots=True)
class Marked:
    """A day, or a week, in a year: its dates as they are said, its name, and the command that tells more."""

    dates: str
    name: str
    command: str


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a year: its weeks from Monday on, None where another month's days are; and what stands in it.

    Each date comes with whether something stands on it.
    """

    name: str
    weeks: tuple[tuple[tuple[int, bool] | None, ...], ...]
    days: tuple[Marked, ...]


@dataclass(frozen=True, slots=True)
class Year:
    """A town's days in a year, on one sheet; `all` says that those are there too in which the town takes no part."""

    year: int
    city: str
    language: str
    all: bool
    weekdays: tuple[str, ...]
    months: tuple[Month, ...]
