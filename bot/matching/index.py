"""Rank entries for a query: BM25 over stems and concepts, plus the cosine of character n-grams.

An entry's score is that of its best phrasing plus half the mean over all of them; measured, this beats each part alone
and rank fusion. Unknown words are first repaired towards the index's own vocabulary.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, groupby
from math import log, sqrt
from zlib import crc32

from rapidfuzz import fuzz, process

from bot.matching.tongue import Tongue, names_concept

K1, B = 1.2, 0.5  # the usual saturation; half the usual length norm, because phrasings are short by nature
GRAMS = (3, 4, 5)
# N-grams share 2**16 to 2**18 buckets, by how much text there is: a table that stays small blurs only the rarest.
BUCKETS = 16, 18
COMMON, FEW = 0.2, 20  # an n-gram in more than a fifth of the phrasings says little; in few phrasings none is common
SHORTEST_REPAIRED = 4
REPAIR = 80  # of 100: how like a known word an unknown one must be to be read as it
REPAIRS = 4096  # how many repairs are remembered
MEAN = 0.5

Weigh = Callable[[Mapping[int, int], Sequence[float]], Iterable[float]]


@dataclass(frozen=True, slots=True)
class Phrasing:
    """One way in which an entry is said."""

    entry: str
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    """An entry found, with the phrasing that spoke most for it."""

    entry: str
    score: float
    phrase: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much of a query an entry knows: how many of its words, their share of the query's weight (0 to 1).

    `named` says whether any of them names a concept, as "police" does and "time" does not.
    """

    words: int
    share: float
    named: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A text as one index reads it: what its words say, unit by unit, and the text that its n-grams are cut from."""

    units: list[tuple[str, ...]]
    text: str


class Rows:
    """Which phrasings hold a term or n-gram and what it weighs there: a row for each, laid end to end in arrays.

    Arrays hold a posting in 6 or 8 bytes, dicts of lists of tuples in more than 100.
    """

    def __init__(self, texts: Sequence[Sequence[int]], size: int, weigh: Weigh, most: float) -> None:
        held = Counter(row for text in texts for row in set(text))
        idf = [_idf(n, len(texts)) if n <= most else 0.0 for n in range(len(texts) + 1)]
        self.idf = array("f", (idf[held[row]] for row in range(size)))
        self._starts = array("I", accumulate((held[row] if held[row] <= most else 0 for row in range(size)), initial=0))
        self._numbers = array("H" if len(texts) < 2**16 else "I", [0]) * self._starts[-1]
        self._weights = array("f", [0.0]) * self._starts[-1]
        self._fill(texts, weigh)

    def phrasings(self, row: int) -> "array[int]":
        """Return the numbers of the phrasings that hold `row`."""
        return self._numbers[self._starts[row] : self._starts[row + 1]]

    def add(self, row: int, factor: float, scores: list[float]) -> None:
        """Add what `row` weighs in each phrasing, times `factor`, to the phrasings' scores."""
        start, stop = self._starts[row], self._starts[row + 1]
        for number, weight in zip(self._numbers[start:stop], self._weights[start:stop], strict=True):
            scores[number] += weight * factor

    def _fill(self, texts: Sequence[Sequence[int]], weigh: Weigh) -> None:
        free = self._starts[:]
        for number, text in enumerate(texts):
            counted = Counter(text)
            for row, weight in zip(counted, weigh(counted, self.idf), strict=True):
                if self.idf[row]:
                    self._numbers[free[row]] = number
                    self._weights[free[row]] = weight
                    free[row] += 1


class Index:
    """The phrasings of one language. Built once; asking changes nothing."""

    def __init__(self, phrasings: Iterable[Phrasing], tongue: Tongue) -> None:
        self._tongue = tongue
        self.phrasings = sorted(phrasings, key=lambda phrasing: phrasing.entry)
        self._entries = dict(_spans([phrasing.entry for phrasing in self.phrasings]))
        bare = [tongue.bare(phrasing.text) for phrasing in self.phrasings]
        words = [tongue.words(text) for text in bare]
        self._known = frozenset(word for found in words for word in found)
        self._vocabulary = sorted(word for word in self._known if len(word) >= SHORTEST_REPAIRED)
        self._repaired = lru_cache(REPAIRS)(self._repair)
        self._rarest = _idf(0, len(self.phrasings))
        self._build_terms([tongue.terms(found) for found in words])
        self._build_grams(bare)

    def familiar(self, words: Sequence[str]) -> float:
        """Return the share of `words` that this language knows, 0 to 1."""
        return sum(map(self._knows, words)) / (len(words) or 1)

    def read(self, text: str) -> Query:
        """Return `text` as this language reads it, unknown words repaired."""
        bare = self._tongue.bare(text)
        words = [self._repaired(word) for word in self._tongue.words(bare)]
        return Query(self._tongue.units(words), " ".join(self._tongue.telling(words)) or bare)

    def rank(self, query: Query, most: int = 5, may: Callable[[str], bool] | None = None) -> list[Match]:
        """Return up to `most` entries, the best first, of those that `may` be found."""
        scores = [0.0] * len(self.phrasings)
        self._score_terms(query, scores)
        self._score_grams(query, scores)
        entries = filter(may, self._entries) if may else self._entries
        matches = (self._match(entry, scores) for entry in entries)
        found = [match for match in matches if match.score]
        return sorted(found, key=lambda match: (-match.score, match.entry))[:most]

    def evidence(self, query: Query, entry: str) -> Evidence:
        """Return how much of `query` stands, as word or concept, in any phrasing of `entry`."""
        weights = {unit: self._weight(unit[0]) for unit in query.units}
        known = [unit for unit in weights if any(self._holds(entry, term) for term in unit)]
        share = sum(weights[unit] for unit in known) / (sum(weights.values()) or 1.0)
        return Evidence(len(known), share, any(names_concept(unit) for unit in known))

    def _build_terms(self, texts: Sequence[Sequence[str]]) -> None:
        names = dict.fromkeys(term for text in texts for term in text)
        self._rows = {term: row for row, term in enumerate(names)}
        mean = sum(map(len, texts)) / (len(texts) or 1) or 1.0
        rows = [array("I", (self._rows[term] for term in text)) for text in texts]
        self._terms = Rows(rows, len(names), lambda counted, idf: _bm25(counted, idf, mean), len(texts))

    def _build_grams(self, texts: Sequence[str]) -> None:
        fewest, most = BUCKETS
        power = sum(map(len, texts)).bit_length() + 1
        self._mask = (1 << max(fewest, min(power, most))) - 1
        rows = [array("I", self._buckets(text)) for text in texts]
        self._grams = Rows(rows, self._mask + 1, _cosine, max(COMMON * len(texts), FEW))

    def _score_terms(self, query: Query, scores: list[float]) -> None:
        terms = {term for unit in query.units for term in unit}
        ideal = sum(map(self._weight, terms)) * (K1 + 1) / 2 or 1.0
        for term in sorted(terms & self._rows.keys()):
            self._terms.add(self._rows[term], 1 / ideal, scores)

    def _score_grams(self, query: Query, scores: list[float]) -> None:
        counted = Counter(self._buckets(query.text))
        for bucket, factor in zip(counted, _cosine(counted, self._grams.idf), strict=True):
            self._grams.add(bucket, factor, scores)

    def _match(self, entry: str, scores: Sequence[float]) -> Match:
        span = self._entries[entry]
        own = scores[span.start : span.stop]
        best = max(own)
        return Match(entry, best + MEAN * sum(own) / len(own), self.phrasings[span.start + own.index(best)].text)

    def _weight(self, term: str) -> float:
        row = self._rows.get(term)
        return self._rarest if row is None else self._terms.idf[row]

    def _holds(self, entry: str, term: str) -> bool:
        row, span = self._rows.get(term), self._entries[entry]
        return row is not None and any(number in span for number in self._terms.phrasings(row))

    def _buckets(self, text: str) -> Iterator[int]:
        """Yield a bucket for each character n-gram of `text`, its borders marked, so that endings count."""
        padded = f" {text} "
        grams = (padded[i : i + size] for size in GRAMS for i in range(len(padded) - size + 1))
        return (crc32(gram.encode()) & self._mask for gram in grams)

    def _knows(self, word: str) -> bool:
        return word in self._known or self._tongue.knows(word)

    def _repair(self, word: str) -> str:
        if len(word) < SHORTEST_REPAIRED or self._knows(word):
            return word
        found = process.extractOne(word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=REPAIR)
        return found[0] if found else word


def _spans(entries: Sequence[str]) -> Iterator[tuple[str, range]]:
    for entry, numbers in groupby(range(len(entries)), key=entries.__getitem__):
        own = list(numbers)
        yield entry, range(own[0], own[-1] + 1)


def _idf(n: int, count: int) -> float:
    return log(1 + (count - n + 0.5) / (n + 0.5))


def _bm25(counted: Mapping[int, int], idf: Sequence[float], mean: float) -> Iterator[float]:
    norm = K1 * (1 - B + B * sum(counted.values()) / mean)
    return (idf[row] * count * (K1 + 1) / (count + norm) for row, count in counted.items())


def _cosine(counted: Mapping[int, int], idf: Sequence[float]) -> Iterator[float]:
    weights = [count * idf[row] for row, count in counted.items()]
    length = sqrt(sum(weight * weight for weight in weights)) or 1.0
    return (weight / length for weight in weights)
