"""Which reports say nearly the same, so that a coordinator reads a rumour once."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from rapidfuzz import fuzz, process

ALIKE = 75  # of 100, over the words that tell something

T = TypeVar("T")


def grouped(found: Sequence[T], telling: Callable[[T], str]) -> list[list[T]]:
    """Return `found` in groups that say nearly the same, the largest first; `telling` gives the words that tell.

    Each is laid beside the first of every group that shares a word with it, in the order they came.
    """
    groups: list[list[T]] = []
    firsts = _Firsts()
    for one in found:
        words = telling(one)
        number = firsts.near(words)
        if number is not None:
            groups[number].append(one)
            continue
        firsts.add(words, len(groups))
        groups.append([one])
    return sorted(groups, key=lambda group: -len(group))


class _Firsts:
    """The words of the first of every group, by group and by word."""

    def __init__(self) -> None:
        self._words: dict[int, str] = {}
        self._same: dict[str, int] = {}
        self._holding: dict[str, set[int]] = {}

    def add(self, words: str, number: int) -> None:
        """Remember that group `number` begins with `words`; a single word is only ever like itself."""
        if words:
            self._same[words] = number
        if " " in words:
            self._words[number] = words
            for word in words.split():
                self._holding.setdefault(word, set()).add(number)

    def near(self, words: str) -> int | None:
        """Return the group that `words` belong to, None where they say something else."""
        if words in self._same or " " not in words:
            return self._same.get(words)
        shared = sorted(set().union(*(self._holding.get(word, ()) for word in words.split())))
        beside = {number: self._words[number] for number in shared}
        match = process.extractOne(words, beside, scorer=fuzz.token_set_ratio, score_cutoff=ALIKE)
        return match[2] if match else None
