"""Plays: a team's run of a quiz as a row, its conversations, votes and log, and the edition that it is played from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from bot.core.message import Address
from bot.storage.hot import Hot
from bot.storage.lock import alone, meets
from bot.storage.moments import millis, moment
from bot.storage.tables import EDITIONS, GAMES, HOSTS, PLAY_LOG, PLAYS, SEATS, TELLINGS, VOTES, WORDS
from bot.storage.upsert import insert as upsert

WEEK = timedelta(days=6)  # and a day, for which what is over is kept
FRESH = timedelta(days=1)  # so often an unfinished play's rows are kept for longer
LONGEST_SAID = 200


@dataclass(frozen=True, slots=True)
class PlayRow:
    """A play as it is stored; moments are aware. `state` is "" before the play begins."""

    id: int
    quiz: str
    edition: str
    cut: str | None
    game: str | None
    team: int
    name: str
    mode: str
    captain: str | None
    state: str
    number: int
    version: int
    done_to: int
    room: str
    puzzle: str
    hints: int
    stage: str
    ending: str | None
    limit_at: datetime | None
    paused: datetime | None
    asked: datetime | None
    changed: datetime
    ends: datetime


_MOMENTS = ("limit_at", "paused", "asked", "changed", "ends")
_ONE = Hot(select(PLAYS).where(PLAYS.c.id == bindparam("number")))
_NAMES = [column.name for column in PLAYS.c]
_CHANGING = [name for name in _NAMES if name not in ("id", "quiz", "edition", "cut", "game", "team")]
_PUT = Hot(
    update(PLAYS)
    .where(PLAYS.c.id == bindparam("which"), PLAYS.c.version == bindparam("was"))
    .values({name: bindparam(name) for name in _CHANGING})
)
_SEATS = Hot(select(SEATS.c.address).where(SEATS.c.play == bindparam("number")).order_by(SEATS.c.address))
_AT = Hot(
    select(PLAYS)
    .where(PLAYS.c.id.in_(select(SEATS.c.play).where(SEATS.c.address == bindparam("where"))))
    .order_by(PLAYS.c.id)
)
_OF_GAME = Hot(select(PLAYS).where(PLAYS.c.game == bindparam("code")).order_by(PLAYS.c.team))
_VOTES = Hot(
    select(VOTES.c.voter, VOTES.c.choice)
    .where(VOTES.c.play == bindparam("which"), VOTES.c.number == bindparam("question"))
    .order_by(VOTES.c.at, VOTES.c.voter)
)
_VOTERS = Hot(select(func.count(VOTES.c.voter.distinct())).where(VOTES.c.play == bindparam("which")))
_new_vote = upsert(VOTES).values({column.name: bindparam(column.name) for column in VOTES.c})
_VOTE = Hot(
    _new_vote.on_conflict_do_update(
        index_elements=["play", "number", "voter"], set_={"choice": _new_vote.excluded.choice}
    )
)
_LOG = Hot(insert(PLAY_LOG).values({column.name: bindparam(column.name) for column in PLAY_LOG.c}))


def edition(trees: Mapping[str, Any]) -> str:
    """Return the digest by which `trees`, a quiz in every language, are kept."""
    return hashlib.sha256(_written(trees).encode()).hexdigest()[:16]


def keep_edition(
    tx: Connection, digest: str, quiz: str, trees: Mapping[str, Any], face: Mapping[str, Any], now: datetime
) -> None:
    """Keep `trees` once; whoever comes later only says that they are still played."""
    found = update(EDITIONS).where(EDITIONS.c.digest == digest).values(used=millis(now))
    if tx.execute(found).rowcount:
        return
    row = {"digest": digest, "quiz": quiz, "trees": _written(trees), "face": _written(face), "used": millis(now)}
    tx.execute(upsert(EDITIONS).values(row).on_conflict_do_nothing())


def edition_of(tx: Connection, digest: str) -> Mapping[str, Any] | None:
    """Return the trees by language of an edition; None where it is no more."""
    found = tx.execute(select(EDITIONS.c.trees).where(EDITIONS.c.digest == digest)).scalar()
    trees: Mapping[str, Any] | None = json.loads(found) if found else None
    return trees


def face_of(tx: Connection, digest: str) -> Mapping[str, Any]:
    """Return what a projector shows of an edition; {} where it is no more."""
    found = tx.execute(select(EDITIONS.c.face).where(EDITIONS.c.digest == digest)).scalar()
    face: Mapping[str, Any] = json.loads(found) if found else {}
    return face


def _written(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def add(tx: Connection, now: datetime, **values: Any) -> PlayRow:
    """Write a new play and return it."""
    stamp = millis(now)
    fresh = {"state": "", "number": 0, "version": 0, "stage": "waiting", "changed": stamp, "ends": stamp + _week()}
    made = tx.execute(insert(PLAYS).values({**fresh, **values}))
    key = made.inserted_primary_key
    found = take(tx, key[0]) if key else None
    if found is None:
        raise LookupError("a play that was just written")
    return found


def _week() -> int:
    return round(WEEK.total_seconds() * 1000)


def take(tx: Connection, number: int) -> PlayRow | None:
    """Return the play, None where there is none."""
    _wait(tx, PLAYS.c.id == number)
    row = _ONE.run(tx, number=number).fetchone()
    return _play(row) if row else None


def _wait(tx: Connection, mine: ColumnElement[bool]) -> None:
    """Let nobody else change these plays until `tx` is over; who plays or hosts a game waits for all of it."""
    if meets(tx):
        found = tx.execute(select(PLAYS.c.id, PLAYS.c.game).where(mine)).all()
        alone(tx, *(game_lock(row.game) if row.game else f"play {row.id}" for row in found))


def game_lock(code: str) -> str:
    """Name what only one turn at a time does something to: a game and its plays."""
    return f"game {code}"


def _play(row: Any) -> PlayRow:
    values = dict(zip(_NAMES, row, strict=True))
    return PlayRow(**{**values, **{name: _moment(values[name]) for name in _MOMENTS}})


def _moment(value: int | None) -> datetime | None:
    return None if value is None else moment(value)


def put(tx: Connection, play: PlayRow, now: datetime, said: str = "", *, over: bool = False) -> PlayRow | None:
    """Keep `play` if nobody changed it meanwhile, and note what was said; return it as kept, else None."""
    was = play.ends
    ends = now if over else max(was, now + WEEK) if was - now < WEEK - FRESH else was
    kept = replace(play, version=play.version + 1, changed=now, ends=ends)
    values = {name: getattr(kept, name) for name in _CHANGING}
    values |= {name: millis(values[name]) for name in _MOMENTS if values[name] is not None}
    if not _PUT.run(tx, which=play.id, was=play.version, **values).rowcount:
        return None
    if ends != was:
        _keep_until(tx, kept, ends)
    if said:
        stamps = {"at": millis(now), "ends": millis(ends)}
        _LOG.run(tx, play=play.id, version=kept.version, said=said[:LONGEST_SAID], **stamps)
    return kept


def _keep_until(tx: Connection, play: PlayRow, ends: datetime) -> None:
    """Let everything that hangs on a play go when it goes."""
    for table in (SEATS, VOTES, PLAY_LOG):
        tx.execute(update(table).where(table.c.play == play.id).values(ends=millis(ends)))
    tx.execute(update(EDITIONS).where(EDITIONS.c.digest == play.edition).values(used=millis(ends)))
    if play.game and ends > play.changed:
        tx.execute(update(GAMES).where(GAMES.c.code == play.game, GAMES.c.state != "ended").values(ends=millis(ends)))
        for table in (HOSTS, WORDS):
            tx.execute(update(table).where(table.c.game == play.game).values(ends=millis(ends)))


def log(tx: Connection, play: int) -> list[tuple[str, datetime]]:
    """Return what was said in a play, in order."""
    rows = tx.execute(select(PLAY_LOG).where(PLAY_LOG.c.play == play).order_by(PLAY_LOG.c.version))
    return [(row.said, moment(row.at)) for row in rows]


# ---------------------------------------- seats


def sit(tx: Connection, play: int, where: Address, now: datetime) -> bool:
    """Let the conversation `where` be one of the play's; False where it was already."""
    row = {"play": play, "address": str(where), "ends": millis(now + WEEK)}
    return tx.execute(upsert(SEATS).values(row).on_conflict_do_nothing()).rowcount == 1


def seats(tx: Connection, play: int) -> list[Address]:
    """Return the conversations of a play."""
    return [Address.parse(row[0]) for row in _SEATS.run(tx, number=play)]


def plays_at(tx: Connection, where: Address) -> list[PlayRow]:
    """Return the plays of a conversation, the newest last."""
    _wait(tx, PLAYS.c.id.in_(select(SEATS.c.play).where(SEATS.c.address == str(where))))
    return [_play(row) for row in _AT.run(tx, where=str(where))]


def counted(tx: Connection, play: int, where: Address, when: int) -> bool:
    """Note that a conversation told how ready it feels, before (1) or after (2); False where it had, or is none."""
    mine = (SEATS.c.play == play) & (SEATS.c.address == str(where)) & (SEATS.c.counted.op("&")(when) == 0)
    return tx.execute(update(SEATS).where(mine).values(counted=SEATS.c.counted + when)).rowcount == 1


# ---------------------------------------- votes


def vote(tx: Connection, play: PlayRow, voter: str, choice: str, now: datetime) -> None:
    """Keep what a voter wants at the play's question; the last one counts, in the place of the first."""
    row = {"play": play.id, "number": play.number, "voter": voter, "choice": choice[:LONGEST_SAID]}
    _VOTE.run(tx, **row, at=millis(now), ends=millis(play.ends))


def votes(tx: Connection, play: PlayRow) -> dict[str, str]:
    """Return voter → choice at the play's question, in the order in which they came."""
    return dict(_VOTES.run(tx, which=play.id, question=play.number).fetchall())


def voters(tx: Connection, play: int) -> int:
    """Return how many have voted in a play so far."""
    return int(_VOTERS.run(tx, which=play).fetchone()[0])


# ---------------------------------------- teams


def of_game(tx: Connection, code: str) -> list[PlayRow]:
    """Return the plays of a game, in the order of their numbers."""
    return [_play(row) for row in _OF_GAME.run(tx, code=code)]


def names(tx: Connection, code: str) -> set[str]:
    """Return what the teams of a game are called."""
    return set(tx.execute(select(PLAYS.c.name).where(PLAYS.c.game == code)).scalars())


def team(tx: Connection, code: str, number: int) -> PlayRow | None:
    """Return the play of a game's team."""
    row = tx.execute(select(PLAYS).where(PLAYS.c.game == code, PLAYS.c.team == number)).one_or_none()
    return _play(row) if row else None


def close_all(tx: Connection, code: str, now: datetime) -> None:
    """Let everything of a game be over from now on."""
    ids = select(PLAYS.c.id).where(PLAYS.c.game == code)
    for table in (SEATS, VOTES, PLAY_LOG):
        tx.execute(update(table).where(table.c.play.in_(ids)).values(ends=millis(now)))
    tx.execute(update(PLAYS).where(PLAYS.c.game == code).values(ends=millis(now)))


def leave(tx: Connection, play: int, where: Address) -> None:
    """Take a conversation out of a play."""
    tx.execute(delete(SEATS).where(SEATS.c.play == play, SEATS.c.address == str(where)))


def unbook(tx: Connection, where: Address, key: str) -> None:
    """Take back what `where` was to hear later, under a key that begins with `key`."""
    mine = (TELLINGS.c.address == str(where)) & TELLINGS.c.key.startswith(key, autoescape=True)
    tx.execute(delete(TELLINGS).where(mine, TELLINGS.c.done.is_(None)))
