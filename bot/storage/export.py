"""All that is stored of one conversation, as JSON that a person can read and a program can parse."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, func, select

from bot.core.message import Address, Reply, encode
from bot.storage.moments import millis, moment
from bot.storage.retention import KEPT
from bot.storage.sessions import belongs
from bot.storage.tables import BUBBLES, BY_ADDRESS

MOST = 500  # rows of one table: far more than a person's day, and too few to stop the writer
LINE = 1500  # characters of a paragraph, so that even the narrowest platform cuts between rows
_MOMENTS = frozenset({"changed", "at", "made", "lease", "due", "done", "day", "ends", "since"})
_HEAD = '{"export": '
_WRITTEN_HEAD = encode(Reply(_HEAD)).removesuffix('"}')


def kept_of(tx: Connection, where: Address, now: datetime) -> str:
    """Return every row of the conversation `where`, its rooms and private corners; an older export gives way."""
    tx.execute(delete(BUBBLES).where(belongs(BUBBLES, where), _starts(_WRITTEN_HEAD)))  # else each would hold the last
    tables = [(table.name, *_kept(tx, table, where)) for table in BY_ADDRESS]
    head = f'{_HEAD}{json.dumps(str(where))}, "made": {json.dumps(_written(moment(millis(now))))},'
    lists = [_listed(name, rows) for name, rows, _ in tables]
    left_out = {name: more for name, _, more in tables if more}
    last = f',\n\n"left out": {json.dumps(left_out)}}}' if left_out else "}"
    return f"{head}\n\n" + ",\n\n".join(lists) + last


def _starts(head: str) -> Any:
    return func.substr(BUBBLES.c.reply, 1, len(head)) == head


def _kept(tx: Connection, table: Table, where: Address) -> tuple[list[str], int]:
    """Return the newest rows of `where` in `table` as JSON, the oldest first, and how many more there are."""
    mine = belongs(table, where)
    since = KEPT[table.name][1] if table.name in KEPT else "since"
    newest = [table.c[since].desc().nulls_first(), *(column.desc() for column in table.primary_key)]
    rows = tx.execute(select(table).where(mine).order_by(*newest).limit(MOST)).all()
    count = tx.execute(select(func.count()).select_from(table).where(mine)).scalar_one()
    return [_object(row) for row in reversed(rows)], count - len(rows)


def _object(row: Row[Any]) -> str:
    """Return a row as a JSON object, without what is empty."""
    held = {name: _read(name, value) for name, value in row._mapping.items() if value is not None}
    return json.dumps(held, ensure_ascii=False)


def _read(name: str, value: Any) -> Any:
    """Return a value as a person can read it: moments as dates, JSON within JSON opened."""
    if name in _MOMENTS and value:
        return _written(moment(value))
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.loads(value) or value
        except ValueError:
            return value
    return value


def _written(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _listed(name: str, rows: list[str]) -> str:
    """Return a table as JSON, in paragraphs of whole rows."""
    return f"{json.dumps(name)}: [" + ",\n\n".join(_paragraphs(rows)) + "]"


def _paragraphs(rows: list[str]) -> Iterator[str]:
    gathered = ""
    for row in rows:
        if gathered and len(gathered) + len(row) > LINE:
            yield gathered
            gathered = ""
        gathered = f"{gathered},\n{row}" if gathered else row
    if gathered:
        yield gathered
