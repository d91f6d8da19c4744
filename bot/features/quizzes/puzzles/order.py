"""Put into order: presses append, the last hands in; `3 1 2` typed does it at once."""

import random
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from bot.features.quizzes.puzzles.pressed import twice_said
from bot.features.quizzes.puzzles.puzzle import (
    MOST_OPTIONS,
    UNCLEAR,
    Ground,
    Label,
    Option,
    OptionId,
    Picked,
    Puzzle,
    Shown,
    Verdict,
    unlike,
)
from bot.features.quizzes.puzzles.typed import option_of, options_of
from bot.library.check import Found
from bot.library.source import At


class Order(Puzzle):
    """Items are put into the order in which the file has them."""

    kind: Literal["order"]
    items: dict[OptionId, Label] = Field(
        min_length=2, max_length=MOST_OPTIONS, description="What to put into order, by id, in the right order"
    )

    def shown(self, ground: Ground, chance: random.Random) -> Shown:  # noqa: ARG002  # the same for all kinds
        """Return the items in another order than the right one."""
        return Shown(tuple(Option(name, self.items[name], name) for name in unlike(list(self.items), chance)))

    def judge(self, shown: Shown, said: str, picked: Picked, ground: Ground) -> Verdict:  # noqa: ARG002  # as above
        """Return what is picked, or the verdict once all are; a second press of the same changes nothing."""
        option = option_of(shown.options, said)
        if option and option.id in picked:
            return Verdict("picked", option.id, picked)
        typed = (option.id,) if option else options_of(shown.options, said)
        if not typed or len(set(typed)) != len(typed):
            return UNCLEAR
        order = typed if len(typed) == len(self.items) else (*picked, *typed)
        if len(set(order)) != len(order):
            return UNCLEAR
        return self._verdict(order) if len(order) == len(self.items) else Verdict("picked", typed[-1], order)

    def _verdict(self, order: Picked) -> Verdict:
        fits = sum(one == other for one, other in zip(order, self.items, strict=True))
        right = fits == len(order)
        return Verdict("right" if right else "wrong", ",".join(order), order if right else (), fits, len(order))

    def pressable(self, shown: Shown, picked: Picked) -> tuple[str, ...]:
        """Return the items that are not placed yet."""
        return tuple(option.say for option in shown.options if option.id not in picked)

    def found(self, at: At, ground: Ground) -> Iterator[Found]:  # noqa: ARG002  # as above
        """Yield items that say the same."""
        yield from twice_said(self.items, (*at, "items"))
