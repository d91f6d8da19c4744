"""A team's turn: its play is taken from its row, something is done to it, it is kept, everybody of it hears of it."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.core.markup import escape
from bot.core.message import Address, Reply
from bot.core.session import Session
from bot.features.quizzes import events as e
from bot.features.quizzes import play as rules
from bot.features.quizzes.editions import Editions
from bot.features.quizzes.events import Event, Events
from bot.features.quizzes.play import Mark, Play
from bot.features.quizzes.quiz import Quiz
from bot.features.quizzes.replies import Facts, Scene, Words
from bot.library.figures import fill
from bot.storage import games, plays
from bot.storage.games import Game
from bot.storage.moments import millis
from bot.storage.plays import PlayRow
from bot.talk.feature import Context, Outcome, Telling

PLAYING, HOSTING = "quizzes", "games"
CARD_EVERY = 2  # seconds: a host's card follows a hundred teams without being drawn for each press

_EVENTS: Mapping[str, type[Any]] = {kind.__name__: kind for kind in Event.__args__}
_MOVES = (e.RoomEntered, e.PuzzleAsked, e.AnswerRight, e.AnswerWrong, e.AnswerNear, e.WayTaken)
_MOVES += (e.Skipped, e.TimeUp, e.EndingReached, e.DebriefAsked, e.Closed)  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Team:
    """A play in hand: its row, its quiz in the language of whoever speaks, its state (None before it begins)."""

    row: PlayRow
    quiz: Quiz
    play: Play | None
    game: Game | None = None

    @property
    def hosted(self) -> bool:
        """Whether a host paces it."""
        return self.row.game is not None

    @property
    def over(self) -> bool:
        """Whether the whole game is over."""
        return self.game is not None and self.game.state == "ended"

    @property
    def held(self) -> bool:
        """Whether its host pauses everything, for a talk or because something hurtful was said."""
        return self.game is not None and (self.game.state == "paused" or self.game.hurt)


def pack(events: Sequence[Event]) -> list[Any]:
    """Return events as JSON can hold them."""
    return [[type(event).__name__, asdict(event)] for event in events]


def unpack(packed: Sequence[Any]) -> Events:
    """Return the events that `pack` wrote."""
    return tuple(
        _EVENTS[name](**{key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})
        for name, values in packed
    )


def voter(context: Context, play: int) -> str:
    """Return a key for whoever speaks that says nothing outside of this play."""
    whole = f"{play}:{context.session.where}:{context.sender}"
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


class Teams:
    """Takes plays, does things to them, keeps them, tells everybody."""

    def __init__(self, editions: Editions, facts: Facts) -> None:
        self.editions = editions
        self.facts = facts

    def load(self, context: Context, number: int, language: str | None = None) -> Team | None:
        """Return a play, None where it or its quiz is no more."""
        row = plays.take(context.tx, number)
        return self.team(context.tx, row, language or context.language) if row else None

    def team(self, tx: Connection, row: PlayRow, language: str) -> Team | None:
        """Return the play of a row."""
        quiz = self.editions.get(tx, row.edition, language)
        play = Play.from_json(json.loads(row.state)) if row.state else None
        if quiz is None or (row.state and play is None):
            return None
        game = games.take(tx, row.game) if row.game else None
        return Team(row, quiz, play, game)

    def act(self, context: Context, team: Team, said: str, now: datetime | None = None) -> tuple[Team, Events] | None:
        """Do what `said` says to a play; return the play and what happened, None where somebody was quicker."""
        if team.play is None:
            return team, ()
        when = now or context.now
        play, events = rules.step(team.quiz, team.play, said, when)
        if play == team.play:
            return team, events
        return self.keep(context, team, play, events, said)

    def begin(self, context: Context, team: Team, booster: str | None = None) -> tuple[Team, Events] | None:
        """Begin a play that waits."""
        seed = context.chance.randrange(2**30)
        if booster:
            play, events = rules.begin_booster(team.quiz, booster, seed, context.now)
        else:
            cut = team.row.cut if team.row.cut in team.quiz.cuts else None
            play, events = rules.begin(team.quiz, seed, context.now, cut)
        return self.keep(context, team, play, events, "/begin")

    def keep(self, context: Context, team: Team, play: Play, events: Events, said: str) -> tuple[Team, Events] | None:
        """Keep a play as it is now; None where somebody was quicker."""
        moved = any(isinstance(event, _MOVES) for event in events)
        mark = play.marks.get(f"{play.room}.{play.puzzle}", Mark())
        row = replace(
            team.row,
            state=json.dumps(play.to_json(), separators=(",", ":")),
            number=team.row.number + moved,
            room=play.room,
            puzzle=play.puzzle,
            hints=mark.hints,
            stage=play.stage,
            ending=play.ending,
            limit_at=_moment(play.limit_at, context.now),
            paused=_moment(play.paused, context.now),
            asked=context.now if moved else team.row.asked,
        )
        kept = plays.put(context.tx, row, context.now, said, over=team.over or rules.over(play))
        if kept is None:
            return None
        if any(isinstance(event, e.EndingReached) for event in events) and not play.booster:
            games.count(context.tx, kept.quiz, kept.game, _results(play), context.now)
        return replace(team, row=kept, play=play), events

    def filled(self, quiz: Quiz, text: str, language: str) -> str:
        """Return a text of a quiz with its figures."""
        return fill(text, quiz.figures, language)

    # -------------------- what everybody hears

    def words(self, context: Context, team: Team, *, fresh: bool = False) -> Words:
        """Return what words a play in this conversation, with `fresh` in new bubbles."""
        row = team.row
        play = team.play or Play(0)
        place = self.place(context.session, row, fresh=fresh).replace(":", "-")
        scene = Scene(row.id, row.quiz, team.quiz, play, place, context.language, row.mode, team.hosted, context.now)
        return Words(context, scene, self.facts)

    def place(self, session: Session, row: PlayRow, *, fresh: bool = False) -> str:
        """Return where a conversation is: the play, its question, and the turn from which on that is shown there."""
        here = f"{row.id}:{row.number}:"
        states = (scene.state for scene in session.scenes if scene.feature == PLAYING)
        known = next((state for state in states if state.startswith(here) and not fresh), None)
        return known or f"{here}{session.turns}"

    def at(self, context: Context, team: Team, *, fresh: bool = False) -> Session:
        """Return the session with this play on top, at its question; without it where the play is closed.

        It is from now on in the language that is spoken, for it will be told things.
        """
        session = replace(context.session, language=context.session.language or context.language)
        if team.play is not None and rules.over(team.play):
            return replace(session.leave(PLAYING), together=False)
        top = session.enter(PLAYING, self.place(session, team.row, fresh=fresh))
        return replace(top, together=team.hosted)

    def shown(self, context: Context, team: Team) -> tuple[Reply, ...]:
        """Return where a play is, in new bubbles: the room's card and the open question."""
        words, play = self.words(context, team, fresh=True), team.play
        if play is None:
            return (Reply(context.say("quiz.wait_for_start", name=escape(team.row.name))),)
        if play.stage == "playing":
            return (*([] if play.booster else [replace(words.head(), slot=None)]), words.question())
        step = words.step()
        return (step,) if step else ()

    def outcome(self, context: Context, before: Team, after: Team, events: Events) -> Outcome:
        """Return what this conversation is shown of `events`; the play's other conversations and its host are told."""
        replies = self.words(context, after).told(events)
        tell = (*self.tell_others(context, after, events), *self.deadlines(context, before, after))
        return Outcome(replies, self.at(context, after), (*tell, *self.tell_hosts(context, after)))

    def tell_others(self, context: Context, team: Team, events: Events, *, all_: bool = False) -> tuple[Telling, ...]:
        """Return what the play's other conversations are to hear, or all of them."""
        if not events:
            return ()
        here = None if all_ else context.session.where
        what = {"play": team.row.id, "number": team.row.number, "events": pack(events)}
        return tuple(
            Telling(seat, PLAYING, what, context.now, f"play:{team.row.id}:{team.row.version}:{seat}")
            for seat in plays.seats(context.tx, team.row.id)
            if seat != here
        )

    def deadlines(self, context: Context, before: Team, after: Team) -> tuple[Telling, ...]:
        """Return when the play's conversations are to look at the clock, where that is another moment than before."""
        due = rules.next_deadline(after.quiz, after.play) if after.play else None
        was = rules.next_deadline(before.quiz, before.play) if before.play else None
        if due is None or due == was:
            return ()
        number = after.row.id
        return tuple(
            Telling(seat, PLAYING, {"play": number, "due": True}, due, f"due:{number}:{millis(due)}:{seat}")
            for seat in plays.seats(context.tx, number)
        )

    def tell_hosts(self, context: Context, team: Team) -> tuple[Telling, ...]:
        """Return that the host's card is to be drawn anew, at most every two seconds."""
        return cards(context, team.row.game) if team.row.game else ()


def cards(context: Context, code: str) -> tuple[Telling, ...]:
    """Return that the cards of a game's hosts are to be drawn anew."""
    beat = int(context.now.timestamp()) // CARD_EVERY + 1
    when = datetime.fromtimestamp(beat * CARD_EVERY, context.now.tzinfo)
    return tuple(
        Telling(host, HOSTING, {"card": code}, when, f"card:{code}:{beat}:{host}")
        for host in games.hosts(context.tx, code)
    )


def order(context: Context, game: Game, do: str, to: Sequence[Address], **more: Any) -> tuple[Telling, ...]:
    """Return the host's order for every conversation in `to`."""
    at = context.now.timestamp()
    return tuple(
        Telling(
            seat,
            PLAYING,
            {"game": game.code, "order": game.orders, "do": do, "at": at, **more},
            context.now,
            f"order:{game.code}:{game.orders}:{seat}",
        )
        for seat in dict.fromkeys(to)
    )


def _moment(stamp: float | None, now: datetime) -> datetime | None:
    return None if stamp is None else datetime.fromtimestamp(stamp, now.tzinfo)


def _results(play: Play) -> list[tuple[str, str, int]]:
    """Return what remains of a play: how each puzzle went, and how it ended."""
    went = [("puzzle", f"{name} {m.outcome}", 1) for name, m in play.marks.items() if m.outcome and m.outcome != "fork"]
    return [*went, ("ending", play.ending or "stopped", 1)]


BOOSTERS = {"week": timedelta(days=7), "fortnight": timedelta(days=14)}

Done = tuple[Team, Events] | None
Act = Callable[[Context, Team], Done]
