"""Phrasings that, once left out, do not find their own entry: what editors tell apart, or say in other words too."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.matching.index import Index
from bot.matching.learnt import Recall, learn_anew, name_of

FOLDS = 3
OFFERED = 3
ROBBED = 2  # so many phrasings each must be lost to the other, that two entries are said to take each other's


@dataclass(frozen=True, slots=True)
class Stray:
    """A phrasing that finds another entry first when it is asked; `near` says whether its own is among the three."""

    entry: str
    text: str
    found: str
    near: bool


def strays(index: Index, recall: Recall = learn_anew) -> list[Stray]:
    """Return every phrasing of `index` that others of its entry do not lead to."""
    said = [(one.entry, one.text, index.read(one.text).units) for one in index.phrasings]
    name = name_of("strays", FOLDS, said)
    kept = recall(name, lambda: json.dumps([[s.entry, s.text, s.found, s.near] for s in _strays(index)]).encode())
    return [Stray(*each) for each in json.loads(kept)]


def _strays(index: Index) -> Iterator[Stray]:
    for part in range(FOLDS):
        fold = index.fold([number for number in range(len(index.phrasings)) if number % FOLDS == part])
        for number in sorted(fold.left):
            said = index.phrasings[number]
            found = [match.entry for match in index.rank(index.read(said.text), OFFERED, fold=fold)]
            if found[:1] != [said.entry]:
                yield Stray(said.entry, said.text, found[0] if found else "", said.entry in found)


def rivals(found: Sequence[Stray]) -> Mapping[tuple[str, str], tuple[list[str], list[str]]]:
    """Return the pairs of entries that take each other's phrasings, with those that each of the two loses."""
    lost: dict[tuple[str, str], list[str]] = defaultdict(list)
    for stray in found:
        lost[stray.entry, stray.found].append(stray.text)
    count = Counter({pair: len(texts) for pair, texts in lost.items()})
    pairs = [(one, other) for one, other in lost if one < other]
    return {
        (one, other): (lost[one, other], lost[other, one])
        for one, other in sorted(pairs)
        if min(count[one, other], count[other, one]) >= ROBBED
    }
