"""Holds backups to account: whole or not at all, made beside a busy writer, and a talk goes on after a restore."""

import asyncio
import resource
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from bot.app import App, Content
from bot.cli import main
from bot.core.message import Address, Message, Reply
from bot.platforms import limits
from bot.storage import outbox, sessions
from bot.storage.backup import GAP, BackupError, backup, restore
from bot.storage.migrate import is_current, migrate
from bot.storage.outbox import Bubble
from bot.storage.store import Store
from bot.talk.assistant import Turn
from tests.play import Screen
from tests.serving import ROOT, environment, serving

HERE = Address("web", "somebody")
THERE = Address("telegram", "42")


@pytest.fixture
def old(tmp_path: Path, now: datetime) -> Path:
    """A database with one conversation in Spanish."""
    path = tmp_path / "old.db"
    migrate(path)
    with closing(sqlite3.connect(path)) as raw:
        fill(raw, HERE, now)
        raw.commit()
    return path


def fill(raw: sqlite3.Connection, where: Address, now: datetime, language: str = "es") -> None:
    state = f'{{"language": "{language}", "met": true, "turns": 3}}'
    raw.execute("INSERT INTO sessions VALUES (?, ?, ?)", (str(where), state, int(now.timestamp() * 1000)))


def languages(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as raw:
        return [found for (found,) in raw.execute("SELECT state ->> 'language' FROM sessions ORDER BY address")]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# -------------------- making one


def test_a_backup_is_one_sound_file_that_only_its_owner_may_read(old: Path, tmp_path: Path) -> None:
    backup(old, tmp_path / "kept")
    assert languages(tmp_path / "kept") == ["es"]
    assert is_current(tmp_path / "kept")
    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0
    assert names(tmp_path) == {"old.db", "kept"}


def test_what_was_deleted_is_not_in_a_backup(old: Path, tmp_path: Path, now: datetime) -> None:
    with closing(sqlite3.connect(old)) as raw:
        raw.execute("PRAGMA secure_delete = OFF")
        for number in range(200):
            fill(raw, Address("telegram", f"314159{number}"), now)
        raw.execute("DELETE FROM sessions WHERE address LIKE 'telegram%'")
        raw.commit()
    backup(old, tmp_path / "kept")
    assert b"314159" in old.read_bytes()
    assert b"314159" not in (tmp_path / "kept").read_bytes()


async def test_a_backup_beside_a_busy_writer_holds_a_moment_and_stops_nobody(
    path: Path, tmp_path: Path, now: datetime
) -> None:
    migrate(path)
    store = Store(path)
    done = 0

    def both(tx: Connection, where: Address) -> None:
        sessions.first_time(tx, where, "1", now)
        outbox.add(tx, Bubble(0, where, Reply("x" * 500), "en"), now, state="read")

    async def write() -> None:
        nonlocal done
        while True:
            where = Address("web", f"{done:05}")

            await store.run(partial(both, where=where))
            done += 1

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.1)
    for number in range(3):
        before = done
        await asyncio.to_thread(backup, path, tmp_path / f"{number}.backup")
        after = done
        with closing(sqlite3.connect(tmp_path / f"{number}.backup")) as raw:
            (seen,), (bubbles,) = (raw.execute(f"SELECT count(*) FROM {t}").fetchone() for t in ("seen", "bubbles"))
            assert seen == bubbles, "a turn is in it whole or not at all"
            assert before <= seen <= after + 1
            assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    store.close()
    assert done > before


def test_what_is_there_is_not_replaced_unless_told_to(old: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("precious", encoding="utf-8")
    with pytest.raises(BackupError, match="--force"):
        backup(old, kept)
    assert kept.read_text(encoding="utf-8") == "precious"
    backup(old, kept, force=True)
    assert languages(kept) == ["es"]


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal"])
def test_a_backup_never_overwrites_the_database_itself(old: Path, tmp_path: Path, ending: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(BackupError, match="the database itself"):
        backup(old, tmp_path / "link" / f"old.db{ending}", force=True)
    assert languages(old) == ["es"]


@pytest.mark.parametrize("target", ["nowhere/kept", "old.db/kept", "folder"])
def test_where_nothing_can_be_written_a_sentence_says_so(old: Path, tmp_path: Path, target: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(BackupError, match=f"{tmp_path / target} (cannot be written|is a folder)"):
        backup(old, tmp_path / target, force=True)
    assert names(tmp_path) == {"old.db", "folder"}
    assert names(tmp_path / "folder") == set()


@pytest.mark.parametrize("words", [b"", b"no database at all, only words" * 200])
def test_what_is_no_database_of_ours_is_not_backed_up(tmp_path: Path, words: bytes) -> None:
    (tmp_path / "old.db").write_bytes(words)
    with pytest.raises(BackupError):
        backup(tmp_path / "old.db", tmp_path / "kept")
    assert names(tmp_path) == {"old.db"}
    with pytest.raises(BackupError, match="no database at"):
        backup(tmp_path / "nothing.db", tmp_path / "kept")
    assert names(tmp_path) == {"old.db"}


def hearsay(*arguments: str, room: int | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command, with `room` in files that may grow to so many bytes only, as on a full disk."""

    def limit() -> None:
        if room is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env={**environment(**settings), "PYTHONDONTWRITEBYTECODE": "1"},  # no half-written bytecode for the next
        preexec_fn=limit,
    )


def test_a_full_disk_is_said_in_one_sentence_and_leaves_nothing_behind(old: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("an older one", encoding="utf-8")
    done = hearsay("backup", str(kept), "--force", room=8192, database=str(old))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{kept} cannot be written: ")
    assert done.stderr.count("\n") == 1
    assert kept.read_text(encoding="utf-8") == "an older one"
    assert names(tmp_path) == {"old.db", "kept"}


def test_a_restore_on_a_full_disk_leaves_the_database_as_it_was(old: Path, tmp_path: Path, now: datetime) -> None:
    backup(old, tmp_path / "kept")
    with closing(sqlite3.connect(old)) as raw:
        fill(raw, Address("web", "zoe"), now, "en")
        raw.commit()
    done = hearsay("restore", str(tmp_path / "kept"), room=8192, database=str(old))
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert languages(old) == ["es", "en"]
    assert names(tmp_path) == {"old.db", "kept"}


# -------------------- bringing one back


def test_what_is_replaced_is_kept_beside_the_database_every_time(old: Path, tmp_path: Path, now: datetime) -> None:
    backup(old, tmp_path / "kept")
    with closing(sqlite3.connect(old)) as raw:
        raw.execute("DELETE FROM sessions")
        fill(raw, HERE, now, "en")
        raw.commit()
    assert restore(old, tmp_path / "kept", now) == tmp_path / "old.db.before-restore"
    assert languages(old) == ["es"]
    assert languages(tmp_path / "old.db.before-restore") == ["en"]
    assert restore(old, tmp_path / "old.db.before-restore", now) == tmp_path / "old.db.before-restore-2"
    assert languages(old) == ["en"]
    assert languages(tmp_path / "old.db.before-restore") == ["en"]
    assert languages(tmp_path / "old.db.before-restore-2") == ["es"]


def test_a_broken_database_is_set_aside(old: Path, tmp_path: Path, now: datetime) -> None:
    backup(old, tmp_path / "kept")
    old.write_bytes(b"what the disk left of it" * 500)
    assert restore(old, tmp_path / "kept", now) == tmp_path / "old.db.before-restore"
    assert languages(old) == ["es"]
    assert (tmp_path / "old.db.before-restore").read_bytes().startswith(b"what the disk left")
    assert names(tmp_path) == {"old.db", "kept", "old.db.before-restore"}


def foreign() -> Iterator[tuple[str, Callable[[Path], object]]]:
    def query(*statements: str) -> Callable[[Path], object]:
        def make(path: Path) -> None:
            with closing(sqlite3.connect(path)) as raw:
                for statement in statements:
                    raw.execute(statement)
                raw.commit()

        return make

    def changed(statement: str) -> Callable[[Path], object]:
        def make(path: Path) -> None:
            migrate(path)
            query(statement)(path)

        return make

    yield "empty", lambda path: path.write_bytes(b"")
    yield "words", lambda path: path.write_bytes(b"not a database" * 1000)
    yield "head alone", lambda path: path.write_bytes(b"SQLite format 3\x00" + b"\x00" * 4080)
    yield "another's", query("CREATE TABLE recipes (id INTEGER)")
    yield "another's with versions", query("CREATE TABLE alembic_version (version_num)", "CREATE TABLE sessions (x)")
    yield "a column less", changed("ALTER TABLE bubbles DROP COLUMN tries")
    yield "a table less", changed("DROP TABLE missed_terms")
    yield "a session that is no session", changed("INSERT INTO sessions VALUES ('web:a', 'oh', 9999999999999)")
    yield "a session that is a list", changed("INSERT INTO sessions VALUES ('web:a', '[]', 9999999999999)")


@pytest.mark.parametrize(("what", "make"), list(foreign()))
def test_what_is_no_backup_is_refused_and_changes_nothing(
    old: Path, tmp_path: Path, now: datetime, what: str, make: Callable[[Path], object]
) -> None:
    make(tmp_path / "kept")
    before = (tmp_path / "kept").read_bytes()
    with pytest.raises(BackupError, match="is no backup of Hearsay"):
        restore(old, tmp_path / "kept", now)
    assert languages(old) == ["es"]
    assert (tmp_path / "kept").read_bytes() == before
    assert names(tmp_path) == {"old.db", "kept"}
    with pytest.raises(BackupError):
        restore(tmp_path / "fresh.db", tmp_path / "kept", now)
    assert names(tmp_path) == {"old.db", "kept"}


def test_a_truncated_backup_is_refused(old: Path, tmp_path: Path, now: datetime) -> None:
    backup(old, tmp_path / "kept")
    whole = (tmp_path / "kept").read_bytes()
    for size in (1, 99, 512, 4096, len(whole) // 2, len(whole) - 4096):
        (tmp_path / "kept").write_bytes(whole[:size])
        with pytest.raises(BackupError):
            restore(old, tmp_path / "kept", now)
    assert languages(old) == ["es"]
    assert names(tmp_path) == {"old.db", "kept"}


def test_what_is_not_there_or_is_the_database_itself_is_refused(old: Path, tmp_path: Path, now: datetime) -> None:
    for source in (tmp_path / "nothing", tmp_path):
        with pytest.raises(BackupError, match="There is no file"):
            restore(old, source, now)
    with pytest.raises(BackupError, match="the database itself"):
        restore(old, tmp_path / "." / "old.db", now)


def test_a_backup_of_a_newer_version_is_refused(old: Path, tmp_path: Path, now: datetime) -> None:
    backup(old, tmp_path / "kept")
    with closing(sqlite3.connect(tmp_path / "kept")) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
        raw.commit()
    with pytest.raises(BackupError, match="newer Hearsay; upgrade"):
        restore(old, tmp_path / "kept", now)
    assert names(tmp_path) == {"old.db", "kept"}


def test_a_backup_of_an_older_version_is_upgraded(
    old: Path, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(old, tmp_path / "kept")
    upgraded: list[Path] = []
    monkeypatch.setattr("bot.storage.backup.is_current", lambda _: False)
    monkeypatch.setattr("bot.storage.backup.migrate", upgraded.append)
    restore(old, tmp_path / "kept", now)
    assert len(upgraded) == 1
    assert upgraded[0].name.startswith(".old.db."), "the backup itself stays as it is"


def test_while_a_process_runs_nothing_is_restored_and_backups_are_made(tmp_path: Path) -> None:
    database, kept = tmp_path / "h.db", tmp_path / "kept"
    with serving(database) as served:
        urllib.request.urlopen(f"{served.url}/readyz", timeout=10).close()  # as the first beat does, it looks at it
        assert hearsay("backup", str(kept), database=str(database)).stdout == f"{kept}\n"
        done = hearsay("restore", str(kept), database=str(database))
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"A process runs on {database}; stop Hearsay first.\n"
    done = hearsay("restore", str(kept), database=str(database))
    assert done.returncode == 0, done.stderr
    assert f"{database}.before-restore" in done.stdout
    assert names(tmp_path) == {"h.db", "h.db.before-restore", "kept"}


async def test_a_process_that_has_just_opened_the_restored_database_is_seen(
    old: Path, tmp_path: Path, now: datetime
) -> None:
    backup(old, tmp_path / "kept")
    restore(old, tmp_path / "kept", now)
    opened = Store(old)
    with pytest.raises(BackupError, match="stop Hearsay first"):
        restore(old, tmp_path / "kept", now)
    opened.close()
    restore(old, tmp_path / "kept", now)


# -------------------- going on


@asynccontextmanager
async def running(path: Path, content: Content, now: datetime) -> AsyncIterator[App]:
    if not is_current(path):
        migrate(path)
    store = Store(path)
    app = App(store, content, {"telegram": Screen("telegram", limits.TELEGRAM)}, lambda: now)
    yield app
    await app.delivery.idle()
    store.close()


async def say(app: App, text: str, key: str, turn: int | None = None) -> Turn:
    return await app.assistant.handle(Message(THERE, text, key, turn, language="en", introduced=True))


async def test_a_talk_goes_on_in_a_fresh_installation(tmp_path: Path, content: Content, now: datetime) -> None:
    kept, fresh = tmp_path / "kept", tmp_path / "new" / "folder" / "fresh.db"
    async with running(tmp_path / "old.db", content, now) as app:
        await say(app, "/language es", "1")
        (asked,) = (await say(app, "/rumour", "2")).bubbles
        assert (asked.turn, asked.reply.prompt) == (1, "Lo que has oído")
        await app.delivery.idle()
        backup(tmp_path / "old.db", kept)
        (later,) = (await say(app, "/term", "3")).bubbles
        assert later.turn == 2
    assert restore(fresh, kept, now) is None
    async with running(fresh, content, now) as app:
        assert (await say(app, "/rumour", "2")).repeat, "what was heard counts as heard"
        (passed, again) = (await say(app, "rumor", "4", later.turn)).bubbles
        assert passed.reply.text == "Esa pregunta ya pasó."
        assert again.turn
        assert again.turn > later.turn + GAP // 2, "buttons out there hold earlier numbers"
        assert again.reply.prompt == "Lo que has oído"
        assert again.id > later.id + GAP // 2, "pages that are open wait for higher numbers than they have"
        (card,) = (await say(app, "nos quitan el trabajo", "5", again.turn)).bubbles
        assert card.reply.link == "/rumour jobs"
        assert card.language == "es"


async def test_the_open_question_can_still_be_answered_by_its_own_button(
    tmp_path: Path, content: Content, now: datetime
) -> None:
    async with running(tmp_path / "old.db", content, now) as app:
        (asked,) = (await say(app, "/rumour", "1")).bubbles
        await app.delivery.idle()
        backup(tmp_path / "old.db", tmp_path / "kept")
    restore(tmp_path / "fresh.db", tmp_path / "kept", now)
    async with running(tmp_path / "fresh.db", content, now) as app:
        (card,) = (await say(app, "they take our jobs", "2", asked.turn)).bubbles
        assert card.reply.link == "/rumour jobs"


def test_what_is_over_does_not_come_back_with_an_old_backup(old: Path, tmp_path: Path, now: datetime) -> None:
    with closing(sqlite3.connect(old)) as raw:
        fill(raw, Address("telegram", "314159"), now - timedelta(days=29))
        raw.commit()
    backup(old, tmp_path / "kept")
    restore(tmp_path / "fresh.db", tmp_path / "kept", now + timedelta(days=2))
    assert languages(tmp_path / "fresh.db") == ["es"]
    assert b"314159" not in (tmp_path / "fresh.db").read_bytes()
    assert b"314159" in (tmp_path / "kept").read_bytes()


# -------------------- the command


def test_the_commands_say_where_everything_is(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(database: Path, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setenv("HEARSAY_DATABASE", str(database))
        return (main(arguments), *capsys.readouterr())

    monkeypatch.chdir(tmp_path)
    kept, fresh, wrong = tmp_path / "kept", tmp_path / "fresh.db", ROOT / "README.md"
    assert told(old, "backup", "kept") == (0, "kept\n", "")
    assert told(old, "backup", str(kept)) == (2, "", f"{kept} is there already; --force replaces it.\n")
    assert told(old, "backup", str(kept), "--force") == (0, f"{kept}\n", "")
    assert told(fresh, "restore", str(kept)) == (0, f"{fresh}\n", "")
    assert told(fresh, "restore", str(wrong)) == (2, "", f"{wrong} is no backup of Hearsay, or it is damaged.\n")
    status, said, _ = told(fresh, "restore", "kept")
    assert (status, said.splitlines()[0]) == (0, str(fresh))
    assert f"kept in {fresh}.before-restore; delete it" in said
