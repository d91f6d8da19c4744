"""What is learnt from examples: which class a text belongs to, and how likely something is."""

import sys
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import exp, sqrt
from random import Random
from typing import Self

Row = Mapping[int, float]
"""Feature → how much of it a text has."""


Recall = Callable[[str, Callable[[], bytes]], bytes]
"""Return what is kept under a name, else make it."""


def learn_anew(_: str, make: Callable[[], bytes]) -> bytes:
    """Keep nothing."""
    return make()


def name_of(*inputs: object) -> str:
    """Return a name that changes with all that is learnt from, and how."""
    return f"learnt-{sha256(repr((sys.byteorder, inputs)).encode()).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Pace:
    """How examples are gone through: how often, how far each moves the weights, how fast that slows down."""

    rounds: int
    step: float
    slowing: float


class Classes:
    """Tells classes apart by the features of a text: a multinomial logistic regression."""

    def __init__(self, count: int, weights: "array[float]") -> None:
        self._count = count
        self._weights = weights

    @classmethod
    def learnt(
        cls, rows: Sequence[Row], answers: Sequence[int], count: int, size: int, pace: Pace, mass: Sequence[float] = ()
    ) -> Self:
        """Return what tells `count` classes apart by features below `size`; `mass` says how much each class matters.

        The order of examples is shuffled in the same way each time, so that the same examples teach the same.
        """
        weights = [[0.0] * count for _ in range(size)]
        chance, order = Random(1), list(range(len(rows)))
        for number in range(pace.rounds):
            chance.shuffle(order)
            step = pace.step / (1 + number * pace.slowing)
            for place in order:
                answer = answers[place]
                _mend(weights, rows[place], answer, step * mass[answer] if mass else step)
        return cls(count, array("f", (weight for own in weights for weight in own)))

    @classmethod
    def recalled(cls, recall: "Recall", name: str, count: int, size: int, make: Callable[[], Self]) -> Self:
        """Return what is kept under `name`, else what `make` learns."""

        def learn() -> bytes:
            return make()._weights.tobytes()

        found = recall(name, learn)
        weights = array("f")
        if len(found) != count * size * weights.itemsize:  # something else lies under that name
            return make()
        weights.frombytes(found)
        return cls(count, weights)

    def weigh(self, row: Row) -> list[float]:
        """Return how clearly the features of `row` speak for each class."""
        count, weights = self._count, self._weights
        found = [0.0] * count
        for feature, share in row.items():
            start = feature * count
            for place, weight in enumerate(weights[start : start + count]):
                found[place] += weight * share
        return found

    def weight(self, feature: int, place: int) -> float:
        """Return how clearly one feature speaks for one class."""
        return self._weights[feature * self._count + place]


MINOR = 0.01  # a class that is so much less likely than all together is left as it is: most are, and it costs time


def _mend(weights: Sequence[list[float]], row: Row, answer: int, step: float) -> None:
    own = [(weights[feature], share) for feature, share in row.items()]
    sums = [sum(column) for column in zip(*([w * share for w in of] for of, share in own), strict=True)]
    if not sums:
        return
    odds = likelihoods(sums)
    moved = [(place, -step * odd) for place, odd in enumerate(odds) if odd > MINOR and place != answer]
    moved.append((answer, step * (1 - odds[answer])))
    for of, share in own:
        for place, move in moved:
            of[place] += share * move


def likelihoods(sums: Sequence[float]) -> list[float]:
    """Return how likely each class is, together 1."""
    most = max(sums)
    raised = [exp(value - most) for value in sums]
    total = sum(raised)
    return [value / total for value in raised]


def chance(value: float) -> float:
    """Return the probability whose log odds are `value`."""
    return 1 / (1 + exp(-max(-30.0, min(30.0, value))))


@dataclass(frozen=True, slots=True)
class Odds:
    """How likely something is by a few signs: a logistic regression with two numbers more than there are signs."""

    bias: float
    weights: tuple[float, ...]

    def parts(self, signs: Sequence[float]) -> list[float]:
        """Return what each sign adds to the log odds."""
        return [weight * sign for weight, sign in zip(self.weights, signs, strict=True)]

    def of(self, signs: Sequence[float]) -> float:
        """Return how likely it is, 0 to 1."""
        return chance(self.bias + sum(self.parts(signs)))


ROUNDS, STEP, HELD = 60, 3.0, 0.001


def fitted(signs: Sequence[Sequence[float]], answers: Sequence[bool], mass: Sequence[float]) -> Odds:
    """Return the odds that fit examples best, each counted by its `mass`; the signs are brought to one scale first."""
    scales = [_scale(column) for column in zip(*signs, strict=True)]
    rows = [[(sign - mean) / width for sign, (mean, width) in zip(row, scales, strict=True)] for row in signs]
    total, bias, weights = sum(mass), 0.0, [0.0] * len(scales)
    for _ in range(ROUNDS):
        misses = [
            m * (chance(bias + _dot(weights, row)) - answer) for row, answer, m in zip(rows, answers, mass, strict=True)
        ]
        bias -= STEP * sum(misses) / total
        slopes = (_dot(misses, column) / total for column in zip(*rows, strict=True))
        weights = [weight - STEP * (slope + HELD * weight) for weight, slope in zip(weights, slopes, strict=True)]
    raw = tuple(weight / width for weight, (_, width) in zip(weights, scales, strict=True))
    return Odds(bias - sum(weight * mean for weight, (mean, _) in zip(raw, scales, strict=True)), raw)


def _scale(column: Sequence[float]) -> tuple[float, float]:
    mean = sum(column) / len(column)
    return mean, sqrt(sum((value - mean) ** 2 for value in column) / len(column)) or 1.0


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
