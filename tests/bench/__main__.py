"""`python -m tests.bench [name …]`: print each figure as a JSON line; exit status 1 if a bar is missed."""

import sys
from collections.abc import Callable, Iterator, Sequence

from tests.bench import (
    begin,
    broadcast,
    care,
    cities,
    discord,
    lookup,
    matching,
    meanwhile,
    memory,
    neighbour,
    pace,
    plays,
    ptb_request,
    quizzes,
    telegram,
    telegram_rough,
    turns,
    web,
    zones,
)
from tests.bench.figure import Figure

MEASURES: dict[str, Callable[[], Iterator[Figure]]] = {
    "turns": turns.figures,
    "web": web.figures,
    "begin": begin.figures,
    "memory": memory.figures,
    "neighbour": neighbour.figures,
    "lookup": lookup.figures,
    "matching": matching.figures,
    "care": care.figures,
    "cities": cities.figures,
    "quizzes": quizzes.figures,
    "plays": plays.figures,
    "ptb_request": ptb_request.figures,
    "telegram": telegram.figures,
    "telegram_memory": telegram.memory_figures,
    "telegram_rough": telegram_rough.figures,
    "discord": discord.figures,
    "discord_memory": discord.memory_figures,
    "discord_large": discord.large_figures,
    "zones": zones.figures,
    "pace": pace.figures,
    "meanwhile": meanwhile.figures,
    "broadcast_drain": broadcast.drain_figures,
    "broadcast_plan": broadcast.plan_figures,
    "broadcast_kill": broadcast.kill_figures,
}


def main(names: Sequence[str]) -> int:
    """Measure what is named, everything where nothing is; return the exit status."""
    unknown = [name for name in names if name not in MEASURES]
    if unknown:
        sys.stderr.write(f"no measure is called {', '.join(unknown)}; there are {', '.join(MEASURES)}\n")
        return 2
    missed = False
    for name in names or MEASURES:
        for figure in MEASURES[name]():
            sys.stdout.write(f"{figure}\n")
            sys.stdout.flush()
            missed = missed or not figure.ok
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
