"""All that apply: presses toggle, `done` or numbers typed together hand in."""

import random
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from bot.features.quizzes.puzzles.pressed import twice_said
from bot.features.quizzes.puzzles.puzzle import (
    DONE,
    MOST_OPTIONS,
    UNCLEAR,
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
from bot.features.quizzes.puzzles.typed import option_of, options_of
from bot.library.check import Found
from bot.library.shape import Entry
from bot.library.source import At


class Ticked(Entry):
    """An option that applies or does not."""

    text: Label = Field(description="What the option says: at most 120 characters, best 34")
    right: bool = Field(False, description="true where it applies")
    because: Said | None = Field(None, description="Why it applies or not")


class Several(Puzzle):
    """All that apply are chosen."""

    kind: Literal["several"]
    options: dict[OptionId, Ticked] = Field(min_length=2, max_length=MOST_OPTIONS, description="Options by id")

    def shown(self, ground: Ground, chance: random.Random) -> Shown:  # noqa: ARG002  # the same for all kinds
        """Return the options, mixed."""
        return Shown(mixed({name: option.text for name, option in self.options.items()}, chance))

    def judge(self, shown: Shown, said: str, picked: Picked, ground: Ground) -> Verdict:  # noqa: ARG002  # as above
        """Return what is picked, or the verdict on what is handed in; near where only some are missing."""
        if said == DONE:
            return self._verdict(picked) if picked else UNCLEAR
        if option := option_of(shown.options, said):
            kept = tuple(name for name in picked if name != option.id)
            return Verdict("picked", option.id, kept if option.id in picked else (*picked, option.id))
        typed = options_of(shown.options, said)
        return self._verdict(tuple(dict.fromkeys(typed))) if typed else UNCLEAR

    def _verdict(self, picked: Picked) -> Verdict:
        right = {name for name, option in self.options.items() if option.right}
        what = right.symmetric_difference(picked)
        name = ",".join(sorted(picked))
        fits = len(right.intersection(picked))
        if not what:
            return Verdict("right", name, picked, fits, len(right))
        return Verdict("near" if right.issuperset(picked) else "wrong", name, picked, fits, len(right))

    def pressable(self, shown: Shown, picked: Picked) -> tuple[str, ...]:
        """Return the options, and `done` once something is picked."""
        return (*(option.say for option in shown.options), *([DONE] if picked else []))

    def solutions(self, ground: Ground) -> Iterator[str]:  # noqa: ARG002  # as above
        """Yield the options that apply."""
        yield from (option.text for option in self.options.values() if option.right)

    def found(self, at: At, ground: Ground) -> Iterator[Found]:  # noqa: ARG002  # as above
        """Yield a puzzle of which nothing applies; options that say the same."""
        if not any(option.right for option in self.options.values()):
            yield (*at, "options"), "no option is right", "give those that apply 'right: true'"
        yield from twice_said({name: option.text for name, option in self.options.items()}, (*at, "options"))
