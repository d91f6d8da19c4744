"""A loop that never waits: where it would, its clock jumps."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Hurried(asyncio.SelectorEventLoop):
    """A loop that never waits: where it would, its clock jumps; whatever it does takes a microsecond."""

    def __init__(self) -> None:
        self.jumped = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return 1000.0 + self.jumped


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: Hurried) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        self._loop.jumped += 1e-6 + (0.0 if ready else timeout or 0.0)
        return ready


def hurried(scene: Coroutine[Any, Any, T]) -> T:
    """Return what `scene` returns, played in such a loop."""
    with asyncio.Runner(loop_factory=Hurried) as runner:
        return runner.run(scene)
