"""Rank entries for a query by BM25 over stems and concepts, the cosine of character n-grams, and a linear model.

An entry's score is that of its best phrasing plus the mean over all of them, which beats each part alone and rank
fusion; where there are few entries with several phrasings each, a linear model of their terms is added, which beats
all of it alone. Unknown words are first repaired towards the index's own vocabulary.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from heapq import nlargest, nsmallest
from itertools import accumulate, chain, groupby
from math import log, sqrt
from zlib import crc32

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.matching.learnt import Classes, Pace, Recall, Row, learn_anew, name_of
from bot.matching.tongue import Tongue, names_concept

K1, B = 1.2, 0.5  # the usual saturation; half the usual length norm, because phrasings are short by nature
GRAMS = (3, 4)
# N-grams share 2**15 to 2**18 buckets, by how much text there is: a table that stays small blurs only the rarest.
BUCKETS = 15, 18
COMMON, FEW = 0.2, 20  # an n-gram in more than a fifth of the phrasings says little; in few phrasings none is common
SHORTEST_REPAIRED, LONG = (
    5,
    8,
)  # letters: from the first on a slip is forgiven, before it a swap; from the second on two slips
REPAIRS = 4096  # how many repairs are remembered
MEAN = 1.0
LEARNT = 0.4  # what a log odds of the linear model counts beside a score
PACE = Pace(4, 6.0, 0.3)
MOST_WEIGHTS = 1_000_000  # terms times entries: above, the linear model would take long to learn and much memory
POSTINGS = 20_000  # so many are looked at for a query, those of its rarest terms and n-grams first
MANY, NEAREST, NEAR = 2000, 100, 0.3  # of many phrasings the nearest are looked at, if so near the very nearest
VERBATIM = 1.25  # the score of a phrasing that is repeated nearly word for word
UNLIKE = 0.05  # what a phrasing counts that has nothing of the query
SEEN = 0.005  # what adds less is not explained

Weigh = Callable[[Mapping[int, int], Sequence[float]], Iterable[float]]


@dataclass(frozen=True, slots=True)
class Phrasing:
    """One way in which an entry is said; a city's own is called `city/id`, and is about the same as `id`."""

    entry: str
    text: str

    @property
    def about(self) -> str:
        """Return the id without the city."""
        return self.entry.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Match:
    """An entry found, with the phrasing that spoke most for it, and how much that phrasing alone did.

    `denied` says whether a word of that phrasing negates; `negated` is the share (0 to 1) of its phrasings like the
    query of which one does.
    """

    entry: str
    score: float
    phrase: str
    best: float = 0.0
    denied: bool = False
    negated: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much of a query an entry knows: how many of its words, their share of the query's weight (0 to 1).

    `named` says how many of them name a concept, as "police" does and "time" does not.
    """

    words: int
    share: float
    named: int


@dataclass(frozen=True, slots=True)
class Query:
    """A text as one index reads it: what its words say, unit by unit, and the text that its n-grams are cut from."""

    words: list[str]
    units: list[tuple[str, ...]]
    text: str
    repaired: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fold:
    """An index as if some of its phrasings, by number, were not there."""

    left: frozenset[int]
    classes: Classes | None


@dataclass(frozen=True, slots=True)
class Part:
    """What one word, concept or n-gram adds to an entry's score, and by what: a phrasing, or all that was learnt."""

    what: str
    by: str
    adds: float


class Rows:
    """Which phrasings hold a term or n-gram and what it weighs there: a row for each, laid end to end in arrays.

    Arrays hold a posting in 6 or 8 bytes, dicts of lists of tuples in more than 100. Phrasings that are about the same
    stand together; what few entries hold weighs most, however often each of them says it.
    """

    def __init__(
        self, texts: Sequence[Sequence[int]], abouts: Sequence[range], size: int, weigh: Weigh, most: float
    ) -> None:
        held = Counter(row for text in texts for row in set(text))
        many = len(abouts) < len(texts)
        entries = (
            Counter(row for about in abouts for row in set(chain(*texts[about.start : about.stop]))) if many else held
        )
        idf = [_idf(n, len(abouts)) for n in range(len(abouts) + 1)]
        self.idf = array("f", (idf[entries[row]] if held[row] <= most else 0.0 for row in range(size)))
        self._starts = array("I", accumulate((held[row] if held[row] <= most else 0 for row in range(size)), initial=0))
        self._numbers = array("H" if len(texts) < 2**16 else "I", [0]) * self._starts[-1]
        self._weights = array("f", [0.0]) * self._starts[-1]
        self._fill(texts, weigh)

    def phrasings(self, row: int) -> "array[int]":
        """Return the numbers of the phrasings that hold `row`."""
        return self._numbers[self._starts[row] : self._starts[row + 1]]

    def add(self, factors: Mapping[int, float], scores: list[float]) -> None:
        """Add what each row weighs in each phrasing, times its factor, to the phrasings' scores.

        The rarest rows come first; those that are left when `POSTINGS` were looked at would hardly change the order.
        """
        looked = 0
        for row in sorted(factors, key=lambda row: self._starts[row + 1] - self._starts[row]):
            start, stop = self._starts[row], self._starts[row + 1]
            looked += stop - start
            if looked > POSTINGS:
                return
            factor = factors[row]
            for number, weight in zip(self._numbers[start:stop], self._weights[start:stop], strict=True):
                scores[number] += weight * factor

    def weight(self, row: int, number: int) -> float:
        """Return what `row` weighs in one phrasing."""
        held = self.phrasings(row)
        return self._weights[self._starts[row] + held.index(number)] if number in held else 0.0

    def _fill(self, texts: Sequence[Sequence[int]], weigh: Weigh) -> None:
        free, ends, numbers, weights = self._starts[:], self._starts[1:], self._numbers, self._weights
        for number, text in enumerate(texts):
            counted = Counter(text)
            for row, weight in zip(counted, weigh(counted, self.idf), strict=True):
                place = free[row]
                if place < ends[row]:
                    numbers[place] = number
                    weights[place] = weight
                    free[row] = place + 1


class Index:
    """The phrasings of one language. Built once; asking changes nothing.

    `needs` gives for some entries concepts: where a query names none of them, the entry is not found, unless one of its
    phrasings is repeated word for word.
    """

    def __init__(
        self,
        phrasings: Iterable[Phrasing],
        tongue: Tongue,
        needs: Mapping[str, Collection[str]] | None = None,
        recall: Recall = learn_anew,
    ) -> None:
        self._tongue = tongue
        self.phrasings = sorted(phrasings, key=lambda phrasing: (phrasing.about, phrasing.entry))
        self._entries = dict(_spans([phrasing.entry for phrasing in self.phrasings]))
        self._abouts = dict(_spans([phrasing.about for phrasing in self.phrasings]))
        bare = [tongue.bare(phrasing.text) for phrasing in self.phrasings]
        words = [tongue.words(text) for text in bare]
        self._known = frozenset(word for found in words for word in found)
        self._vocabulary = _by_use(words, tongue.vocabulary)
        self._negated = array("b", (tongue.negates(phrasing.text) for phrasing in self.phrasings))
        self._repaired = lru_cache(REPAIRS)(self._repair)
        self._rarest = _idf(0, len(self._abouts))
        self._build_terms([tongue.terms(found) for found in words])
        self._build_grams([" ".join(tongue.telling(found)) or text for found, text in zip(words, bare, strict=True)])
        self._classes = self._learn(frozenset(), recall)
        if not self._classes:
            self._texts.clear()  # only learning needs them again
        self._needs = {about: tongue.named(concepts) for about, concepts in (needs or {}).items()}

    def familiar(self, words: Sequence[str]) -> float:
        """Return the share of `words` that this language knows, 0 to 1."""
        return sum(map(self._knows, words)) / (len(words) or 1)

    def read(self, text: str) -> Query:
        """Return `text` as this language reads it, unknown words repaired."""
        bare = self._tongue.bare(text)
        typed = self._tongue.words(bare)
        words = [self._repaired(word) for word in typed]
        repaired = {word: read for word, read in zip(typed, words, strict=True) if word != read}
        return Query(words, self._tongue.units(words), " ".join(self._tongue.telling(words)) or bare, repaired)

    def rank(
        self, query: Query, most: int = 5, may: Callable[[str], bool] | None = None, fold: Fold | None = None
    ) -> list[Match]:
        """Return up to `most` entries, the best first, of those that `may` be found."""
        scores = [0.0] * len(self.phrasings)
        self._terms.add(self._term_factors(query), scores)
        self._grams.add(self._gram_factors(query), scores)
        left = fold.left if fold else frozenset[int]()
        for number in left:
            scores[number] = 0.0
        learnt = self._weigh(query, fold)
        heard = {term for unit in query.units for term in unit}
        found = (self._match(entry, scores, learnt, left) for entry in self._touched(scores, may))
        met = [match for match in found if self._meets(match, heard) or self.repeats(query, match)]
        best = nsmallest(most, met, key=lambda match: (-match.score, match.entry))
        return [replace(match, negated=self._leans(match.entry, scores, left)) for match in best]

    def evidence(self, query: Query, entry: str, fold: Fold | None = None) -> Evidence:
        """Return how much of `query` stands, as word or concept, in any phrasing of `entry`."""
        left = fold.left if fold else frozenset[int]()
        weights = {unit: self._weight(unit[0]) for unit in query.units}
        known = [unit for unit in weights if any(self._holds(entry, term, left) for term in unit)]
        share = sum(weights[unit] for unit in known) / (sum(weights.values()) or 1.0)
        return Evidence(len(known), share, sum(names_concept(unit) for unit in known))

    def repeats(self, query: Query, match: Match) -> bool:
        """Say whether `query` is the phrasing found, word for word."""
        return query.words == self._tongue.words(self._tongue.bare(match.phrase))

    def fold(self, left: Collection[int]) -> Fold:
        """Return this index as if the phrasings of these numbers were not there."""
        return Fold(frozenset(left), self._learn(frozenset(left), learn_anew) if self._classes else None)

    def explain(self, query: Query, match: Match) -> list[Part]:
        """Return what spoke for `match`, the most telling first: words and concepts, n-grams, what was learnt."""
        span = self._entries[match.entry]
        number = next(number for number in span if self.phrasings[number].text == match.phrase)
        terms = {row: factor * self._terms.weight(row, number) for row, factor in self._term_factors(query).items()}
        named = {row: term for term, row in self._rows.items() if row in terms}
        parts = [Part(named[row], "phrasing", adds) for row, adds in terms.items()]
        parts += self._explain_grams(query, number)
        if self._classes:
            place = list(self._abouts).index(self.phrasings[number].about)
            row = self._row({term for unit in query.units for term in unit})
            names = {self._rows[term]: term for term in self._rows if self._rows[term] in row}
            parts += [
                Part(names[row_], "learnt", LEARNT * share * self._classes.weight(row_, place))
                for row_, share in row.items()
            ]
        return sorted((part for part in parts if abs(part.adds) >= SEEN), key=lambda part: -abs(part.adds))

    def _explain_grams(self, query: Query, number: int) -> Iterator[Part]:
        factors = self._gram_factors(query)
        for gram in dict.fromkeys(_grams(query.text)):
            bucket = self._bucket(gram)
            if bucket in factors:
                yield Part(f"\u201c{gram}\u201d", "letters", factors[bucket] * self._grams.weight(bucket, number))

    def _touched(self, scores: Sequence[float], may: Callable[[str], bool] | None) -> Iterable[str]:
        """Return the entries whose phrasings are worth a closer look."""
        if may:
            spans = (span for entry, span in self._entries.items() if may(entry))
            numbers = [number for span in spans for number in span if scores[number]]
        else:
            numbers = [number for number, score in enumerate(scores) if score]
        if len(numbers) > MANY:
            least = NEAR * max(scores)
            numbers = nlargest(NEAREST, (n for n in numbers if scores[n] >= least), key=scores.__getitem__)
        return dict.fromkeys(self.phrasings[number].entry for number in numbers)

    def _build_terms(self, texts: Sequence[Sequence[str]]) -> None:
        names = dict.fromkeys(term for text in texts for term in text)
        self._rows = {term: row for row, term in enumerate(names)}
        mean = sum(map(len, texts)) / (len(texts) or 1) or 1.0
        self._texts: list[array[int]] = [array("I", (self._rows[term] for term in text)) for text in texts]
        spans = list(self._abouts.values())
        self._terms = Rows(self._texts, spans, len(names), lambda counted, idf: _bm25(counted, idf, mean), len(texts))

    def _build_grams(self, texts: Sequence[str]) -> None:
        fewest, most = BUCKETS
        power = sum(map(len, texts)).bit_length() + 1
        self._mask = (1 << max(fewest, min(power, most))) - 1
        rows = [array("I", map(self._bucket, _grams(text))) for text in texts]
        spans = list(self._abouts.values())
        self._grams = Rows(rows, spans, self._mask + 1, _cosine, max(COMMON * len(texts), FEW))

    def _learn(self, left: frozenset[int], recall: Recall) -> Classes | None:
        """Return what tells entries apart, learnt from their phrasings; None where that would be much or of no use."""
        count, size = len(self._abouts), len(self._rows)
        if count < 2 or count * size > MOST_WEIGHTS or len(self.phrasings) < 2 * count:
            return None
        kept = [(n, place) for place, span in enumerate(self._abouts.values()) for n in span if n not in left]
        names = list(self._rows)
        rows = [self._row({names[row] for row in self._texts[number]}) for number, _ in kept]
        answers = [place for _, place in kept]

        def learn() -> Classes:
            return Classes.learnt(rows, answers, count, size, PACE)

        return Classes.recalled(recall, name_of(PACE, rows, answers), count, size, learn)

    def _row(self, terms: Collection[str]) -> Row:
        """Return the weights of `terms` as parts of a text of length 1; of those that no phrasing holds, the length."""
        weights = {term: self._weight(term) for term in sorted(terms)}
        length = sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {self._rows[term]: weight / length for term, weight in weights.items() if term in self._rows}

    def _weigh(self, query: Query, fold: Fold | None) -> Mapping[str, float]:
        classes = fold.classes if fold else self._classes
        if not classes:
            return {}
        found = classes.weigh(self._row({term for unit in query.units for term in unit}))
        return dict(zip(self._abouts, found, strict=True))

    def _term_factors(self, query: Query) -> Mapping[int, float]:
        terms = {term for unit in query.units for term in unit}
        ideal = sum(map(self._weight, terms)) * (K1 + 1) / 2 or 1.0
        return {self._rows[term]: 1 / ideal for term in sorted(terms & self._rows.keys())}

    def _gram_factors(self, query: Query) -> Mapping[int, float]:
        counted = Counter(map(self._bucket, _grams(query.text)))
        return dict(zip(counted, _cosine(counted, self._grams.idf), strict=True))

    def _match(self, entry: str, scores: Sequence[float], learnt: Mapping[str, float], left: frozenset[int]) -> Match:
        span = self._entries[entry]
        best = max(span, key=scores.__getitem__)
        mean = sum(scores[span.start : span.stop]) / max(1, len(span) - sum(number in span for number in left))
        more = LEARNT * learnt.get(self.phrasings[best].about, 0.0)
        denied = bool(self._negated[best])
        return Match(entry, scores[best] + MEAN * mean + more, self.phrasings[best].text, scores[best], denied)

    def _leans(self, entry: str, scores: Sequence[float], left: frozenset[int]) -> float:
        """Return the share of an entry's phrasings in which a word negates; those like the query count most."""
        counted = [
            (scores[number] + UNLIKE, self._negated[number]) for number in self._entries[entry] if number not in left
        ]
        return sum(weight * negated for weight, negated in counted) / sum(weight for weight, _ in counted)

    def _meets(self, match: Match, heard: Collection[str]) -> bool:
        needed = self._needs.get(match.entry.rpartition("/")[2])
        return not needed or not needed.isdisjoint(heard)

    def _weight(self, term: str) -> float:
        row = self._rows.get(term)
        return self._rarest if row is None else self._terms.idf[row]

    def _holds(self, entry: str, term: str, left: frozenset[int]) -> bool:
        row, span = self._rows.get(term), self._entries[entry]
        return row is not None and any(n in span and n not in left for n in self._terms.phrasings(row))

    def _bucket(self, gram: str) -> int:
        return crc32(gram.encode()) & self._mask

    def _knows(self, word: str) -> bool:
        return word in self._known or self._tongue.knows(word) or self._tongue.stem(word) in self._rows

    def _repair(self, word: str) -> str:
        if len(word) < SHORTEST_REPAIRED - 1 or self._knows(word) or word in self._tongue.vocabulary:
            return word
        if len(word) < SHORTEST_REPAIRED:
            return next(filter(self._known.__contains__, _swapped(word)), word)
        slips = 2 if len(word) >= LONG else 1
        found = process.extractOne(word, self._vocabulary, scorer=OSA.distance, score_cutoff=slips)
        return found[0] if found else word


def _swapped(word: str) -> Iterator[str]:
    """Yield `word` with two neighbouring letters swapped."""
    return (word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1))


def _by_use(texts: Sequence[Sequence[str]], more: Collection[str]) -> list[str]:
    """Return the words that a slip may be repaired to, the most used first."""
    used = Counter(word for words in texts for word in words)
    used.update(dict.fromkeys(sorted(more), 0))
    return [word for word, _ in used.most_common() if len(word) >= SHORTEST_REPAIRED - 1]


def _spans(entries: Sequence[str]) -> Iterator[tuple[str, range]]:
    for entry, numbers in groupby(range(len(entries)), key=entries.__getitem__):
        own = list(numbers)
        yield entry, range(own[0], own[-1] + 1)


def _grams(text: str) -> Iterator[str]:
    """Yield the character n-grams of `text`, its borders marked, so that endings count."""
    padded = f" {text} "
    return (padded[i : i + size] for size in GRAMS for i in range(len(padded) - size + 1))


def _idf(n: int, count: int) -> float:
    return log(1 + (count - n + 0.5) / (n + 0.5))


def _bm25(counted: Mapping[int, int], idf: Sequence[float], mean: float) -> Iterator[float]:
    norm = K1 * (1 - B + B * sum(counted.values()) / mean)
    return (idf[row] * count * (K1 + 1) / (count + norm) for row, count in counted.items())


def _cosine(counted: Mapping[int, int], idf: Sequence[float]) -> Iterator[float]:
    weights = [count * idf[row] for row, count in counted.items()]
    length = sqrt(sum(weight * weight for weight in weights)) or 1.0
    return (weight / length for weight in weights)
