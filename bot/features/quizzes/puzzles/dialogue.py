"""Somebody says something; what is answered has its consequence and its technique."""

import random
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from bot.features.quizzes.puzzles.pressed import judge_one, twice_said
from bot.features.quizzes.puzzles.puzzle import (
    MOST_OPTIONS,
    Ground,
    Label,
    OptionId,
    Picked,
    Puzzle,
    Said,
    Shown,
    Verdict,
    mixed,
)
from bot.library.check import Found
from bot.library.shape import Entry, Ref
from bot.library.source import At


class Line(Entry):
    """Something to say, what comes of it, and which technique it is."""

    text: Label = Field(description="What one says: at most 120 characters, best 34")
    reply: Said = Field(description="What comes of it")
    technique: Annotated[str, Ref("technique")] | None = Field(None, description="Id of the technique it is")
    right: bool = Field(False, description="true where it keeps the talk open")


class Dialogue(Puzzle):
    """One chooses what to say to somebody."""

    kind: Literal["dialogue"]
    says: Said = Field(description="What the other one says; never a slur")
    options: dict[OptionId, Line] = Field(min_length=2, max_length=MOST_OPTIONS, description="What to say, by id")

    def shown(self, ground: Ground, chance: random.Random) -> Shown:  # noqa: ARG002  # the same for all kinds
        """Return the options, mixed."""
        return Shown(mixed({name: option.text for name, option in self.options.items()}, chance))

    def judge(self, shown: Shown, said: str, picked: Picked, ground: Ground) -> Verdict:  # noqa: ARG002  # as above
        """Return what saying it comes to."""
        return judge_one(shown, said, {name: option.right for name, option in self.options.items()})

    def solutions(self, ground: Ground) -> Iterator[str]:  # noqa: ARG002  # as above
        """Yield what is right to say."""
        yield from (option.text for option in self.options.values() if option.right)

    def found(self, at: At, ground: Ground) -> Iterator[Found]:  # noqa: ARG002  # as above
        """Yield a talk that no option keeps open; options that say the same."""
        if not any(option.right for option in self.options.values()):
            yield (*at, "options"), "no option is right", "give one of them 'right: true'"
        yield from twice_said({name: option.text for name, option in self.options.items()}, (*at, "options"))
