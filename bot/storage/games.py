"""A host's game of several plays: what a projector may show of it, and what its host alone sees."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any, Literal

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from bot.core.message import Address
from bot.storage import plays
from bot.storage.hot import Hot
from bot.storage.lock import alone, meets
from bot.storage.moments import millis, moment
from bot.storage.plays import WEEK, PlayRow, game_lock
from bot.storage.tables import GAMES, HOSTS, RESULTS, WORDS
from bot.storage.upsert import insert as upsert

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that looks like another
CODE, SECRET = 6, 9  # letters of a game's code, and of the one by which somebody takes over
ESCAPED = "escaped"
_NAMES = [column.name for column in GAMES.c]
_TAKE = Hot(select(GAMES).where(GAMES.c.code == bindparam("code")))
_HOSTS = Hot(select(HOSTS.c.address).where(HOSTS.c.game == bindparam("code")).order_by(HOSTS.c.address))

State = Literal["open", "running", "paused", "debrief", "ended"]


@dataclass(frozen=True, slots=True)
class TeamShown:
    """A team on the wall: `room` is its place in `Board.rooms` from 0, `of` how many there are.

    `done` says that its game is over, `escaped` that it ended well; `name` is drawn from the pack, or was checked.
    """

    name: str
    room: int
    of: int
    done: bool = False
    escaped: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """All that a projector may show: nothing that a participant typed, unless the host released it.

    Texts are by language code, the pack's first. `seconds` is what the slowest clock has left, None where there is no
    clock or it has not started. `state` is `paused` for whatever reason there is a pause. `question` is the one under
    discussion and `words` the answers to it that the host released; `step` is the id of the debrief's question that
    is asked, whose words then are in `question`. `language` is the one the host speaks.
    """

    code: str
    quiz: str
    titles: Mapping[str, str]
    language: str
    state: State
    seconds: float | None
    rooms: tuple[str, ...]
    room_names: Mapping[str, tuple[str, ...]]
    teams: tuple[TeamShown, ...] = ()
    question: Mapping[str, str] | None = None
    words: tuple[str, ...] = ()
    step: str | None = None


@dataclass(frozen=True, slots=True)
class TeamHosted:
    """A team as its host sees it: `number` (from 1) is what commands call it by.

    `room` and `puzzle` are ids, `puzzle` "" between puzzles; `since` is when the puzzle was asked, `seen` when the team
    last said anything; `hints` are those given for this puzzle.
    """

    number: int
    name: str
    room: str
    puzzle: str
    hints: int
    since: datetime | None
    seen: datetime | None
    done: bool = False
    escaped: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """What the host sees: the wall, the teams behind it, the code by which another can take over.

    `notes` is the id of the quiz whose facilitator's notes belong beside it; `hurt` says that everything was paused
    because something hurtful was said (the host alone knows why); `waiting` are the words that participants gave and
    that are not on the wall, each with the number by which `/release` names it.
    """

    board: Board
    host_code: str
    notes: str
    teams: tuple[TeamHosted, ...] = ()
    hurt: bool = False
    waiting: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Game:
    """A game as it is stored. `question` is what the host put up for discussion, by language."""

    code: str
    secret: str
    quiz: str
    edition: str
    cut: str | None
    mode: str
    own_names: bool
    language: str
    state: State
    hurt: bool
    orders: int
    teams: int
    step: str | None
    question: Mapping[str, str] | None
    made: datetime
    ends: datetime


def add(tx: Connection, chance: Random, now: datetime, **values: Any) -> Game:
    """Write a new game under codes that no other has; return it."""
    while True:
        code, secret = ("".join(chance.choices(LETTERS, k=length)) for length in (CODE, SECRET))
        row = {"code": code, "secret": secret, "state": "open", "made": millis(now), "ends": millis(now + WEEK)}
        if tx.execute(upsert(GAMES).values({**row, **values}).on_conflict_do_nothing()).rowcount:
            break
    found = take(tx, code)
    if found is None:
        raise LookupError("a game that was just written")
    return found


def as_code(typed: str) -> str:
    """Return a code as it is kept, however it was typed: small letters, spaces and hyphens are forgiven."""
    return "".join(letter for letter in typed.upper() if letter.isalnum())[:20]


def take(tx: Connection, typed: str) -> Game | None:
    """Return the game of a code, None where there is none."""
    code = as_code(typed)
    alone(tx, game_lock(code))
    row = _TAKE.run(tx, code=code).fetchone()
    return _game(dict(zip(_NAMES, row, strict=True))) if row else None


def by_secret(tx: Connection, typed: str) -> Game | None:
    """Return the game that may be taken over by a code."""
    mine = GAMES.c.secret == as_code(typed)
    _wait(tx, select(GAMES.c.code).where(mine))
    row = tx.execute(select(GAMES).where(mine)).one_or_none()
    return _game(dict(row._mapping)) if row else None


def hosted(tx: Connection, where: Address) -> Game | None:
    """Return the game that is hosted from the conversation `where`."""
    mine = HOSTS.c.address == str(where)
    _wait(tx, select(HOSTS.c.game).where(mine))
    row = tx.execute(select(GAMES).join(HOSTS, HOSTS.c.game == GAMES.c.code).where(mine)).one_or_none()
    return _game(dict(row._mapping)) if row else None


def _wait(tx: Connection, codes: Select[Any]) -> None:
    """Let nobody else change the games of these codes until `tx` is over."""
    if meets(tx):
        alone(tx, *map(game_lock, tx.execute(codes).scalars()))


def _game(values: dict[str, Any]) -> Game:
    values |= {name: bool(values[name]) for name in ("own_names", "hurt")}
    values |= {name: moment(values[name]) for name in ("made", "ends")}
    return Game(**{**values, "question": json.loads(values["question"]) if values["question"] else None})


def change(tx: Connection, game: Game, **values: Any) -> Game:
    """Change a game; return it as it is now."""
    written = {name: _written(value) for name, value in values.items()}
    tx.execute(update(GAMES).where(GAMES.c.code == game.code).values(written))
    return replace(game, **values)


def _written(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return int(value) if isinstance(value, bool) else value


def order(tx: Connection, game: Game, **values: Any) -> Game:
    """Count one more thing that the host did, and change the game with it."""
    return change(tx, game, orders=game.orders + 1, **values)


def end(tx: Connection, game: Game, now: datetime) -> Game:
    """Let a game be over: a day later nothing but counts remains."""
    plays.close_all(tx, game.code, now)
    for table in (HOSTS, WORDS):
        tx.execute(update(table).where(table.c.game == game.code).values(ends=millis(now)))
    tx.execute(update(GAMES).where(GAMES.c.code == game.code).values(ends=millis(now)))
    return order(tx, game, state="ended", hurt=False, question=None)


# ---------------------------------------- who hosts


def let_host(tx: Connection, code: str, where: Address, now: datetime) -> None:
    """Let `where` host a game, and no other one."""
    new = upsert(HOSTS).values(address=str(where), game=code, ends=millis(now + WEEK))
    tx.execute(new.on_conflict_do_update(index_elements=["address"], set_={"game": code, "ends": new.excluded.ends}))


def hosts(tx: Connection, code: str) -> list[Address]:
    """Return the conversations from which a game is hosted."""
    return [Address.parse(row[0]) for row in _HOSTS.run(tx, code=code)]


def next_team(tx: Connection, game: Game) -> int:
    """Return the number of the next team, which no other gets."""
    tx.execute(update(GAMES).where(GAMES.c.code == game.code).values(teams=GAMES.c.teams + 1))
    number: int = tx.execute(select(GAMES.c.teams).where(GAMES.c.code == game.code)).scalar_one()
    return number


# ---------------------------------------- words for the wall


def give_word(tx: Connection, game: Game, word: str) -> None:
    """Keep a word that waits for the host."""
    number = tx.execute(
        select(func.coalesce(func.max(WORDS.c.number), 0)).where(WORDS.c.game == game.code)
    ).scalar_one()
    tx.execute(insert(WORDS).values(game=game.code, number=number + 1, word=word, ends=millis(game.ends)))


def words(tx: Connection, code: str, *, shown: bool) -> list[tuple[int, str]]:
    """Return the words that are on the wall, or those that wait, by number."""
    mine = (WORDS.c.game == code) & (WORDS.c.shown == int(shown))
    rows = tx.execute(select(WORDS.c.number, WORDS.c.word).where(mine).order_by(WORDS.c.number))
    return [(row.number, row.word) for row in rows]


def release(tx: Connection, code: str, number: int) -> bool:
    """Put a word that waits on the wall; False where there is none of that number."""
    mine = (WORDS.c.game == code) & (WORDS.c.number == number)
    return tx.execute(update(WORDS).where(mine).values(shown=1)).rowcount == 1


def drop(tx: Connection, code: str, number: int) -> bool:
    """Delete a word, on the wall or not; False where there is none of that number."""
    mine = (WORDS.c.game == code) & (WORDS.c.number == number)
    return tx.execute(delete(WORDS).where(mine)).rowcount == 1


# ---------------------------------------- what remains


def count(tx: Connection, quiz: str, game: str | None, found: Iterable[tuple[str, str, int]], now: datetime) -> None:
    """Add (what, value, how many) to the counts of a quiz, and to those of a game where it is one's."""
    for what, value, many in found:
        for code in dict.fromkeys(("", game or "")):
            row = {"quiz": quiz, "game": code, "what": what, "value": value, "count": many, "last": millis(now)}
            new = upsert(RESULTS).values(row)
            more = {"count": RESULTS.c["count"] + many, "last": new.excluded.last}
            tx.execute(new.on_conflict_do_update(index_elements=["quiz", "game", "what", "value"], set_=more))


def counts(tx: Connection, quiz: str, game: str = "") -> dict[tuple[str, str], int]:
    """Return (what, value) → how many, of a game or of the quiz wherever it was played."""
    mine = (RESULTS.c.quiz == quiz) & (RESULTS.c.game == game)
    rows = tx.execute(select(RESULTS.c.what, RESULTS.c.value, RESULTS.c["count"]).where(mine))
    return {(what, value): many for what, value, many in rows}


def reset(tx: Connection, quiz: str, game: str, what: str) -> None:
    """Forget the counts of one question in a game, so that hands may be counted anew."""
    old = counts(tx, quiz, game)
    for (found, value), many in old.items():
        if found == what:
            rest = (RESULTS.c.quiz == quiz) & (RESULTS.c.what == what) & (RESULTS.c.value == value)
            tx.execute(update(RESULTS).where(rest, RESULTS.c.game == "").values(count=RESULTS.c["count"] - many))
            tx.execute(delete(RESULTS).where(rest, RESULTS.c.game == game))


# ---------------------------------------- what is shown


def board(tx: Connection, code: str, now: datetime) -> Board | None:
    """Return what the wall shows of a game, None where the code leads nowhere."""
    game = take(tx, code)
    return _board(tx, game, plays.of_game(tx, game.code), now) if game else None


def panel(tx: Connection, where: Address, now: datetime) -> Panel | None:
    """Return what the host sees who hosts from the conversation `where`, None where nothing is hosted there."""
    game = hosted(tx, where)
    if game is None:
        return None
    found = plays.of_game(tx, game.code)
    waiting = tuple(words(tx, game.code, shown=False))
    teams = tuple(map(_hosted, found))
    return Panel(_board(tx, game, found, now), game.secret, game.quiz, teams, game.hurt, waiting)


def _board(tx: Connection, game: Game, found: list[PlayRow], now: datetime) -> Board:
    face = plays.face_of(tx, game.edition)
    rooms = tuple(face.get("rooms", ()))
    names = {language: tuple(named) for language, named in face.get("names", {}).items()}
    step = game.step if game.state == "debrief" and not game.hurt else None
    asked = face.get("steps", {}).get(step) if step else None
    return Board(
        game.code,
        game.quiz,
        face.get("titles", {}),
        game.language,
        # Where something hurtful was said the wall says that there is a pause, whatever it showed before, and no more.
        "paused" if game.hurt else game.state,
        _left(found, now) if game.state in ("running", "paused") else None,
        rooms,
        names,
        tuple(_shown(play, rooms) for play in found),
        None if game.hurt else game.question or asked,
        () if game.hurt else tuple(word for _, word in words(tx, game.code, shown=True)),
        step,
    )


def _left(found: list[PlayRow], now: datetime) -> float | None:
    """Return the seconds of the slowest clock that runs."""
    left = [
        ((play.limit_at - (play.paused or now)).total_seconds())
        for play in found
        if play.limit_at and play.stage == "playing"
    ]
    return max(0.0, *left) if left else None


def _shown(play: PlayRow, rooms: tuple[str, ...]) -> TeamShown:
    done = play.stage in ("debrief", "closed")
    place = len(rooms) if done else rooms.index(play.room) if play.room in rooms else 0
    return TeamShown(play.name, place, len(rooms), done, play.ending == ESCAPED)


def _hosted(play: PlayRow) -> TeamHosted:
    done = play.stage in ("debrief", "closed")
    seen = play.changed if play.version else None
    hints = play.hints
    return TeamHosted(
        play.team, play.name, play.room, play.puzzle, hints, play.asked, seen, done, play.ending == ESCAPED
    )
