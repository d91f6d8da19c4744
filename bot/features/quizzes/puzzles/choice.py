"""One is chosen; an option may also lead to another room."""

import random
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from bot.features.quizzes.puzzles.pressed import judge_one, twice_said
from bot.features.quizzes.puzzles.puzzle import (
    MOST_OPTIONS,
    Ground,
    Id,
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
from bot.library.shape import Entry
from bot.library.source import At


class Chosen(Entry):
    """An option. With `then` it leads to that room, and is neither right nor wrong unless it says so."""

    text: Label = Field(description="What the option says: at most 120 characters, best 34")
    right: bool | None = Field(None, description="true where it is right")
    because: Said | None = Field(None, description="Why it is right or wrong")
    then: Id | None = Field(None, description="The room or ending that it leads to")

    @property
    def solves(self) -> bool | None:
        """Whether it is right; None where it only leads elsewhere."""
        return self.right if self.right is not None or self.then else False


class Choice(Puzzle):
    """One is chosen."""

    kind: Literal["choice"]
    options: dict[OptionId, Chosen] = Field(min_length=2, max_length=MOST_OPTIONS, description="Options by id")

    def shown(self, ground: Ground, chance: random.Random) -> Shown:  # noqa: ARG002  # the same for all kinds
        """Return the options, mixed."""
        return Shown(mixed({name: option.text for name, option in self.options.items()}, chance))

    def judge(self, shown: Shown, said: str, picked: Picked, ground: Ground) -> Verdict:  # noqa: ARG002  # as above
        """Return what an option comes to: id, words, number or letter."""
        return judge_one(shown, said, {name: option.solves for name, option in self.options.items()})

    @property
    def is_fork(self) -> bool:
        """Whether every option only leads elsewhere."""
        return all(option.solves is None for option in self.options.values())

    def branches(self) -> Iterator[tuple[str, str, bool]]:
        """Yield every option with `then`; a fork is done by choosing, any other way leaves the question open."""
        for name, option in self.options.items():
            if option.then:
                yield name, option.then, bool(option.right) or self.is_fork

    def solutions(self, ground: Ground) -> Iterator[str]:  # noqa: ARG002  # as above
        """Yield the right options."""
        yield from (option.text for option in self.options.values() if option.right)

    def found(self, at: At, ground: Ground) -> Iterator[Found]:  # noqa: ARG002  # as above
        """Yield a choice without a right option, unless it is a fork; options that say the same."""
        if not self.is_fork and not any(option.right for option in self.options.values()):
            yield (*at, "options"), "no option is right", "give one of them 'right: true'"
        yield from twice_said({name: option.text for name, option in self.options.items()}, (*at, "options"))
