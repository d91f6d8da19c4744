"""Sessions and the update ids that were seen."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, FromClause, Table, bindparam, delete, exists, func, select, update

from bot.core.message import Address
from bot.core.session import Session
from bot.storage.hot import Hot
from bot.storage.lock import alone
from bot.storage.moments import millis
from bot.storage.tables import BY_ADDRESS, SEEN, SESSIONS, String
from bot.storage.upsert import insert

_NOTE = Hot(insert(SEEN).on_conflict_do_nothing())
_TAKE = Hot(select(SESSIONS.c.state).where(SESSIONS.c.address == bindparam("where")))
_new = insert(SESSIONS)
_PUT = Hot(
    _new.on_conflict_do_update(
        index_elements=["address"], set_={"state": _new.excluded.state, "changed": _new.excluded.changed}
    )
)


def first_time(tx: Connection, where: Address, key: str, now: datetime) -> bool:
    """Note that update `key` was heard; False where it was heard before."""
    return _NOTE.run(tx, address=str(where), key=key, at=millis(now)).rowcount == 1


def take(tx: Connection, where: Address) -> Session:
    """Return the session of `where`, a new one where there is none.

    A room has, until it chooses otherwise, what was chosen for its chat; a private corner has the chat's city.
    """
    alone(tx, _whole(where))
    row = _TAKE.run(tx, where=str(where)).fetchone()
    session = Session.from_json(where, row[0]) if row else None
    chat, room, _ = where.chat.partition("/")
    if not (room or where.person) or (session and session.city):
        return session or Session(where)
    whole = take(tx, Address(where.platform, where.chat if where.person else chat))
    if session or where.person:
        return replace(session or Session(where), city=whole.city)
    return Session(where, whole.language, whole.city, quiet=whole.quiet)


def _whole(where: Address) -> str:
    """Name the chat with its rooms and corners: while one of them speaks, the whole is neither moved nor forgotten."""
    return f"chat {where.platform}:{where.chat.partition('/')[0]}"


def put(tx: Connection, session: Session, now: datetime) -> None:
    """Keep `session`."""
    _PUT.run(tx, address=str(session.where), state=session.to_json(), changed=millis(now))


def forget(tx: Connection, where: Address) -> None:
    """Delete every row of the conversation `where`, its rooms and private corners, down to the bytes in the file."""
    alone(tx, _whole(where))
    for table in BY_ADDRESS:
        tx.execute(delete(table).where(belongs(table, where)))


def move(tx: Connection, old: Address, new: Address) -> None:
    """Give every row of the conversation `old`, its rooms and corners included, the address `new`."""
    alone(tx, _whole(old), _whole(new))
    for table in BY_ADDRESS:
        _make_way(tx, table, old, new)
        tx.execute(update(table).where(belongs(table, old)).values(address=_moved(table, old, new)))


def _moved(table: FromClause, old: Address, new: Address) -> ColumnElement[str]:
    rest: ColumnElement[str] = func.substr(table.c.address, len(str(old)) + 1, type_=String)
    return str(new) + rest


def _make_way(tx: Connection, table: Table, old: Address, new: Address) -> None:
    """Delete the rows of `new` that those of `old` take the place of."""
    keys = [column.name for column in table.primary_key]
    if "address" not in keys:
        return
    coming = table.alias()
    same = [coming.c[name] == table.c[name] for name in keys if name != "address"]
    there = exists().where(belongs(coming, old), _moved(coming, old, new) == table.c.address, *same)
    tx.execute(delete(table).where(belongs(table, new), there))


def belongs(table: FromClause, where: Address) -> ColumnElement[bool]:
    """Match the conversation itself, its private corners (`@`) and its rooms (`/`); LIKE would not heed case."""
    address = table.c.address
    corners = (address >= f"{where}@") & (address < f"{where}A")  # "A" follows "@"
    rooms = (address >= f"{where}/") & (address < f"{where}0")  # "0" follows "/"
    return (address == str(where)) | corners | rooms
