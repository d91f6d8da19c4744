"""What kind of sentence a text is, by how it is put: a rumour, a question about a service, the opposite, neither."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import log, sqrt
from typing import Literal, get_args
from zlib import crc32

from bot.matching.learnt import Classes, Pace, Recall, Row, learn_anew, likelihoods, name_of
from bot.matching.tongue import Tongue

Sort = Literal["rumour", "service", "other", "opposite"]
SORTS: tuple[Sort, ...] = get_args(Sort)
PACE = Pace(5, 3.0, 0.5)
SIZE = 2**14  # numbers of features; a few share one
RARE = 0.001  # the least likelihood that is told apart
ALIKE = dict.fromkeys(SORTS, 0.25)  # where a language has no examples, nothing is known


class Sound:
    """Hears what kind of sentence a text is; learnt from a language's own examples and its rumours."""

    def __init__(
        self, tongue: Tongue, rumours: Sequence[str], but: Collection[str] = (), recall: Recall = learn_anew
    ) -> None:
        self._tongue = tongue
        self._recall = recall
        said = {"rumour": rumours, **tongue.examples}
        pairs = [(SORTS.index(sort), text) for sort in SORTS for text in said[sort] if text not in but]
        self._known = all(any(place == number for place, _ in pairs) for number in range(len(SORTS)))
        if self._known:
            self._classes = self._learn(pairs)

    def of(self, text: str) -> Mapping[Sort, float]:
        """Return how likely each kind is, together 1."""
        if not self._known:
            return ALIKE
        odds = likelihoods(self._classes.weigh(self._row(text)))
        return dict(zip(SORTS, odds, strict=True))

    def _learn(self, pairs: Sequence[tuple[int, str]]) -> Classes:
        rows, answers = [self._row(text) for _, text in pairs], [place for place, _ in pairs]
        # What has few examples matters more than its share, less than an equal part.
        mass = [sqrt(len(pairs) / len(SORTS) / answers.count(place)) for place in range(len(SORTS))]
        count = len(SORTS)

        def learn() -> Classes:
            return Classes.learnt(rows, answers, count, SIZE, PACE, mass)

        return Classes.recalled(self._recall, name_of(PACE, rows, answers, mass), count, SIZE, learn)

    def _row(self, text: str) -> Row:
        shape = self._tongue.shape(self._tongue.words(self._tongue.bare(text)))
        found = sorted({crc32(part.encode()) % SIZE for part in shape})
        return dict.fromkeys(found, 1 / sqrt(len(found)))


def lean(odds: Mapping[Sort, float], one: Sort, others: Sequence[Sort]) -> float:
    """Return by how much `one` is likelier than `others` together, as log odds."""
    return log(odds[one] + RARE) - log(sum(odds[other] for other in others) + RARE)


def examples(tongue: Tongue) -> Iterator[tuple[Sort, str]]:
    """Yield a language's sentences that are no rumours."""
    for sort in SORTS[1:]:
        yield from ((sort, text) for text in tongue.examples[sort])
