"""Name the trick, or say that nothing is wrong."""

import random
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from bot.features.quizzes.puzzles.pressed import judge_one
from bot.features.quizzes.puzzles.puzzle import NONE, Ground, Option, Picked, Puzzle, Said, Shown, Verdict
from bot.library.check import Found
from bot.library.problem import did_you_mean
from bot.library.source import At


class Spot(Puzzle):
    """The trick in what is said is named; the options are all tricks of the quiz, and that there is none."""

    kind: Literal["spot"]
    says: Said = Field(description="What is said or posted; never a slur")
    trick: str = Field(description="Id of one of 'tricks'; none where nothing is wrong with it")

    def shown(self, ground: Ground, chance: random.Random) -> Shown:  # noqa: ARG002  # the same for all kinds
        """Return the tricks, in the same order each time, so that they are learnt; last, that there is none."""
        tricks = (Option(name, text, name) for name, text in ground.tricks.items())
        return Shown((*tricks, Option(NONE, None, NONE)))

    def judge(self, shown: Shown, said: str, picked: Picked, ground: Ground) -> Verdict:  # noqa: ARG002  # as above
        """Return whether it is that trick."""
        return judge_one(shown, said, {option.id: option.id == self.trick for option in shown.options})

    def solutions(self, ground: Ground) -> Iterator[str]:
        """Yield the trick's name."""
        if self.trick in ground.tricks:
            yield ground.tricks[self.trick]

    def found(self, at: At, ground: Ground) -> Iterator[Found]:
        """Yield a trick that the quiz does not have."""
        if self.trick not in (NONE, *ground.tricks):
            yield (*at, "trick"), f"no trick is called '{self.trick}'", did_you_mean(self.trick, [*ground.tricks, NONE])
