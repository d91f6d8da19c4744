"""The words for what happens in a play: rules say what, this says how, in the language of whoever hears it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bot.core.markup import escape
from bot.core.message import Choice, Image, Reply
from bot.features.quizzes import events as e
from bot.features.quizzes import play as rules
from bot.features.quizzes.events import Event
from bot.features.quizzes.play import FREE_HINTS, Mark, Play
from bot.features.quizzes.puzzles import AnyPuzzle
from bot.features.quizzes.puzzles.choice import Choice as OneChoice
from bot.features.quizzes.puzzles.dialogue import Dialogue
from bot.features.quizzes.puzzles.match import Match
from bot.features.quizzes.puzzles.order import Order
from bot.features.quizzes.puzzles.puzzle import DONE, Option, Picture, Shown
from bot.features.quizzes.puzzles.several import Several
from bot.features.quizzes.puzzles.spot import Spot
from bot.features.quizzes.quiz import Quiz
from bot.library.common import Citation
from bot.library.figures import draw, fill
from bot.talk.feature import Context

ONE_PRESS = (OneChoice, Dialogue, Spot)  # kinds that a team can vote on
NEXT = "next"
SKIP_AFTER = 2  # tries until leaving a puzzle is offered
SCALE = range(1, 6)
FEEL_SURE = ("before", "after")

Techniques = Mapping[str, Mapping[str, tuple[str, bool]]]


@dataclass(frozen=True)
class Facts:
    """What words need beside the quiz: techniques by language and id, sources by id, where pictures lie."""

    techniques: Techniques
    sources: Mapping[str, Citation]
    picture: Callable[[str, Picture], Path | None]


@dataclass(frozen=True)
class Scene:
    """A play as it is shown in one conversation.

    `place` names the live bubble of the open question, so that it is edited where it stands; `hosted` says that a host
    paces the play.
    """

    id: int
    name: str
    quiz: Quiz
    play: Play
    place: str
    language: str
    mode: str
    hosted: bool
    now: datetime


@dataclass
class _Page:
    """Bubbles in the making."""

    replies: list[Reply] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    asks: bool = False
    head: bool = False

    def flush(self) -> None:
        """Make one bubble of the lines so far."""
        if self.lines:
            self.replies.append(Reply("\n\n".join(self.lines)))
            self.lines = []


class Words:
    """Words events for one conversation."""

    def __init__(self, context: Context, scene: Scene, facts: Facts) -> None:
        self.say = context.say
        self.scene = scene
        self.quiz = scene.quiz
        self.play = scene.play
        self.facts = facts

    def told(self, events: Sequence[Event]) -> tuple[Reply, ...]:
        """Return the bubbles for `events`; the open question comes last, if any of them asks it."""
        page = _Page()
        for event in events:
            self._one(event, page)
        page.flush()
        if page.head and self.play.stage == "playing":
            page.replies.append(self.head())
        if page.asks and self.play.stage == "playing":
            page.replies.append(self.question())
        return tuple(page.replies)

    def _one(self, event: Event, page: _Page) -> None:
        match event:
            case e.RoomEntered():
                page.flush()
                page.replies += self.room(event)
                page.head = False
            case e.PuzzleAsked() | e.Picked():
                page.asks = True
            case e.LeakRose():
                page.head = True
                page.lines.append(self.leak(event))
            case e.EndingReached():
                page.flush()
                page.replies.append(self.ending(event.ending))
            case e.DebriefAsked():
                page.replies += [] if self.scene.hosted else [self.debrief(event)]
            case e.Closed():
                page.flush()
                page.replies += self.closing()
            case _:
                page.asks |= isinstance(event, e.AnswerWrong | e.AnswerNear | e.Resumed)
                page.lines += list(self.line(event))

    # -------------------- what happened

    def line(self, event: Event) -> Iterator[str]:
        """Yield the paragraphs for an event that is no bubble of its own."""
        say = self.say
        match event:
            case e.AnswerRight():
                yield " ".join([say("quiz.right"), *self.because(event.room, event.puzzle, event.option)])
                yield from self.technique(event.room, event.puzzle, event.option)
                yield from self.lesson(event.room, event.puzzle)
            case e.AnswerWrong():
                yield from self.wrong(event)
            case e.AnswerNear():
                yield from self.near(event)
            case e.WayTaken():
                yield from self.because(event.room, event.puzzle, event.option)
            case e.TriesUsed():
                yield from self.revealed(event.room, event.puzzle, say("quiz.tries_used"))
            case e.TimeUp():
                yield from self.revealed(event.room, event.puzzle, say("quiz.time_up"))
            case e.Skipped():
                yield from self.revealed(event.room, event.puzzle, say("quiz.skipped"))
            case e.KeyGiven():
                key = self.quiz.rooms[event.room].key
                yield self.fill(key.text) if key else ""
            case _:
                yield from self.notice(event)

    def notice(self, event: Event) -> Iterator[str]:
        """Yield the paragraphs for what was no answer."""
        say = self.say
        match event:
            case e.HintGiven():
                yield from self.hint(event)
            case e.NotUnderstood():
                yield say("quiz.not_understood")
            case e.NoHint():
                yield say("quiz.no_hint")
            case e.Paused():
                yield say("quiz.paused")
            case e.Resumed():
                yield say("quiz.resumed")
            case e.NotNow():
                yield self.not_now(event)

    def fill(self, text: str) -> str:
        """Return a text of the quiz with its figures."""
        return fill(text, self.quiz.figures, self.scene.language)

    def puzzle(self, room: str, puzzle: str) -> AnyPuzzle:
        """Return a puzzle of the quiz, or of the booster that is played."""
        puzzles = self.quiz.rooms[room].puzzles if room else self.quiz.booster(self.play.booster or "")
        return puzzles[puzzle]

    def because(self, room: str, name: str, option: str | None) -> Iterator[str]:
        """Yield why what was chosen is right or wrong: the options' own reasons, and for a talk what comes of it."""
        options = getattr(self.puzzle(room, name), "options", {})
        for one in (option or "").split(","):
            if not (chosen := options.get(one)):
                continue
            text = getattr(chosen, "because", None) or getattr(chosen, "reply", None)
            if text and "," not in (option or ""):
                yield self.fill(text)

    def technique(self, room: str, name: str, option: str | None) -> Iterator[str]:
        """Yield the technique that something said is, unless the lesson leads there anyway."""
        puzzle = self.puzzle(room, name)
        technique = getattr(getattr(puzzle, "options", {}).get(option), "technique", None)
        known = self.facts.techniques.get(self.scene.language, {}).get(technique or "")
        if known and f"/technique {technique}" not in (puzzle.lesson or ""):
            yield f"[{known[0]}](/technique {technique})"

    def wrong(self, event: e.AnswerWrong) -> Iterator[str]:
        """Yield that it is not right, why, and what is left."""
        first = self.say("quiz.same_again" if event.again else "quiz.wrong")
        said = [self.say("quiz.far") if self.puzzle(event.room, event.puzzle).kind == "estimate" else first]
        said += [] if event.again else self.because(event.room, event.puzzle, event.option)
        if event.fits is not None and event.of:
            said.append(self.say("quiz.fits", fits=event.fits, of=event.of))
        if event.left:
            said.append(self.say("quiz.tries_left", count=event.left))
        yield " ".join(said)
        yield from () if event.again else self.technique(event.room, event.puzzle, event.option)

    def near(self, event: e.AnswerNear) -> Iterator[str]:
        """Yield that it is nearly right, or near enough."""
        if event.solved:
            yield self.say("quiz.near_enough")
            yield from self.lesson(event.room, event.puzzle)
            return
        fits = [self.say("quiz.some_missing")] if event.fits is not None else [self.say("quiz.near")]
        left = [self.say("quiz.tries_left", count=event.left)] if event.left else []
        yield " ".join([*fits, *left])

    def revealed(self, room: str, name: str, first: str) -> Iterator[str]:
        """Yield that a puzzle is over unsolved, its answer and its reason."""
        puzzle = self.puzzle(room, name)
        solutions = [self.fill(text) for text in puzzle.solutions(self.quiz.ground)]
        if puzzle.kind in ("answer", "meta"):
            solutions = solutions[:1]
        if puzzle.kind == "estimate":
            solutions = []
        if puzzle.is_fork or not solutions:
            yield from () if puzzle.tries == 1 else (first,)
        else:
            yield f"{first} {self.say('quiz.it_was', answer='; '.join(solutions))}"
        yield from self.lesson(room, name)

    def lesson(self, room: str, name: str) -> Iterator[str]:
        """Yield the explanation, its source, and where to read more."""
        puzzle = self.puzzle(room, name)
        if puzzle.explain:
            yield self.fill(puzzle.explain)
        source = self.facts.sources.get(puzzle.source) if puzzle.source else None
        if source:
            yield self.say("quiz.source", source=f"[{source.title}](<{source.url}>)")
        if puzzle.lesson:
            yield puzzle.lesson

    def hint(self, event: e.HintGiven) -> Iterator[str]:
        """Yield a hint, and what the next one costs."""
        hint = self.fill(self.puzzle(event.room, event.puzzle).hints[event.number - 1])
        yield self.say("quiz.hint", number=event.number, hint=hint)
        if event.left and self.quiz.scored:
            yield self.say("quiz.next_hint_noted")

    def leak(self, event: e.LeakRose) -> str:
        """Return that the meter rose."""
        meter = self.quiz.leak
        name, text = (meter.name, self.fill(meter.text)) if meter else ("", "")
        return f"{text} {self.say('quiz.meter', name=name, level=event.level, full=event.full)}"

    def not_now(self, event: e.NotNow) -> str:
        """Return why nothing was done."""
        if event.why == "paused":
            return self.say("quiz.is_paused")
        return self.say("quiz.not_paused" if event.why == "running" else "quiz.is_over")

    # -------------------- bubbles

    def room(self, event: e.RoomEntered) -> Iterator[Reply]:
        """Yield the card of a room and, the first time, what one sees there."""
        yield self.head()
        if event.again:
            return
        room = self.quiz.rooms[event.room]
        yield Reply(self.fill(room.text), image=self.image(room.image))

    def image(self, picture: Picture | None) -> Image | None:
        """Return a picture; what is seen on it is said where it is no more."""
        if picture is None:
            return None
        path = self.facts.picture(self.scene.name, picture)
        return Image(self.fill(picture.alt), path) if path else None

    def head(self) -> Reply:
        """Return the live card of the room: its name, the keys so far, the meter, the time that is left."""
        say, quiz, play = self.say, self.quiz, self.play
        parts = [f"**{quiz.rooms[play.room].name}**"]
        keys = [key.value for name in play.keys if (key := quiz.rooms[name].key)]
        if keys:
            parts.append(say("quiz.keys", keys=" ".join(keys)))
        if quiz.leak and play.leak:
            parts.append(say("quiz.meter_short", name=quiz.leak.name, level=play.leak, full=quiz.leak.full))
        if play.limit_at is not None:
            left = play.limit_at - (play.paused if play.paused is not None else self.scene.now.timestamp())
            parts.append(say("quiz.minutes_left", count=max(1, round(left / 60))))
        return Reply(" · ".join(parts), slot=f"head-{self.scene.id}-{play.room}")

    def question(self) -> Reply:
        """Return the open question with its buttons or the place to write."""
        asked = rules.question(self.quiz, self.play)
        if asked is None:
            return Reply(self.say("quiz.is_over"))
        puzzle, shown = asked
        mark = self.play.marks.get(f"{self.play.room}.{self.play.puzzle}", Mark())
        parts = [] if mark.tries else list(self.material(puzzle))
        parts.append(f"**{self.fill(puzzle.ask)}**")
        if puzzle.seconds:
            parts.append(self.say("quiz.seconds", count=puzzle.seconds))
        parts += self.sides(puzzle, shown)
        choices = [*self.options(puzzle, shown), *self.helps(puzzle, mark)]
        slot = f"ask-{self.scene.place}"
        prompt = getattr(puzzle, "prompt", None)
        return Reply("\n\n".join(parts), tuple(choices), prompt, self.image(puzzle.image), slot)

    def material(self, puzzle: AnyPuzzle) -> Iterator[str]:
        """Yield what stands above a question."""
        if puzzle.text:
            yield self.fill(puzzle.text)
        if says := getattr(puzzle, "says", None):
            yield "\n".join(f"> {line}" for line in self.fill(says).split("\n"))

    def sides(self, puzzle: AnyPuzzle, shown: Shown) -> Iterator[str]:
        """Yield both sides of pairs, and what is picked so far of these or of an order."""
        picked = self.play.picked
        if isinstance(puzzle, Match):
            yield "\n".join(f"{place}. {self.text(option)}" for place, option in enumerate(shown.options, 1))
            yield "\n".join(f"- **{option.say}** {self.text(option)}" for option in shown.against)
            yield self.say("quiz.pairs")
        elif isinstance(puzzle, Order):
            names = {option.id: self.text(option) for option in shown.options}
            yield "\n".join(f"{place}. {names[name]}" for place, name in enumerate(picked, 1)) or self.say("quiz.order")
        elif isinstance(puzzle, Several):
            yield self.say("quiz.several")

    def text(self, option: Option) -> str:
        """Return what an option says."""
        return self.say("quiz.nothing_wrong") if option.text is None else self.fill(option.text)

    def options(self, puzzle: AnyPuzzle, shown: Shown) -> Iterator[Choice]:
        """Yield the buttons of a question, always in the same places, so that a number means the same all along."""
        picked = self.play.picked
        if isinstance(puzzle, Match):
            yield from self.pairing(shown)
            return
        for option in shown.options:
            place = picked.index(option.id) + 1 if option.id in picked else 0
            mark = (f"({place}) " if isinstance(puzzle, Order) else "✓ ") if place else ""
            yield Choice(f"{mark}{self.text(option)}", option.say)
        if isinstance(puzzle, Several) and picked:
            yield Choice(self.say("quiz.done"), DONE)

    def pairing(self, shown: Shown) -> Iterator[Choice]:
        """Yield the side of pairs whose turn it is: numbers, or the letters for the number that was picked."""
        picked = self.play.picked
        if len(picked) % 2:
            yield from (Choice(option.say, option.say) for option in shown.against)
            return
        letters = {option.id: option.say for option in shown.against}
        paired = {this: letters[that] for this, that in zip(picked[::2], picked[1::2], strict=True)}
        for place, option in enumerate(shown.options, 1):
            yield Choice(f"{place} – {paired[option.id]}" if option.id in paired else str(place), option.say)

    def helps(self, puzzle: AnyPuzzle, mark: Mark) -> Iterator[Choice]:
        """Yield the ways to get help: a hint that says what it costs, leaving it, deciding at once."""
        if self.scene.mode == "majority" and isinstance(puzzle, ONE_PRESS):
            yield Choice(self.say("quiz.decide_now"), "/decide")
        if mark.hints < len(puzzle.hints):
            free = mark.hints < FREE_HINTS or not self.quiz.scored
            yield Choice(self.say("quiz.hint_free" if free else "quiz.hint_noted"), "/hint")
        if mark.tries >= SKIP_AFTER or (puzzle.hints and mark.hints == len(puzzle.hints)):
            yield Choice(self.say("quiz.leave_it"), "/skip")

    # -------------------- the end

    def ending(self, name: str | None) -> Reply:
        """Return how it ended and how it went."""
        found = self.quiz.endings.get(name or "")
        if self.play.booster:
            return Reply(self.say("quiz.booster_done"))
        text = f"**{found.name}**\n\n{self.fill(found.text)}" if found else self.say("quiz.stopped")
        went = [] if not self.quiz.scored else [self.score()]
        return Reply("\n\n".join([text, *went]))

    def score(self) -> str:
        """Return how the puzzles went; speed counts nothing."""
        score = rules.score(self.play)
        parts = [self.say(f"quiz.score_{name}", count=count) for name, count in score._asdict().items() if count]
        return self.say("quiz.score", parts=", ".join(parts)) if parts else self.say("quiz.score_none")

    def debrief(self, event: e.DebriefAsked) -> Reply:
        """Return a question of the debrief; nobody waits for what is answered."""
        text = self.fill(self.quiz.debrief.steps[event.step])
        head = self.say("quiz.debrief", number=event.number, of=event.of)
        talk = [self.say("quiz.debrief_first")] if event.number == 1 else []
        if self.scene.hosted:
            return Reply("\n\n".join([head, f"**{text}**"]))
        slot = f"ask-{self.scene.place}"
        return Reply("\n\n".join([*talk, head, f"**{text}**"]), (Choice(self.say("quiz.next"), NEXT),), slot=slot)

    def step(self) -> Reply | None:
        """Return the debrief's open question."""
        steps = list(self.quiz.debrief.steps)
        if self.play.step not in steps:
            return None
        return self.debrief(e.DebriefAsked(self.play.step, steps.index(self.play.step) + 1, len(steps)))

    def closing(self) -> Iterator[Reply]:
        """Yield the last words, how ready one feels now, and what comes after a week."""
        if self.play.booster:
            return
        yield Reply(self.fill(self.quiz.debrief.text))
        yield self.ready("after")
        if self.quiz.boosters:
            yield Reply(
                self.say("quiz.boosters", title=escape(self.quiz.title)),
                (
                    Choice(self.say("quiz.boosters_yes"), "/boosters yes"),
                    Choice(self.say("quiz.booster_week"), f"/quiz {self.scene.name} week"),
                    Choice(self.say("quiz.booster_fortnight"), f"/quiz {self.scene.name} fortnight"),
                ),
            )

    def ready(self, when: str) -> Reply:
        """Return the question how ready one feels to answer, `before` or `after`."""
        labels = {1: self.say("quiz.ready_least"), 5: self.say("quiz.ready_most")}
        choices = tuple(Choice(labels.get(n, str(n)), f"/ready {when} {n}") for n in SCALE)
        return Reply(self.say("quiz.ready_before" if when == "before" else "quiz.ready_after"), choices)

    def opening(self, cut: str | None) -> Reply:
        """Return what a play begins with: what it is, how long it takes, how it goes."""
        quiz, say = self.quiz, self.say
        minutes = quiz.cuts[cut].minutes if cut in quiz.cuts else quiz.minutes
        parts = [say("quiz.title", title=quiz.title, count=minutes), self.fill(quiz.about), say("quiz.how")]
        return Reply("\n\n".join(parts))


def figure(count: int, language: str) -> str:
    """Return a number as a language writes it."""
    return draw(str(count), language)
