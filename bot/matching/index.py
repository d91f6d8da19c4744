"""Rank entries for a query: BM25 over stems and concepts, plus the cosine of character n-grams.

An entry's score is that of its best phrasing plus half the mean over all of them; measured, this beats each part alone
and rank fusion. Unknown words are first repaired towards the index's own vocabulary.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log, sqrt

from rapidfuzz import fuzz, process

from bot.matching.tongue import Tongue

K1, B = 1.2, 0.5  # the usual saturation; half the usual length norm, because phrasings are short by nature
GRAMS = (3, 4, 5)
SHORTEST_REPAIRED = 4
REPAIR = 80  # of 100: how like a known word an unknown one must be to be read as it
MEAN = 0.5


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
    """How much of a query an entry knows: how many of its words, and their share of the query's weight (0 to 1)."""

    words: int
    share: float


class Index:
    """The phrasings of one language. Built once; asking changes nothing."""

    def __init__(self, phrasings: Sequence[Phrasing], tongue: Tongue) -> None:
        self._tongue = tongue
        self.phrasings = phrasings
        bare = [tongue.bare(phrasing.text) for phrasing in phrasings]
        words = [tongue.words(text) for text in bare]
        terms = [Counter(tongue.terms(found)) for found in words]
        self._vocabulary = sorted({word for found in words for word in found if len(word) >= SHORTEST_REPAIRED})
        self._known = frozenset(word for found in words for word in found)
        self._of_entry = Counter(phrasing.entry for phrasing in phrasings)
        self._idf = _idf(terms, len(phrasings))
        self._postings = _bm25(terms, self._idf)
        self._terms_of: dict[str, set[str]] = defaultdict(set)
        for phrasing, counted in zip(phrasings, terms, strict=True):
            self._terms_of[phrasing.entry].update(counted)
        grams = [Counter(_grams(text)) for text in bare]
        self._gram_idf = _idf(grams, len(phrasings))
        self._gram_postings = _cosine(grams, self._gram_idf)

    def rank(self, query: str, most: int = 5, without: frozenset[int] = frozenset()) -> list[Match]:
        """Return up to `most` entries, the best first; `without` leaves phrasings out by number."""
        scores = self._scores(query)
        best: dict[str, tuple[float, int]] = {}
        total: dict[str, float] = defaultdict(float)
        left_out = Counter(self.phrasings[number].entry for number in without)
        for number, score in scores.items():
            if number in without:
                continue
            entry = self.phrasings[number].entry
            total[entry] += score
            if score > best.get(entry, (0.0, 0))[0]:
                best[entry] = (score, number)
        matches = [
            Match(
                entry,
                score + MEAN * total[entry] / (self._of_entry[entry] - left_out[entry]),
                self.phrasings[number].text,
            )
            for entry, (score, number) in best.items()
        ]
        return sorted(matches, key=lambda match: (-match.score, match.entry))[:most]

    def evidence(self, query: str, entry: str) -> Evidence:
        """Return how much of `query` stands, as word or concept, in any phrasing of `entry`."""
        words = [self._repaired(word) for word in self._tongue.words(self._tongue.bare(query))]
        weights = {unit: self._idf.get(unit[0], self._rarest) for unit in self._tongue.units(words)}
        known = [unit for unit in weights if self._terms_of[entry].intersection(unit)]
        return Evidence(len(known), sum(weights[unit] for unit in known) / (sum(weights.values()) or 1.0))

    def _scores(self, query: str) -> dict[int, float]:
        bare = self._tongue.bare(query)
        words = [self._repaired(word) for word in self._tongue.words(bare)]
        scores: dict[int, float] = defaultdict(float)
        terms = Counter(self._tongue.terms(words))
        ideal = sum(self._idf.get(term, self._rarest) for term in terms) * (K1 + 1) / 2 or 1.0
        for term in terms:
            for number, weight in self._postings.get(term, ()):
                scores[number] += weight / ideal
        grams = Counter(_grams(" ".join(self._tongue.telling(words)) or bare))
        weights = {gram: count * self._gram_idf.get(gram, self._rarest) for gram, count in grams.items()}
        length = sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        for gram, weight in weights.items():
            for number, other in self._gram_postings.get(gram, ()):
                scores[number] += weight * other / length
        return scores

    @property
    def _rarest(self) -> float:
        return log(1 + 2 * len(self.phrasings))

    def _repaired(self, word: str) -> str:
        if word in self._known or len(word) < SHORTEST_REPAIRED:
            return word
        found = process.extractOne(word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=REPAIR)
        return found[0] if found else word


def _idf(texts: Sequence[Counter[str]], count: int) -> dict[str, float]:
    holding = Counter(term for text in texts for term in text)
    return {term: log(1 + (count - n + 0.5) / (n + 0.5)) for term, n in holding.items()}


def _bm25(texts: Sequence[Counter[str]], idf: dict[str, float]) -> dict[str, list[tuple[int, float]]]:
    mean = sum(text.total() for text in texts) / (len(texts) or 1) or 1.0
    postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for number, text in enumerate(texts):
        norm = K1 * (1 - B + B * text.total() / mean)
        for term, count in text.items():
            postings[term].append((number, idf[term] * count * (K1 + 1) / (count + norm)))
    return postings


def _cosine(texts: Sequence[Counter[str]], idf: dict[str, float]) -> dict[str, list[tuple[int, float]]]:
    postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for number, text in enumerate(texts):
        weights = {gram: count * idf[gram] for gram, count in text.items()}
        length = sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        for gram, weight in weights.items():
            postings[gram].append((number, weight / length))
    return postings


def _grams(text: str) -> Iterable[str]:
    """Yield the character n-grams of each word, its borders marked, so that endings and compounds count."""
    padded = f" {text} "
    return (padded[i : i + size] for size in GRAMS for i in range(len(padded) - size + 1))
