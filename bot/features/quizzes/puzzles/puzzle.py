"""What all puzzles have in common: their fields, what is shown of them, what an answer comes to."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from bot.library.check import Found
from bot.library.load import ID
from bot.library.shape import LONGEST_TITLE, Entry, File, Ref, Words
from bot.library.source import At

LONGEST_ID = 16
# So that each can be typed as one digit, and `312` is an order.
MOST_OPTIONS = 9

# What is said to hand in several options.
DONE = "done"

# What is said, or written as `trick`, where nothing is wrong.
NONE = "none"

_TYPED = re.compile(r"[0-9]+[a-z]?")


def _as_id(name: str) -> str:
    if not ID.fullmatch(name) or len(name) > LONGEST_ID:
        fix = f"use lower-case words joined by hyphens, at most {LONGEST_ID} characters"
        raise ValueError(f"'{name}' is not an id; {fix}")
    return name


def _as_option_id(name: str) -> str:
    if len(_as_id(name)) < 2 or _TYPED.fullmatch(name) or name in (DONE, NONE):
        raise ValueError(f"'{name}' cannot be an option's id, people type it for something else; use a word")
    return name


Id = Annotated[str, AfterValidator(_as_id)]
# An id that is neither a number nor a letter, which people type for the place of an option.
OptionId = Annotated[str, AfterValidator(_as_option_id)]

Said = Annotated[str, Words(figures=True), StringConstraints(min_length=1, max_length=1000)]
Label = Annotated[str, Words(figures=True), StringConstraints(min_length=1, max_length=120)]
Prompt = Annotated[str, Words(), StringConstraints(min_length=1, max_length=LONGEST_TITLE)]
Source = Annotated[str, Ref("source")]


class Picture(Entry):
    """An image beside the quiz, and what is said of it where there are none."""

    file: Annotated[str, File(), StringConstraints(pattern=r"^images/[\w-]+\.(png|jpg)$")] = Field(
        description="A picture in the quiz's folder, for example images/desk.png"
    )
    alt: Said = Field(description="What is to be seen, for those who do not see it")


@dataclass(frozen=True, slots=True)
class Ground:
    """What puzzles take from the quiz: figures by name, tricks' names by id, the keys of rooms by id."""

    figures: Mapping[str, str] = field(default_factory=dict)
    tricks: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that may be chosen: its id, what it says (None: nothing is wrong), what pressing it says."""

    id: str
    text: str | None
    say: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a puzzle, in the play's own order; `against` is the lettered side of pairs."""

    options: tuple[Option, ...] = ()
    against: tuple[Option, ...] = ()


# What has been picked so far, by id; pairs stand flat: this, that, this, that, perhaps one this more.
Picked = tuple[str, ...]

What = Literal["right", "wrong", "near", "branch", "picked", "unclear"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer comes to; `option` names it (nothing typed is kept), `picked` is what stays picked.

    `fits` counts how much of an order or of pairs is right, `of` how much there is.
    """

    what: What
    option: str | None = None
    picked: Picked = ()
    fits: int | None = None
    of: int | None = None


UNCLEAR = Verdict("unclear")


class Puzzle(Entry):
    """Something to solve; each kind adds its own fields, what it shows, and how it judges."""

    text: Said | None = Field(None, description="Material above the question: a post, a message, a scene")
    ask: Said = Field(description="The question")
    hints: list[Said] = Field(
        [], max_length=3, description="One to three; the first is free and never gives the answer away"
    )
    explain: Said | None = Field(None, description="Said when the answer is in, right or not: the reason")
    source: Source | None = Field(None, description="Id of a source; needed where the explanation takes a figure")
    lesson: Said | None = Field(None, description="A link to read more, such as [rumour](/term rumour)")
    tries: int | None = Field(None, ge=1, le=9, description="How often one may try; left out, as often as one likes")
    seconds: int | None = Field(None, ge=10, le=3600, description="Time for this puzzle")
    leak: int | None = Field(None, ge=1, le=99, description="How far the leak meter rises when it is got wrong")
    image: Picture | None = Field(None, description="A picture")

    def shown(self, ground: Ground, chance: random.Random) -> Shown:  # noqa: ARG002  # most kinds need them
        """Return what is shown, in an order that `chance` alone decides."""
        return Shown()

    def judge(self, shown: Shown, said: str, picked: Picked, ground: Ground) -> Verdict:
        """Return what `said` comes to: a press, or something typed."""
        raise NotImplementedError

    def pressable(self, shown: Shown, picked: Picked) -> tuple[str, ...]:  # noqa: ARG002  # as above
        """Return what may be pressed now."""
        return tuple(option.say for option in shown.options)

    @property
    def is_fork(self) -> bool:
        """Whether it only asks which way to go."""
        return False

    def branches(self) -> Iterator[tuple[str, str, bool]]:
        """Yield (option, room or ending, whether the puzzle is then done) of every option that leads somewhere."""
        yield from ()

    def solutions(self, ground: Ground) -> Iterator[str]:  # noqa: ARG002  # as above
        """Yield what the first hint must not contain."""
        yield from ()

    def found(self, at: At, ground: Ground) -> Iterator[Found]:  # noqa: ARG002  # as above
        """Yield what is wrong with the puzzle that stands at `at`."""
        yield from ()


def mixed(options: Mapping[str, str], chance: random.Random) -> tuple[Option, ...]:
    """Return options in a random order, each said by its id."""
    ids = list(options)
    chance.shuffle(ids)
    return tuple(Option(name, options[name], name) for name in ids)


def unlike(ids: Sequence[str], chance: random.Random) -> list[str]:
    """Return `ids` in a random order that is not the one they stand in."""
    order = list(ids)
    chance.shuffle(order)
    return order if order != list(ids) or len(order) < 2 else [*order[1:], order[0]]
