"""A figure with its bar, and how two ways of doing the same work are compared."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """One measured number; `bar` is what it must reach (`at least`) or not pass (`at most`), None where it is told
    for information.
    """

    name: str
    value: float
    baseline: str
    bar: float | None = None
    side: Literal["at least", "at most"] = "at least"
    more: dict[str, object] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Say whether the bar is met."""
        if self.bar is None:
            return True
        return self.value >= self.bar if self.side == "at least" else self.value <= self.bar

    def __str__(self) -> str:
        told = {
            "name": self.name,
            "value": round(self.value, 3),
            "bar": self.bar,
            "side": self.side,
            "ok": self.ok,
            "baseline": self.baseline,
        }
        return json.dumps(told | {key: _short(value) for key, value in self.more.items()})


def _short(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value


def alternate(rounds: int, *ways: Callable[[], float]) -> list[float]:
    """Measure each way in turn, `rounds` times, so that a slow moment of the machine hits all; return the medians."""
    measured: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for way, values in zip(ways, measured, strict=True):
            values.append(way())
    return [median(values) for values in measured]


def percentile(values: Sequence[float], part: float) -> float:
    """Return the value that `part` (0 to 1) of `values` do not pass."""
    ranked = sorted(values)
    return ranked[min(int(part * len(ranked)), len(ranked) - 1)]
