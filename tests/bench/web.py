"""Turns through the web, sockets and all, against a server that only echoes the form."""

from collections.abc import Callable, Iterator
from itertools import count

from tests.bench.bare import bare
from tests.bench.figure import Figure, alternate
from tests.bench.load import posts, throughput
from tests.serving import serving

AT_ONCE = 50
EACH = 40
ROUNDS = 5
BAR = 0.25
COMMAND, FREE = "/rumour jobs", "they get all the flats before us"
BASELINE = "a bare Starlette echo of the same form, same uvicorn settings, same client"


def figures() -> Iterator[Figure]:
    """Yield web_turn_ratio and web_free_text_ratio."""
    rounds = count()

    def rate(port: int, text: str) -> Callable[[], float]:
        return lambda: throughput(port, posts(AT_ONCE, EACH, text, f"round-{next(rounds)}"))

    with serving(pace="1000000", crowd="1000000") as served, bare("echo") as (echo, _):
        rate(served.port, COMMAND)()  # warm: connections, caches, compiled statements
        rate(echo, COMMAND)()
        command, free, theirs = alternate(
            ROUNDS, rate(served.port, COMMAND), rate(served.port, FREE), rate(echo, COMMAND)
        )
    yield Figure("web_turn_ratio", command / theirs, BASELINE, BAR, more={"turns_s": command, "baseline_s": theirs})
    yield Figure("web_free_text_ratio", free / theirs, BASELINE, more={"turns_s": free, "baseline_s": theirs})
