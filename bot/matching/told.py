"""What people told, and what only sounds like it: labelled sentences, from which a linear model learns the difference.

A text is the words in it, their beginnings, and what kinds of words stand near each other ("somebody of mine" before
"hits"): so what was learnt from one sentence is found in others, in every language whose words have the same kinds.
"""

import re
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from math import exp, sqrt
from random import Random
from typing import Annotated, Self
from zlib import crc32

from pydantic import Field, StringConstraints

from bot.library.check import Found
from bot.library.load import Kind
from bot.library.shape import Entry, Phrase, Words
from bot.matching.spelled import END, spelled
from bot.talk.words import LONGEST

Name = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$")]
WordList = Annotated[str, Words(typed=True), StringConstraints(min_length=1)]

NEAR = 6  # so many words apart two kinds of words still belong together
BEGIN = 4  # letters that stand for a word's other forms
ROUNDS = 4
SIZE = 2**17  # numbers of features
STEP = 0.1
CERTAIN = 4.0  # what is weighed so clearly teaches nothing more
CLAUSE = 1.0  # a part of a text must say it so much more clearly than a whole text
LEAST_WORDS = 3
NEVER = -9.0
MOST_CLAUSES = 40
_CLAUSES = re.compile(r"[.!?;:,\n—–…()\"«»]+")


class Told(Entry):
    """`care/examples/<language>.yaml`: what people tell who were hurt or are in danger, and what others say."""

    kinds: dict[Name, WordList] = Field({}, description="Kinds of words by name; the names are the same everywhere")
    danger: dict[Name, list[Phrase]] = Field({}, description="By topic: danger and disclosures; they lead to /safe")
    hurt: dict[Name, list[Phrase]] = Field({}, description="By topic: something was done to somebody: support")
    neither: dict[Name, list[Phrase]] = Field({}, description="By topic: rumours, questions, idioms, everyday words")


def check(told: Told) -> Iterator[Found]:
    """Yield words of a kind that are no single word."""
    for name, words in told.kinds.items():
        for word in words.split():
            if len(spelled(word.strip("*"))) != 1:
                yield ("kinds", name), f"'{word}' is not one word", "write letters, * at the end or the beginning"


TOLD = Kind("told", "care/examples", Told, check, translated=False)


def _words(text: str) -> list[str]:
    """Return the words of `text`, and the ends of sentences between them, each once."""
    found = spelled(text)
    return [word for word, after in zip(found, [*found[1:], END], strict=False) if word != END or after != END]


class Kinds:
    """Which kinds of words a word is, in all languages at once."""

    def __init__(self, named: tuple[tuple[str, str], ...]) -> None:
        self.named = named
        self._whole: dict[str, set[str]] = {}
        self._begins: dict[str, set[str]] = {}
        self._ends: dict[str, set[str]] = {}
        self._known: dict[str, tuple[str, ...]] = {}
        for name, words in named:
            for word in words.split():
                self._add(word, f"#{name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kinds) and self.named == other.named

    def __hash__(self) -> int:
        return hash(self.named)

    def _add(self, word: str, kind: str) -> None:
        where = self._begins if word.endswith("*") else self._ends if word.startswith("*") else self._whole
        for token in spelled(word.strip("*")):
            where.setdefault(token, set()).add(kind)

    def of(self, word: str) -> tuple[str, ...]:
        """Return the kinds of `word`."""
        found = self._known.get(word)
        return self._find(word) if found is None else found

    def _find(self, word: str) -> tuple[str, ...]:
        kinds = set(self._whole.get(word, ()))
        for length in range(1, min(len(word), 20) + 1):
            kinds |= self._begins.get(word[:length], set()) | self._ends.get(word[-length:], set())
        return tuple(sorted(kinds))

    def remember(self, words: Iterable[str]) -> None:
        """Keep the kinds of `words` at hand; nothing that is typed later is kept."""
        self._known = {word: self._find(word) for word in words}

    def features(self, words: Sequence[str]) -> "array[int]":
        """Return the numbers of what a text of `words` is made of, each once; a few features share a number."""
        row = ["^", *words, "$"]
        codes = [crc32(word.encode()) for word in row]
        kinds = [[crc32(kind.encode()) for kind in self.of(word)] for word in row]
        found = set(codes)
        found.update(crc32(word[:BEGIN].encode(), 1) for word in row if len(word) > BEGIN)
        found.update(one * 3 + two for one, two in pairwise(codes))
        found.update(one * 5 + two for one, two in zip(codes, codes[2:], strict=False))
        for place, own in enumerate(kinds):
            found.update(own)
            found.update(one * 7 + codes[place] for one in kinds[place - 1] if place)
            found.update(codes[place - 1] * 9 + kind for kind in own if place)
            found.update(
                one * 11 + kind for near in kinds[max(0, place - NEAR) : place] for one in near for kind in own
            )
        return array("I", sorted({feature % SIZE for feature in found}))


class Scale:
    """Weighs features: above 0 for the one, below for the other. The last weight is for whatever the text."""

    def __init__(self, weights: "array[float]") -> None:
        self._weights = weights

    @classmethod
    def learnt(cls, rows: Sequence[Sequence[int]], answers: Sequence[bool]) -> Self:
        """Return what tells the rows apart, by logistic regression, each weight with a step of its own (AdaGrad)."""
        scale = cls(array("d", bytes(8 * (SIZE + 1))))
        steepness = array("d", [1.0]) * SIZE
        chance, order = Random(1), list(range(len(rows)))
        for _ in range(ROUNDS):
            chance.shuffle(order)
            for number in order:
                row = rows[number]
                weighed = scale.weigh(row)
                margin = weighed if answers[number] else -weighed
                if margin < CERTAIN:
                    miss = 1 / (1 + exp(max(margin, -30)))
                    scale._mend(row, miss if answers[number] else -miss, steepness)
        return cls(array("f", scale._weights))

    def _mend(self, row: Sequence[int], miss: float, steepness: "array[float]") -> None:
        weights, square, step = self._weights, miss * miss, STEP * miss
        weights[SIZE] += step * 0.1
        for place in row:
            steepness[place] += square
            weights[place] += step / sqrt(steepness[place])

    def weigh(self, features: Iterable[int]) -> float:
        """Return how clearly `features` speak for the one."""
        return self._weights[SIZE] + sum(map(self._weights.__getitem__, features))

    def to_bytes(self) -> bytes:
        """Return the weights, to be kept."""
        return self._weights.tobytes()


Recall = Callable[[str, Callable[[], bytes]], bytes]
"""Return what is kept under a name, else make it."""
_LENGTH = 4 * (SIZE + 1)  # bytes of a scale


def _learn(kinds: Kinds, examples: Sequence[tuple[str, str]]) -> bytes:
    """Return what weighs care against the rest, then danger against hurt."""
    read = [_words(text) for text, _ in examples]
    kinds.remember({word for words in read for word in words})
    rows = [kinds.features(words) for words in read]
    kinds.remember(())
    care = Scale.learnt(rows, [sign != "neither" for _, sign in examples])
    grave = [(row, sign == "danger") for row, (_, sign) in zip(rows, examples, strict=True) if sign != "neither"]
    return care.to_bytes() + Scale.learnt([row for row, _ in grave], [danger for _, danger in grave]).to_bytes()


def _name(kinds: Kinds, examples: Sequence[tuple[str, str]]) -> str:
    """Return a name that changes with all that is learnt from, and how."""
    how = (NEAR, BEGIN, ROUNDS, SIZE, STEP, CERTAIN, sys.byteorder)
    return f"learnt-{sha256(repr((how, kinds.named, examples)).encode()).hexdigest()[:32]}"


class Ear:
    """Hears whether somebody tells what happened to them; learns, or recalls it, when it is first asked."""

    def __init__(
        self, told: Iterable[Told], repeated: Iterable[str] = (), recall: Recall = lambda _, make: make()
    ) -> None:
        self._told = tuple(told)
        self._repeated = tuple(repeated)
        self._recall = recall

    @cached_property
    def _kinds(self) -> Kinds:
        return Kinds(tuple((name, words) for told in self._told for name, words in told.kinds.items()))

    @cached_property
    def _scales(self) -> tuple[Scale, Scale]:
        examples = list(self._examples())
        found = self._recall(_name(self._kinds, examples), lambda: _learn(self._kinds, examples))
        if len(found) != 2 * _LENGTH:  # something else lies under that name
            found = _learn(self._kinds, examples)
        return Scale(array("f", found[:_LENGTH])), Scale(array("f", found[_LENGTH:]))

    def _examples(self) -> Iterator[tuple[str, str]]:
        for told in self._told:
            for sign in ("danger", "hurt", "neither"):
                yield from ((text, sign) for texts in getattr(told, sign).values() for text in texts)
        yield from ((text, "neither") for text in self._repeated)

    @cached_property
    def _verbatim(self) -> frozenset[str]:
        return frozenset(" ".join(_words(text)) for text in self._repeated)

    def weigh(self, text: str) -> tuple[float, float]:
        """Return how clearly `text` tells of hurt or danger, and how clearly of danger; a clause of it is enough.

        What is repeated word for word is nobody's own story.
        """
        if " ".join(_words(text)) in self._verbatim:
            return NEVER, NEVER
        care, grave = self._scales
        whole = self._kinds.features(_words(text))
        best, best_row = care.weigh(whole), whole
        clauses = [words for part in _CLAUSES.split(text[:LONGEST]) if len(words := _words(part)) >= LEAST_WORDS]
        for words in clauses[:MOST_CLAUSES] if len(clauses) > 1 else ():
            row = self._kinds.features(words)
            if (weighed := care.weigh(row) - CLAUSE) > best:
                best, best_row = weighed, row
        return best, max(grave.weigh(whole), grave.weigh(best_row))
