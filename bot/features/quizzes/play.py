"""One team's run of a quiz, and the rules: (quiz, play, what is said, now) → (play, events). All of it is pure.

Deadlines are judged by the clock that every function is given; a play never waits. What was said and when, kept as a
log, gives the same play again: see `step`.
"""

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from bot.features.quizzes import events as e
from bot.features.quizzes.events import Event, Events, Outcome
from bot.features.quizzes.puzzles import AnyPuzzle
from bot.features.quizzes.puzzles.puzzle import Picked, Shown, Verdict
from bot.features.quizzes.quiz import LATE, LEAKED, Quiz

VERSION = 1
FREE_HINTS = 1


class Mark(NamedTuple):
    """How a puzzle goes: tries and hints so far; None while it is open."""

    tries: int = 0
    hints: int = 0
    outcome: Outcome | None = None


class Score(NamedTuple):
    """How many puzzles were solved at the first try, after a hint that costs, after talking, and not."""

    first: int
    hint: int
    talk: int
    unsolved: int


@dataclass(frozen=True, slots=True)
class Play:
    """Where a team is. Times are seconds since the epoch; `marks` go by `room.puzzle`; nothing typed is kept.

    In a `booster` there are no rooms, and `room` is empty.
    """

    seed: int
    room: str = ""
    puzzle: str = ""
    cut: str | None = None
    booster: str | None = None
    stage: Literal["playing", "debrief", "closed"] = "playing"
    picked: Picked = ()
    tried: tuple[str, ...] = ()
    marks: Mapping[str, Mark] = field(default_factory=dict)
    seen: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    leak: int = 0
    ending: str | None = None
    step: str | None = None
    limit_at: float | None = None
    puzzle_at: float | None = None
    paused: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain data, without what is as it always begins."""
        values = {part.name: getattr(self, part.name) for part in fields(self)}
        kept = {name: value for name, value in values.items() if value != _FRESH[name]}
        return {"v": VERSION, **{name: _plain(value) for name, value in kept.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Play | None":
        """Return the play; None where another version wrote it."""
        if data.get("v") != VERSION:
            return None
        given: dict[str, Any] = {name: _frozen(value) for name, value in data.items() if name != "v"}
        given["marks"] = {name: Mark(*mark) for name, mark in data.get("marks", {}).items()}
        return cls(**given)


_FRESH: dict[str, Any] = {
    part.name: part.default if part.default is not MISSING else {} if part.name == "marks" else None
    for part in fields(Play)
}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: list(mark) for name, mark in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


# The play after something was done, and what happened.
Turn = tuple[Play, Events]


def begin(quiz: Quiz, seed: int, now: datetime, cut: str | None = None) -> Turn:
    """Return a new play at the entrance; `seed` decides every order of options, `cut` which puzzles are left out."""
    limit = _limit(quiz, cut)
    play = Play(seed, cut=cut, limit_at=now.timestamp() + limit if limit else None)
    run = _Run(quiz, play, now)
    run.enter(next(iter(quiz.rooms)))
    return run.turn


def begin_booster(quiz: Quiz, booster: str, seed: int, now: datetime) -> Turn:
    """Return a new play of the questions of a booster, `week` or `fortnight`."""
    run = _Run(quiz, Play(seed, booster=booster), now)
    run.ask()
    return run.turn


def answer(quiz: Quiz, play: Play, said: str, now: datetime) -> Turn:
    """Judge `said`, pressed or typed; whoever comes after a deadline hears of that instead."""
    return _do(quiz, play, now, lambda run: run.hear(said))


def hint(quiz: Quiz, play: Play, now: datetime) -> Turn:
    """Give the next hint, or the last one again."""
    return _do(quiz, play, now, lambda run: run.hint())


def skip(quiz: Quiz, play: Play, now: datetime) -> Turn:
    """Give the puzzle up; in the debrief, go on to the next question."""
    if play.stage == "debrief":
        return debrief(quiz, play, now)
    return _do(quiz, play, now, lambda run: run.skip())


def pause(quiz: Quiz, play: Play, now: datetime) -> Turn:
    """Stop the clock, unless it is too late for that already."""
    play, late = due(quiz, play, now)
    if late:
        return play, late
    if play.paused is not None or play.stage == "closed":
        return play, (e.NotNow("paused" if play.paused is not None else "closed"),)
    return replace(play, paused=now.timestamp()), (e.Paused(),)


def resume(quiz: Quiz, play: Play, now: datetime) -> Turn:  # noqa: ARG001  # all of them are called alike
    """Let the clock go on; deadlines move by as long as it stood, and never back."""
    if play.paused is None:
        return play, (e.NotNow("running"),)
    stood = max(0.0, now.timestamp() - play.paused)
    return replace(extend(play, stood), paused=None), (e.Resumed(stood),)


def due(quiz: Quiz, play: Play, now: datetime) -> Turn:
    """Do what the clock demands: the time of the puzzle or of the whole play is up. Else nothing changes."""
    if play.stage != "playing" or play.paused is not None:
        return play, ()
    run = _Run(quiz, play, now)
    run.clock()
    return run.turn


def next_deadline(quiz: Quiz, play: Play) -> datetime | None:  # noqa: ARG001  # as above
    """Return when `due` should be asked next; None where nothing is due."""
    times = [at for at in (play.limit_at, play.puzzle_at) if at is not None]
    if not times or play.stage != "playing" or play.paused is not None:
        return None
    return datetime.fromtimestamp(min(times), UTC)


def extend(play: Play, seconds: float) -> Play:
    """Return the play with its deadlines moved on."""
    return replace(
        play,
        limit_at=None if play.limit_at is None else play.limit_at + seconds,
        puzzle_at=None if play.puzzle_at is None else play.puzzle_at + seconds,
    )


def debrief(quiz: Quiz, play: Play, now: datetime) -> Turn:
    """Go on to the next question of the debrief; after the last one the play is closed."""
    if play.stage != "debrief" or play.paused is not None:
        return play, (e.NotNow("paused" if play.paused is not None else play.stage),)
    run = _Run(quiz, play, now)
    run.debrief()
    return run.turn


def stop(quiz: Quiz, play: Play, now: datetime) -> Turn:
    """End the game at once, as a host may; the debrief still comes."""
    if play.stage != "playing":
        return play, (e.NotNow(play.stage),)
    run = _Run(quiz, replace(play, paused=None), now)
    run.end(None)
    return run.turn


def over(play: Play) -> bool:
    """Say whether the play is closed."""
    return play.stage == "closed"


def score(play: Play) -> Score:
    """Return how the puzzles went; speed counts nothing."""
    outcomes = [mark.outcome for mark in play.marks.values()]
    return Score(*(outcomes.count(name) for name in ("first", "hint", "talk", "unsolved")))


def question(quiz: Quiz, play: Play) -> tuple[AnyPuzzle, Shown] | None:
    """Return the open puzzle and what is shown of it, in this play's order; None where none is open."""
    if play.stage != "playing":
        return None
    puzzle = _puzzles(quiz, play)[play.puzzle]
    return puzzle, puzzle.shown(quiz.ground, random.Random(f"{play.seed}:{play.room}:{play.puzzle}"))


def pressable(quiz: Quiz, play: Play) -> tuple[str, ...]:
    """Return what may be pressed now."""
    asked = question(quiz, play)
    return asked[0].pressable(asked[1], play.picked) if asked else ()


def fits(quiz: Quiz, play: Play) -> bool:
    """Say whether `quiz` still has the place where `play` is: its file may have changed."""
    if play.stage == "playing":
        known = play.booster is not None or play.room in quiz.rooms
        return known and play.puzzle in _puzzles(quiz, play)
    return play.step is None or play.step in quiz.debrief.steps


def step(quiz: Quiz, play: Play, said: str, now: datetime) -> Turn:
    """Do what one line of a log says: a command, or else an answer. `/due` stands where the clock did something."""
    if said.startswith("/extend "):
        return extend(play, float(said.removeprefix("/extend "))), ()
    commands = {"/hint": hint, "/skip": skip, "/pause": pause, "/resume": resume}
    commands |= {"/due": due, "/next": debrief, "/stop": stop}
    return commands[said](quiz, play, now) if said in commands else answer(quiz, play, said, now)


def replay(quiz: Quiz, play: Play, log: Iterable[tuple[str, datetime]]) -> Play:
    """Return what becomes of `play` by everything in `log`."""
    for said, when in log:
        play, _ = step(quiz, play, said, when)
    return play


def _limit(quiz: Quiz, cut: str | None) -> float | None:
    if quiz.limit is None or cut is None:
        return quiz.limit
    shorter = quiz.cuts[cut]
    return shorter.limit or quiz.limit * shorter.minutes / quiz.minutes


def _puzzles(quiz: Quiz, play: Play) -> Mapping[str, AnyPuzzle]:
    return quiz.booster(play.booster) if play.booster else quiz.rooms[play.room].puzzles


def _do(quiz: Quiz, play: Play, now: datetime, act: "Callable[[_Run], None]") -> Turn:
    """Let `act` do something to a play that is open for it."""
    late_play, late = due(quiz, play, now)
    if late:
        return late_play, late
    if play.paused is not None or play.stage != "playing":
        return play, (e.NotNow("paused" if play.paused is not None else play.stage),)
    run = _Run(quiz, play, now)
    act(run)
    return run.turn


class _Run:
    """One turn in the making."""

    def __init__(self, quiz: Quiz, play: Play, now: datetime) -> None:
        self.quiz = quiz
        self.play = play
        self.now = now.timestamp()
        self.events: list[Event] = []

    @property
    def turn(self) -> Turn:
        return self.play, tuple(self.events)

    @property
    def here(self) -> tuple[str, str]:
        return self.play.room, self.play.puzzle

    @property
    def name(self) -> str:
        return ".".join(self.here)

    @property
    def puzzle(self) -> AnyPuzzle:
        return _puzzles(self.quiz, self.play)[self.play.puzzle]

    @property
    def mark(self) -> Mark:
        return self.play.marks.get(self.name, Mark())

    @property
    def is_playing(self) -> bool:
        return self.play.stage == "playing"

    def change(self, **parts: Any) -> None:
        self.play = replace(self.play, **parts)

    def note(self, mark: Mark) -> None:
        self.change(marks={**self.play.marks, self.name: mark})

    # -------------------- ways

    def enter(self, place: str) -> None:
        """Come to a room or an ending."""
        if place in self.quiz.endings:
            self.end(place)
            return
        self.events.append(e.RoomEntered(place, place in self.play.seen))
        seen = self.play.seen if place in self.play.seen else (*self.play.seen, place)
        self.change(room=place, seen=seen)
        self.ask()

    def ask(self) -> None:
        """Ask the next open puzzle of the room, or leave it."""
        left_out = self.quiz.cuts[self.play.cut].without if self.play.cut else ()
        for name, puzzle in _puzzles(self.quiz, self.play).items():
            whole = f"{self.play.room}.{name}"
            mark = self.play.marks.get(whole)
            if whole in left_out or (mark and mark.outcome):
                continue
            ends = self.now + puzzle.seconds if puzzle.seconds else None
            self.change(puzzle=name, picked=(), tried=(), puzzle_at=ends)
            self.events.append(e.PuzzleAsked(*self.here, puzzle.seconds, again=mark is not None))
            self.note(mark or Mark())
            return
        self.leave(None)

    def leave(self, then: str | None) -> None:
        """Go on from a room that is done, with its key."""
        if self.play.booster:
            self.close()
            return
        room = self.quiz.rooms[self.play.room]
        if room.key and self.play.room not in self.play.keys:
            self.change(keys=(*self.play.keys, self.play.room))
            self.events.append(e.KeyGiven(self.play.room))
        self.enter(then or str(room.then))

    def end(self, ending: str | None) -> None:
        """Come to an ending; what is open stays unsolved."""
        if self.play.puzzle and not self.mark.outcome:
            self.note(self.mark._replace(outcome="unsolved"))
        self.events.append(e.EndingReached(ending))
        if self.play.booster:
            self.close()
            return
        self.change(stage="debrief", ending=ending, puzzle="", picked=(), tried=(), limit_at=None, puzzle_at=None)
        self.debrief()

    def debrief(self) -> None:
        """Ask the next question of the debrief."""
        steps = list(self.quiz.debrief.steps)
        number = steps.index(self.play.step) + 1 if self.play.step in steps else 0
        if number == len(steps):
            self.close()
            return
        self.change(step=steps[number])
        self.events.append(e.DebriefAsked(steps[number], number + 1, len(steps)))

    def close(self) -> None:
        """Close the play."""
        self.change(stage="closed", puzzle="", picked=(), tried=(), limit_at=None, puzzle_at=None, step=None)
        self.events.append(e.Closed())

    # -------------------- clock

    def clock(self) -> None:
        """Do what is overdue: the puzzle's time first, where it ended first."""
        limit, ends = self.play.limit_at, self.play.puzzle_at
        if ends is not None and ends <= self.now and (limit is None or ends <= limit):
            self.events.append(e.TimeUp(*self.here))
            self.rise()
            if self.is_playing:
                self.settle("unsolved")
        if self.is_playing and limit is not None and limit <= self.now:
            self.end(LATE)

    def rise(self) -> None:
        """Let the leak meter rise by what the puzzle costs."""
        meter, by = self.quiz.leak, self.puzzle.leak
        if not meter or not by or self.play.booster:
            return
        level = min(self.play.leak + by, meter.full)
        self.change(leak=level)
        self.events.append(e.LeakRose(by, level, meter.full))
        if level == meter.full:
            self.end(LEAKED)

    # -------------------- answers

    def hear(self, said: str) -> None:
        """Judge an answer."""
        asked = question(self.quiz, self.play)
        verdict = asked[0].judge(asked[1], said, self.play.picked, self.quiz.ground) if asked else Verdict("unclear")
        match verdict.what:
            case "unclear":
                self.events.append(e.NotUnderstood(*self.here))
            case "picked":
                self.change(picked=verdict.picked)
                self.events.append(e.Picked(*self.here, verdict.option, verdict.picked))
            case "branch":
                self.take_way(str(verdict.option))
            case "right":
                self.right(verdict)
            case _:
                self.not_right(verdict)

    def right(self, verdict: Verdict) -> None:
        """Solve the puzzle."""
        mark = self.mark._replace(tries=self.mark.tries + 1)
        self.note(mark)
        self.events.append(e.AnswerRight(*self.here, verdict.option, _outcome(mark)))
        self.settle(_outcome(mark), self.way(verdict.option))

    def way(self, option: str | None) -> str | None:
        """Return where an option leads."""
        return next((then for name, then, _ in self.puzzle.branches() if name == option), None)

    def take_way(self, option: str) -> None:
        """Go where an option leads that is neither right nor wrong."""
        self.events.append(e.WayTaken(*self.here, option))
        then = str(self.way(option))
        if self.puzzle.is_fork:
            self.settle("fork", then)
        else:
            self.detour(then)

    def detour(self, then: str) -> None:
        """Go elsewhere and leave the puzzle open."""
        self.change(puzzle="", picked=(), tried=(), puzzle_at=None)
        self.enter(then)

    def not_right(self, verdict: Verdict) -> None:
        """Count a try that was wrong or near; the same once more counts nothing."""
        again = verdict.option is not None and verdict.option in self.play.tried
        mark = self.mark if again else self.mark._replace(tries=self.mark.tries + 1)
        self.note(mark)
        left = None if self.puzzle.tries is None else self.puzzle.tries - mark.tries
        tried = (*self.play.tried, verdict.option) if verdict.option and not again else self.play.tried
        self.change(picked=verdict.picked, tried=tried)
        result = (*self.here, verdict.option, left, verdict.fits, verdict.of)
        if verdict.what == "near":
            self.near(e.AnswerNear(*result, solved=left == 0, again=again), mark)
            return
        self.events.append(e.AnswerWrong(*result, again=again))
        self.wrong(verdict, left, again=again)

    def near(self, event: e.AnswerNear, mark: Mark) -> None:
        """Take what is nearly right for right at the last try."""
        self.events.append(event)
        if event.solved:
            self.settle(_outcome(mark))

    def wrong(self, verdict: Verdict, left: int | None, *, again: bool) -> None:
        """Let the meter rise, end the puzzle with its last try, go where a wrong option leads."""
        then = self.way(verdict.option)
        if not again:
            self.rise()
        if not self.is_playing:
            return
        if left == 0:
            self.events.append(e.TriesUsed(*self.here))
            self.settle("unsolved", then)
        elif then:
            self.detour(then)

    def settle(self, outcome: Outcome, then: str | None = None) -> None:
        """Be done with the puzzle; go on in the room, or where an option leads."""
        self.note(self.mark._replace(outcome=outcome))
        self.change(puzzle="", picked=(), tried=(), puzzle_at=None)
        if then:
            self.leave(then)
        else:
            self.ask()

    # -------------------- help

    def hint(self) -> None:
        """Give the next hint, the last one again where there are no more."""
        count = len(self.puzzle.hints)
        if not count:
            self.events.append(e.NoHint(*self.here))
            return
        again = self.mark.hints >= count
        number = min(self.mark.hints + 1, count)
        self.note(self.mark._replace(hints=number))
        self.events.append(e.HintGiven(*self.here, number, count - number, number <= FREE_HINTS, again))

    def skip(self) -> None:
        """Give the puzzle up."""
        self.events.append(e.Skipped(*self.here))
        self.settle("fork" if self.puzzle.is_fork else "unsolved")


def _outcome(mark: Mark) -> Outcome:
    if mark.hints > FREE_HINTS:
        return "hint"
    return "talk" if mark.tries > 1 else "first"
