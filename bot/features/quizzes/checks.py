"""What is wrong with a quiz that no single field shows: ways through it, endings, answers given away."""

from collections.abc import Iterator, Mapping, Set

from bot.features.quizzes.puzzles import AnyPuzzle
from bot.features.quizzes.puzzles.meta import Meta
from bot.features.quizzes.puzzles.typed import plain
from bot.features.quizzes.quiz import ESCAPED, LATE, LEAKED, STEPS, Quiz
from bot.library.check import Found
from bot.library.figures import places
from bot.library.problem import did_you_mean
from bot.library.shape import Words, leaves
from bot.library.source import At

QUESTIONS = 3  # of a booster


def check(quiz: Quiz) -> Iterator[Found]:
    """Yield everything that is wrong with `quiz`."""
    yield from _way_problems(quiz)
    yield from _ending_problems(quiz)
    yield from _meter_problems(quiz)
    yield from _cut_problems(quiz)
    for at, puzzle in quiz.all_puzzles():
        yield from puzzle.found(at, quiz.ground)
        yield from _hint_problems(quiz, at, puzzle)
        yield from _reason_problems(quiz, at, puzzle)
    yield from _meta_problems(quiz)
    yield from _around_problems(quiz)
    yield from _booster_problems(quiz)
    yield from _figure_problems(quiz)


def ways(quiz: Quiz, room: str, *, keyless: bool = False) -> Iterator[str]:
    """Yield where one can go from `room`; `keyless` only where one goes without having got its key."""
    found = quiz.rooms[room]
    if found.then and not keyless:
        yield found.then
    for puzzle in found.puzzles.values():
        yield from (then for _, then, done in puzzle.branches() if not (keyless and done))


def reached(quiz: Quiz, without: str | None = None) -> set[str]:
    """Return the rooms and endings that can be reached; `without` the key of a room, if one is named."""
    waiting, met = [next(iter(quiz.rooms))], set[str]()
    while waiting:
        place = waiting.pop()
        if place in met:
            continue
        met.add(place)
        if place in quiz.rooms:
            waiting += ways(quiz, place, keyless=place == without)
    return met


def _way_problems(quiz: Quiz) -> Iterator[Found]:
    known = [*quiz.rooms, *quiz.endings]
    for name, room in quiz.rooms.items():
        at: At = ("rooms", name)
        if name in quiz.endings:
            yield at, f"'{name}' is the name of a room and of an ending", "give one of them another name"
        if not room.then:
            yield at, f"the room '{name}' leads nowhere", "give it 'then:', with the name of a room or an ending"
        elif room.then not in known:
            yield (*at, "then"), f"no room or ending is called '{room.then}'", did_you_mean(room.then, known)
        elif _circles(quiz, name):
            fix = "let one of the rooms on this way lead to an ending"
            yield (*at, "then"), f"from the room '{name}' no 'then:' comes to an ending", fix
        for puzzle_id, puzzle in room.puzzles.items():
            yield from _branch_problems((*at, "puzzles", puzzle_id), puzzle, known)
    for name in quiz.rooms.keys() - reached(quiz):
        yield ("rooms", name), f"nothing leads to the room '{name}'", "let a 'then:' lead there, or remove it"
    if not any(room.puzzles for room in quiz.rooms.values()):
        yield ("rooms",), "there is nothing to solve", "give a room 'puzzles:'"


def _circles(quiz: Quiz, name: str) -> bool:
    """Say whether following `then:` alone, as somebody does who skips everything, never comes to an ending."""
    met = set[str]()
    place: str | None = name
    while place in quiz.rooms:
        if place in met:
            return True
        met.add(place)
        place = quiz.rooms[place].then
    return False


def _branch_problems(at: At, puzzle: AnyPuzzle, known: list[str]) -> Iterator[Found]:
    for option, then, _ in puzzle.branches():
        if then not in known:
            yield (*at, "options", option, "then"), f"no room or ending is called '{then}'", did_you_mean(then, known)


def _ending_problems(quiz: Quiz) -> Iterator[Found]:
    needed = {ESCAPED: ("endings",), LATE: ("limit",), LEAKED: ("leak",)}
    has = {ESCAPED: True, LATE: quiz.limit is not None, LEAKED: quiz.leak is not None}
    for name, at in needed.items():
        if has[name] and name not in quiz.endings:
            yield at, f"there is no ending '{name}'", f"write '{name}:' under 'endings:'"
    come = reached(quiz) | {name for name in (LATE, LEAKED) if has[name]}
    for name in quiz.endings.keys() - come:
        yield ("endings", name), f"the ending '{name}' is never reached", "let a 'then:' lead there, or remove it"


def _meter_problems(quiz: Quiz) -> Iterator[Found]:
    for at, puzzle in quiz.all_puzzles():
        if puzzle.leak and (quiz.leak is None or at[0] == "boosters"):
            yield (*at, "leak"), "there is no leak meter here", "write 'leak:' at the top of the quiz, or remove this"


def _cut_problems(quiz: Quiz) -> Iterator[Found]:
    all_of_them = {f"{room}.{name}" for room, found in quiz.rooms.items() for name in found.puzzles}
    for name, cut in quiz.cuts.items():
        at: At = ("cuts", name, "without")
        for number, left_out in enumerate(cut.without):
            if left_out not in all_of_them:
                yield (*at, number), f"no puzzle is called '{left_out}'", did_you_mean(left_out, all_of_them)
        if all_of_them and all_of_them <= set(cut.without):
            yield at, "leaves nothing to solve", "leave some puzzles in"
        if cut.limit and not quiz.limit:
            yield ("cuts", name, "limit"), "the quiz has no limit", "give the quiz 'limit:', or remove this"


def _hint_problems(quiz: Quiz, at: At, puzzle: AnyPuzzle) -> Iterator[Found]:
    if puzzle.is_fork:
        return
    if not puzzle.hints:
        yield at, "is without 'hints:'", "give one to three, the first of which never gives the answer away"
        return
    first = puzzle.hints[0]
    for solution in puzzle.solutions(quiz.ground):
        if _contains(first, solution):
            fix = "let the first hint point the way only, and the last one say it"
            yield (*at, "hints", 0), f"the first hint gives away '{solution}'", fix
            return


def _contains(text: str, part: str) -> bool:
    if part.startswith("{"):
        return part in text
    return bool(plain(part)) and f" {plain(part)} " in f" {plain(text)} "


def _reason_problems(quiz: Quiz, at: At, puzzle: AnyPuzzle) -> Iterator[Found]:
    if not puzzle.explain:
        if not puzzle.is_fork:
            yield at, "is without 'explain:'", "say why the answer is the answer, whoever got it or did not"
        return
    data = [name for name in places(puzzle.explain) if not quiz.figures.get(name, "year ").startswith("year ")]
    if data and not puzzle.source and puzzle.kind != "estimate":
        yield (*at, "explain"), "a figure without a source", "add 'source:', with the id of a source in sources.yaml"


def _meta_problems(quiz: Quiz) -> Iterator[Found]:
    for at, puzzle in quiz.all_puzzles():
        if not isinstance(puzzle, Meta):
            continue
        if at[0] == "boosters":
            yield (*at, "kind"), "a booster has no rooms, so no keys", "ask something else"
            continue
        for number, room in enumerate(puzzle.of):
            yield from _key_problems(quiz, room, str(at[1]), (*at, "of", number))


def _key_problems(quiz: Quiz, room: str, here: str, at: At) -> Iterator[Found]:
    if room not in quiz.rooms:
        yield at, f"no room is called '{room}'", did_you_mean(room, quiz.rooms)
    elif quiz.rooms[room].key is None:
        yield at, f"the room '{room}' has no key", f"give '{room}' a 'key:', or leave it out here"
    elif room == here or here in reached(quiz, without=room):
        yield at, f"one may come here without the key of '{room}'", f"let every way here lead through '{room}'"


def _around_problems(quiz: Quiz) -> Iterator[Found]:
    for name in STEPS:
        if name not in quiz.debrief.steps:
            yield ("debrief", "steps"), f"the debrief does not ask '{name}'", f"add '{name}:'"
    if quiz.players != "solo" and quiz.facilitator is None:
        yield ("players",), "who hosts it has no notes", "add 'facilitator:'"


def _booster_problems(quiz: Quiz) -> Iterator[Found]:
    for name in ("week", "fortnight"):
        questions = quiz.booster(name)
        if quiz.boosters and len(questions) != QUESTIONS:
            yield ("boosters", name), f"asks {len(questions)} questions", f"ask exactly {QUESTIONS}"
        for puzzle_id, puzzle in questions.items():
            for option, _, _ in puzzle.branches():
                at: At = ("boosters", name, puzzle_id, "options", option, "then")
                yield at, "a booster has no rooms to lead to", "remove 'then:'"


def _figure_problems(quiz: Quiz) -> Iterator[Found]:
    taken = {puzzle.figure for _, puzzle in quiz.all_puzzles() if puzzle.kind == "estimate"}
    for leaf in leaves(Quiz, quiz.model_dump(exclude_none=True)):
        if not isinstance(leaf.mark, Words) or not leaf.mark.figures:
            continue
        taken |= places(leaf.value)
        yield from _unknown(leaf.at, places(leaf.value), quiz.figures)
    for name in sorted(quiz.figures.keys() - taken):
        yield ("figures", name), f"the figure '{name}' is not used", f"write {{{name}}} where it belongs"


def _unknown(at: At, taken: Set[str], figures: Mapping[str, str]) -> Iterator[Found]:
    for name in sorted(taken - figures.keys()):
        yield at, f"no figure is called '{name}'", did_you_mean(name, figures) or "write it under 'figures:'"
