"""How long an answer in an escape game takes to judge, and how large a play is."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from bot.features.quizzes import play as rules
from tests.bench.figure import Figure, percentile
from tests.quizgames import games

GAMES = 200
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def figures() -> Iterator[Figure]:
    """Press whatever may be pressed, or type a number, until the largest quiz is over, and again."""
    name, quiz = max(games().items(), key=lambda named: len(list(named[1].all_puzzles())))
    took: list[float] = []
    largest = 0
    for seed in range(GAMES):
        play, _ = rules.begin(quiz, seed, NOON)
        while play.stage == "playing":
            said = (*rules.pressable(quiz, play), "12")[seed % 2 - 1]
            started = time.perf_counter()
            play, _ = rules.answer(quiz, play, said, NOON)
            took.append((time.perf_counter() - started) * 1e6)
            play, _ = rules.skip(quiz, play, NOON) if play.stage == "playing" else (play, ())
            largest = max(largest, len(json.dumps(play.to_json()).encode()))
    more: dict[str, object] = {"quiz": name, "p99": percentile(took, 0.99), "answers": len(took)}
    yield Figure("quiz_answer_us", percentile(took, 0.5), "microseconds of one answer, median", 500, "at most", more)
    yield Figure("quiz_play_bytes", largest, "bytes of the largest play as JSON", 2048, "at most")
