"""What remains of a game: how each puzzle went over all teams, how ready people felt; never who."""

from collections.abc import Iterator, Mapping

from bot.features.quizzes.quiz import Quiz
from bot.features.quizzes.replies import FEEL_SURE, SCALE
from bot.talk.feature import Say

OUTCOMES = ("first", "hint", "talk", "unsolved")
FEWEST = 10  # people, for what they felt to be shown
WIDE = 10  # blocks of a bar

Counts = Mapping[tuple[str, str], int]


def rows(quiz: Quiz, counts: Counts) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Yield (room, puzzle, how often each outcome) for every puzzle that was met."""
    for room, found in quiz.rooms.items():
        for puzzle in found.puzzles:
            many = tuple(counts.get(("puzzle", f"{room}.{puzzle} {outcome}"), 0) for outcome in OUTCOMES)
            if any(many):
                yield room, puzzle, many


def chart(say: Say, quiz: Quiz, counts: Counts) -> str:
    """Return the results as bars that can be read aloud."""
    lines = [
        say(
            "host.result",
            room=quiz.rooms[room].name,
            place=list(quiz.rooms[room].puzzles).index(puzzle) + 1,
            bar=bar(many),
            **dict(zip(OUTCOMES, many, strict=True)),
        )
        for room, puzzle, many in rows(quiz, counts)
    ]
    parts = [say("host.results", title=quiz.title), "\n".join(lines) or say("host.no_results")]
    return "\n\n".join([*parts, *felt(say, counts)])


def bar(many: tuple[int, ...]) -> str:
    """Return a bar whose full blocks are what was solved, however."""
    solved = round(WIDE * sum(many[:-1]) / sum(many))
    return "█" * solved + "░" * (WIDE - solved)


def felt(say: Say, counts: Counts) -> Iterator[str]:
    """Yield how ready people felt before and after, from ten people on."""
    for when in FEEL_SURE:
        many = [counts.get((when, str(n)), 0) for n in SCALE]
        if not any(many):
            continue
        if sum(many) < FEWEST:
            yield say("host.too_few", fewest=FEWEST)
            return
        shown = ", ".join(f"{n}: {count}" for n, count in zip(SCALE, many, strict=True))
        yield say("host.felt_before" if when == "before" else "host.felt_after", count=sum(many), shown=shown)


def table(quiz: Quiz, counts: Counts) -> str:
    """Return the results as CSV."""
    lines = [",".join(["room", "puzzle", *OUTCOMES])]
    lines += [",".join([room, puzzle, *map(str, many)]) for room, puzzle, many in rows(quiz, counts)]
    for when in FEEL_SURE:
        many = [counts.get((when, str(n)), 0) for n in SCALE]
        if sum(many) >= FEWEST:
            lines += [f"ready,{when} {n},{count},,," for n, count in zip(SCALE, many, strict=True)]
    return "\n".join(lines)
