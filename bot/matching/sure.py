"""How sure it is that the first entry found is meant: fitted on the library itself, in all its languages together.

Each phrasing is asked once with itself left out (known) and once with its whole entry left out (near, but unknown);
a language's own examples of what is no rumour are asked too. So the confidence follows the content: nobody sets it.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from zlib import crc32

from bot.matching.index import Evidence, Fold, Index, Match, Phrasing
from bot.matching.learnt import Odds, Recall, fitted, learn_anew, name_of
from bot.matching.sound import Sort, Sound, examples, lean
from bot.matching.tongue import Tongue

SIGNS = ("score", "lead", "named", "rumour", "turned")  # of many that were tried, those that carry over
STANCES = ("denied", "unsaid", "opposite", "turn")
# What is typed that no entry answers: some of it is near one, most is nothing of the kind.
MASS: Mapping[str, float] = {"known": 1.0, "gone": 0.3, "service": 0.4, "other": 0.4}
# One wrong "you say the opposite" hurts as much as so many rightly said help.
OPPOSITES = 0.1
FOLDS = 3
SAMPLE = 180  # phrasings of a language that are asked: more of them teach no more


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of a text and of the first entry found for it: signs of both, and of what is said of it.

    `signs` are in the order of `SIGNS`, `stance` in that of `STANCES`; `whole` says that the text is no mere piece of
    the phrasing found.
    """

    signs: tuple[float, ...]
    stance: tuple[float, ...]
    sorts: Mapping[Sort, float]
    evidence: Evidence
    denied: bool
    repeated: bool
    whole: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """One language: what ranks, how it is typed, what kind of sentence something is."""

    index: Index
    tongue: Tongue
    sound: Sound


def listen(reader: Reader, text: str, found: Sequence[Match], fold: Fold | None = None) -> Heard:
    """Return the signs of `text` for the matches found, of which there is at least one."""
    first, tongue = found[0], reader.tongue
    query = reader.index.read(text)
    evidence = reader.index.evidence(query, first.entry, fold)
    sorts = reader.sound.of(text)
    denied, negated = tongue.negates(text), first.negated
    turned = 1 - negated if denied else negated
    lead = first.score - found[1].score if len(found) > 1 else first.score
    rumour = lean(sorts, "rumour", ("service", "other", "opposite"))
    return Heard(
        (first.score, lead, evidence.named, rumour, turned),
        (turned * denied, turned * (not denied), lean(sorts, "opposite", ("rumour",)), float(tongue.denies(text))),
        sorts,
        evidence,
        denied,
        reader.index.repeats(query, first),
        3 * len(query.units) >= 2 * len(reader.index.read(first.phrase).units),
    )


@dataclass(frozen=True, slots=True)
class Judge:
    """How likely the first entry is meant, and how likely the opposite of it is said."""

    right: Odds
    opposite: Odds

    def to_bytes(self) -> bytes:
        """Return the numbers, to be kept."""
        return json.dumps([[odds.bias, *odds.weights] for odds in (self.right, self.opposite)]).encode()

    @classmethod
    def of_bytes(cls, kept: bytes) -> "Judge":
        """Return what `to_bytes` made."""
        right, opposite = (Odds(bias, tuple(weights)) for bias, *weights in json.loads(kept))
        return cls(right, opposite)


NOBODY = Judge(Odds(-4.0, (0.5, 0.6, 1.0, 0.6, 0.0)), Odds(-2.0, (2.0, 2.0, 0.6, 2.5)))
"""What judges where a library has nothing to learn from; near what most libraries teach."""


def judge(readers: Sequence[Reader], recall: Recall = learn_anew) -> Judge:
    """Return what judges texts, learnt from the phrasings and examples of all `readers`, or recalled."""
    texts = [(phrasing.entry, phrasing.text) for reader in readers for phrasing in reader.index.phrasings]
    said = [list(examples(reader.tongue)) for reader in readers]
    name = name_of(_code(), SIGNS, STANCES, MASS, OPPOSITES, FOLDS, SAMPLE, texts, said)
    return Judge.of_bytes(recall(name, lambda: _learn(readers).to_bytes()))


def _code() -> str:
    """Return what changes with this code: other code may give the same sentences other signs."""
    return crc32(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))).to_bytes(4).hex()


@dataclass(frozen=True, slots=True)
class _Case:
    kind: str
    heard: Heard
    right: bool


def _learn(readers: Sequence[Reader]) -> Judge:
    cases = [case for reader in readers for case in _cases(reader)]
    asked = [case for case in cases if case.kind in MASS]
    held = Counter(case.kind for case in asked)
    if not any(case.right for case in asked) or all(case.right for case in asked):
        return NOBODY
    mass = [MASS[case.kind] / held[case.kind] for case in asked]
    right = fitted([case.heard.signs for case in asked], [case.right for case in asked], mass)
    stances = [case for case in cases if case.kind in ("known", "opposite")]
    turned = [case.kind == "opposite" for case in stances]
    if not any(turned):
        return Judge(right, NOBODY.opposite)
    count = Counter(turned)
    mass = [OPPOSITES / count[True] if opposite else 1 / count[False] for opposite in turned]
    return Judge(right, fitted([case.heard.stance for case in stances], turned, mass))


def _cases(reader: Reader) -> Iterator[_Case]:
    """Yield what a language's own sentences teach, each asked as if it were not there."""
    index, tongue, phrasings = reader.index, reader.tongue, reader.index.phrasings
    sample = sorted(Random(1).sample(range(len(phrasings)), min(SAMPLE, len(phrasings))))
    abouts = sorted({phrasings[number].about for number in sample})
    said = list(examples(tongue))
    readers = [Reader(index, tongue, _deaf(reader, part, said[part::FOLDS])) for part in range(FOLDS)]
    for part, own in enumerate(readers):
        fold = index.fold([number for number in range(len(phrasings)) if number % FOLDS == part])
        for number in sample:
            if number in fold.left:
                yield from _case(own, fold, "known", phrasings[number])
        for sort, text in said[part::FOLDS]:
            yield from _case(own, fold, sort, Phrasing("", text))
        away = set(abouts[part::FOLDS])
        fold = index.fold([number for number, phrasing in enumerate(phrasings) if phrasing.about in away])
        for number in sample:
            if number in fold.left:
                yield from _case(readers[number % FOLDS], fold, "gone", phrasings[number])


def _deaf(reader: Reader, part: int, said: Sequence[tuple[Sort, str]]) -> Sound:
    """Return what hears a language without a part of its phrasings and without these sentences `said`."""
    rumours = [phrasing.text for number, phrasing in enumerate(reader.index.phrasings) if number % FOLDS != part]
    return Sound(reader.tongue, rumours, {text for _, text in said})


def _case(reader: Reader, fold: Fold, kind: str, said: Phrasing) -> Iterator[_Case]:
    found = reader.index.rank(reader.index.read(said.text), 2, fold=fold)
    if found:
        right = kind == "known" and found[0].entry.rpartition("/")[2] == said.about
        yield _Case(kind, listen(reader, said.text, found, fold), right)
