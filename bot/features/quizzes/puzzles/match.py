"""Match pairs: press one side, then the other; `1b 2a` typed does it at once."""

import random
import re
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
from bot.features.quizzes.puzzles.typed import at_place, option_of
from bot.library.check import Found
from bot.library.shape import Entry
from bot.library.source import At
from bot.talk.words import folded

_PAIR = re.compile(r"(\d)\s*[-=:.)>→]*\s*([a-z])(?![a-z])")
_BETWEEN = re.compile(r"[\s,;.+&/]*(?:\b(?:and|y|e|et|und)\b)?[\s,;.+&/]*")


class Pair(Entry):
    """Two things that belong together."""

    this: Label = Field(description="The numbered side, shown in the file's order")
    that: Label = Field(description="The lettered side, shown mixed")


class Match(Puzzle):
    """Each thing of one side is matched to one of the other."""

    kind: Literal["match"]
    pairs: dict[OptionId, Pair] = Field(min_length=2, max_length=MOST_OPTIONS, description="Pairs by id")

    def shown(self, ground: Ground, chance: random.Random) -> Shown:  # noqa: ARG002  # the same for all kinds
        """Return both sides; a letter, not an id, says what stands on the mixed one."""
        left = tuple(Option(name, pair.this, name) for name, pair in self.pairs.items())
        order = unlike(list(self.pairs), chance)
        right = (Option(name, self.pairs[name].that, chr(ord("a") + place)) for place, name in enumerate(order))
        return Shown(left, tuple(right))

    def judge(self, shown: Shown, said: str, picked: Picked, ground: Ground) -> Verdict:  # noqa: ARG002  # as above
        """Return what is paired, or the verdict once all are."""
        if typed := _pairs(shown, said):
            return self._settled({**_paired(picked), **typed})
        if left := _left(shown, said):
            kept = {this: that for this, that in _paired(picked).items() if this != left.id}
            return Verdict("picked", left.id, (*_flat(kept), left.id))
        right = option_of([Option(o.say, o.text, o.say) for o in shown.against], said) if len(picked) % 2 else None
        if right is None:
            return UNCLEAR
        that = next(option.id for option in shown.against if option.say == right.id)
        kept = {this: other for this, other in _paired(picked).items() if other != that}
        return self._settled({**kept, picked[-1]: that})

    def _settled(self, pairs: dict[str, str]) -> Verdict:
        if len(set(pairs.values())) != len(pairs):
            return UNCLEAR
        if len(pairs) < len(self.pairs):
            return Verdict("picked", list(pairs)[-1], _flat(pairs))
        fits = sum(this == that for this, that in pairs.items())
        name = ",".join(pairs[this] for this in self.pairs)
        right = fits == len(pairs)
        return Verdict("right" if right else "wrong", name, _flat(pairs) if right else (), fits, len(pairs))

    def pressable(self, shown: Shown, picked: Picked) -> tuple[str, ...]:
        """Return the side whose turn it is, without what is paired."""
        paired = _paired(picked)
        if len(picked) % 2:
            return tuple(option.say for option in shown.against if option.id not in paired.values())
        return tuple(option.say for option in shown.options if option.id not in paired)

    def found(self, at: At, ground: Ground) -> Iterator[Found]:  # noqa: ARG002  # as above
        """Yield pairs that say the same on one side."""
        for side in ("this", "that"):
            texts = {name: str(getattr(pair, side)) for name, pair in self.pairs.items()}
            yield from (((*where, side), what, fix) for where, what, fix in twice_said(texts, (*at, "pairs")))


def _pairs(shown: Shown, said: str) -> dict[str, str] | None:
    """Return the pairs typed as numbers with letters; None where anything else is typed, or one twice."""
    text = folded(said)
    found = _PAIR.findall(text)
    if not found or any(not _BETWEEN.fullmatch(gap) for gap in _PAIR.sub("\0", text).split("\0")):
        return None
    sides = [(at_place(shown.options, this), at_place(shown.against, that)) for this, that in found]
    pairs = {this.id: that.id for this, that in sides if this and that}
    return pairs if len(pairs) == len(found) else None


def _left(shown: Shown, said: str) -> Option | None:
    """Return what is said of the numbered side; a letter is the other side's."""
    return None if len(said.strip(" ().")) == 1 and said.strip(" ().").isalpha() else option_of(shown.options, said)


def _paired(picked: Picked) -> dict[str, str]:
    return dict(zip(picked[::2], picked[1::2], strict=False))


def _flat(pairs: dict[str, str]) -> Picked:
    return tuple(side for pair in pairs.items() for side in pair)
