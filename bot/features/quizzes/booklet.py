"""A quiz on paper: the host's notes, a sheet for each room with its hints folded under, the answers at the end."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.core import markup
from bot.core.sheet import Booklet, Part, Sheet
from bot.features.quizzes.puzzles import AnyPuzzle
from bot.features.quizzes.puzzles.answer import Answer
from bot.features.quizzes.puzzles.choice import Choice
from bot.features.quizzes.puzzles.dialogue import Dialogue
from bot.features.quizzes.puzzles.estimate import Estimate
from bot.features.quizzes.puzzles.match import Match
from bot.features.quizzes.puzzles.meta import Meta
from bot.features.quizzes.puzzles.order import Order
from bot.features.quizzes.puzzles.puzzle import Option, Shown
from bot.features.quizzes.puzzles.several import Several
from bot.features.quizzes.puzzles.spot import Spot
from bot.features.quizzes.quiz import Facilitator, Quiz
from bot.library.common import Citation
from bot.library.figures import draw, fill
from bot.talk.feature import Say


def booklet(quiz: Quiz, sources: Mapping[str, Citation], say: Say, language: str) -> Booklet:
    """Return all that is needed to play `quiz` in a room without network."""
    return Booklet(quiz.title, language, tuple(_Press(quiz, sources, say, language).sheets()))


@dataclass(frozen=True)
class _Asked:
    """A puzzle as it stands on paper: its number, and its options in the order in which they are printed."""

    number: str
    name: str
    puzzle: AnyPuzzle
    shown: Shown


class _Press:
    def __init__(self, quiz: Quiz, sources: Mapping[str, Citation], say: Say, language: str) -> None:
        self.quiz = quiz
        self.sources = sources
        self.say = say
        self.language = language
        self.rooms = {
            name: self.asked(str(place), name, room.puzzles) for place, (name, room) in enumerate(quiz.rooms.items(), 1)
        }
        self.boosters = {
            name: self.asked(letter, name, quiz.booster(name))
            for letter, name in (("W", "week"), ("F", "fortnight"))
            if quiz.boosters
        }

    def asked(self, place: str, where: str, puzzles: Mapping[str, AnyPuzzle]) -> tuple[_Asked, ...]:
        """Number the puzzles of a room; an order of options depends on ids alone, so it is every language's."""
        return tuple(
            _Asked(f"{place}.{number}", f"{where}.{name}", puzzle, self.shown(f"{where}.{name}", puzzle))
            for number, (name, puzzle) in enumerate(puzzles.items(), 1)
        )

    def shown(self, name: str, puzzle: AnyPuzzle) -> Shown:
        """Return what is shown of a puzzle."""
        return puzzle.shown(self.quiz.ground, random.Random(f"paper:{name}"))

    def fill(self, text: str | None) -> str:
        """Return `text` with its figures."""
        return fill(text or "", self.quiz.figures, self.language)

    def sheets(self) -> Iterator[Sheet]:
        """Yield everything in the order of use: the first is the host's notes."""
        yield self.notes()
        if self.quiz.leak or any(room.key for room in self.quiz.rooms.values()):
            yield self.team()
        for place, (name, room) in enumerate(self.quiz.rooms.items(), 1):
            parts = tuple(self.task(asked) for asked in self.rooms[name])
            yield Sheet(f"{place} · {room.name}", "players", self.fill(room.text), parts)
        for name, tasks in self.boosters.items():
            heading = self.say("print.week") if name == "week" else self.say("print.fortnight")
            yield Sheet(heading, "players", self.say("print.booster"), tuple(self.task(asked) for asked in tasks))
        yield self.talk()
        yield self.answers()

    # -------------------- the host's

    def notes(self) -> Sheet:
        """Return the facilitator's notes; where a quiz has none, what it is about."""
        head = (Part(text=self.fill(self.quiz.about)), Part(text=self.facts()))
        notes = self.quiz.facilitator
        parts = [*head, *(self.facilitator(notes) if notes else ()), Part(self.say("print.paper"), self.how())]
        return Sheet(self.say("print.notes"), "host", parts=tuple(parts))

    def facts(self) -> str:
        """Return how long it takes and for whom it is, and what its cuts leave out."""
        quiz = self.quiz
        lines = [self.say("print.facts", minutes=quiz.minutes, ages=quiz.ages, rooms=len(quiz.rooms))]
        numbers = {asked.name: asked.number for tasks in self.rooms.values() for asked in tasks}
        for cut in quiz.cuts.values():
            without = ", ".join(sorted(numbers[name] for name in cut.without))
            lines.append(self.say("print.cut", name=cut.name, minutes=cut.minutes, without=without))
        return _listed(lines)

    def facilitator(self, notes: Facilitator) -> Iterator[Part]:
        """Yield the notes in the order in which a host needs them."""
        say, fill_in = self.say, self.fill
        yield Part(say("print.aim"), fill_in(notes.aim))
        yield Part(say("print.before"), _listed(map(fill_in, notes.before)))
        yield Part(say("print.short"), _listed(map(fill_in, notes.timing.short)))
        yield Part(say("print.normal"), _listed(map(fill_in, notes.timing.normal)))
        yield Part(say("print.long"), _listed(map(fill_in, notes.timing.long)))
        yield Part(say("print.rules"), _listed(map(fill_in, notes.rules)))
        yield Part(say("print.safeguarding"), fill_in(notes.safeguarding))
        yield Part(say("print.adapt"), fill_in(notes.adapt))

    def how(self) -> str:
        """Return how it is played on paper."""
        lines = [self.say("print.how_rooms"), self.say("print.how_hints"), self.say("print.how_answers")]
        if any(room.key for room in self.quiz.rooms.values()):
            lines.append(self.say("print.how_keys"))
        if self.quiz.leak:
            lines.append(self.say("print.how_meter", name=self.quiz.leak.name))
        return _listed(lines)

    # -------------------- the players'

    def team(self) -> Sheet:
        """Return the sheet that a team keeps: what it is about, its letters, the leak meter."""
        keys = [room for room in self.quiz.rooms.values() if room.key]
        found = [Part(self.say("print.keys"), blanks=tuple(room.name for room in keys))] if keys else []
        meter = self.quiz.leak
        risen = [Part(meter.name, self.say("print.meter"), boxes=meter.full)] if meter else []
        name = Part(blanks=(self.say("print.team_name"),))
        return Sheet(self.say("print.team"), "players", self.fill(self.quiz.about), (name, *found, *risen))

    def task(self, asked: _Asked) -> Part:
        """Return a puzzle as players get it."""
        puzzle = asked.puzzle
        says = puzzle.says if isinstance(puzzle, Dialogue | Spot) else None
        quoted = "\n".join(f"> {line}" for line in self.fill(says).split("\n")) if says else ""
        time = self.say("print.seconds", seconds=puzzle.seconds) if puzzle.seconds else ""
        seen = self.fill(puzzle.image.alt) if puzzle.image else ""
        parts = (self.fill(puzzle.text), seen, quoted, f"**{self.fill(puzzle.ask)}** {time}".strip())
        options = tuple(self.fill(self.label(option)) for option in asked.shown.options)
        against = tuple(self.fill(option.text) for option in asked.shown.against)
        blanks = () if _ticked(puzzle) else (getattr(puzzle, "prompt", "") or self.say("print.answer"),)
        hints = tuple(map(self.fill, puzzle.hints))
        text = "\n\n".join(filter(None, parts))
        return Part(asked.number, text, options, against, blanks, folded=hints, puzzle=asked.name)

    def label(self, option: Option) -> str:
        """Return what an option says; one without words says that nothing is wrong."""
        return self.say("print.nothing_wrong") if option.text is None else option.text

    def talk(self) -> Sheet:
        """Return the debrief, which the host reads."""
        steps = [self.fill(step) for step in self.quiz.debrief.steps.values()]
        endings = tuple(Part(ending.name, self.fill(ending.text)) for ending in self.quiz.endings.values())
        questions = Part(self.say("print.questions"), _numbered(steps))
        closing = Part(self.say("print.closing"), self.closing())
        return Sheet(self.say("print.after"), "host", self.say("print.after_text"), (*endings, questions, closing))

    def closing(self) -> str:
        """Return the closing words; what were buttons is a list of what to read."""
        text, further = markup.lift(self.fill(self.quiz.debrief.text))
        return "\n\n".join(filter(None, (text, _listed(label for label, _ in further))))

    # -------------------- answers

    def answers(self) -> Sheet:
        """Return the key to everything."""
        parts = [
            Part(f"{place} · {room.name}", "\n\n".join(self.room_answers(name)))
            for place, (name, room) in enumerate(self.quiz.rooms.items(), 1)
        ]
        later = [
            Part(
                self.say("print.week") if name == "week" else self.say("print.fortnight"),
                "\n\n".join(map(self.solved, tasks)),
            )
            for name, tasks in self.boosters.items()
        ]
        return Sheet(self.say("print.answers"), "host", self.say("print.answers_text"), (*parts, *later))

    def room_answers(self, name: str) -> Iterator[str]:
        """Yield the answers of a room, and what its key is."""
        yield from (self.solved(asked) for asked in self.rooms[name])
        key = self.quiz.rooms[name].key
        if key:
            yield f"**{self.say('print.key')}** {self.fill(key.text)}"

    def solved(self, asked: _Asked) -> str:
        """Return the answer to one puzzle, the reason for it, and what each option leads to."""
        puzzle = asked.puzzle
        head = f"**{asked.number}** {' · '.join(self.solution(asked))}".strip()
        reasons = _listed(self.reasons(asked))
        source = self.sources.get(puzzle.source or "")
        cited = self.say("print.source", title=source.title, by=source.by or "", url=source.url) if source else ""
        return "\n\n".join(filter(None, (head, reasons, self.fill(puzzle.explain), cited)))

    def solution(self, asked: _Asked) -> Iterator[str]:
        """Yield what is right, as it stands on paper."""
        puzzle, shown = asked.puzzle, asked.shown
        places = {option.id: number for number, option in enumerate(shown.options, 1)}
        match puzzle:
            case Order():
                yield " ".join(str(places[name]) for name in puzzle.items)
            case Match():
                letters = {option.id: option.say for option in shown.against}
                yield " ".join(f"{places[name]}{letters[name]}" for name in puzzle.pairs)
            case Spot():
                right = next(option for option in shown.options if option.id == puzzle.trick)
                yield f"{places[right.id]} – {self.label(right)}"
            case Choice() | Dialogue() | Several():
                for option in shown.options:
                    if puzzle.options[option.id].right:
                        yield f"{places[option.id]} – {self.fill(option.text)}"
            case Estimate():
                yield f"{draw(self.quiz.figures[puzzle.figure], self.language)} {puzzle.unit or ''}".strip()
            case Answer():
                yield puzzle.answers[0]
            case Meta():
                yield next(puzzle.solutions(self.quiz.ground))

    def reasons(self, asked: _Asked) -> Iterator[str]:
        """Yield what is said to each option that has something to be said."""
        if not isinstance(asked.puzzle, Choice | Several | Dialogue):
            return
        for number, option in enumerate(asked.shown.options, 1):
            found = asked.puzzle.options[option.id]
            said = getattr(found, "because", None) or getattr(found, "reply", None)
            then = getattr(found, "then", None)
            way = self.say("print.leads", room=self.place(then)) if then else ""
            if said or way:
                yield f"{number}: {' '.join(filter(None, (self.fill(said), way)))}"

    def place(self, name: str) -> str:
        """Return the name of a room or an ending."""
        return self.quiz.rooms[name].name if name in self.quiz.rooms else self.quiz.endings[name].name


def _ticked(puzzle: AnyPuzzle) -> bool:
    return isinstance(puzzle, Choice | Several | Dialogue | Spot)


def _listed(lines: "Iterator[str] | list[str]") -> str:
    return "\n".join(f"- {line}" for line in lines)


def _numbered(lines: list[str]) -> str:
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))
