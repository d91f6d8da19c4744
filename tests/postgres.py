"""A PostgreSQL server of our own, thrown away afterwards: it listens on a socket in its folder and nowhere else."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import pytest
from sqlalchemy import URL, text

from bot.storage.database import parse
from bot.storage.postgres import engine
from bot.storage.tables import METADATA

START = 30.0  # seconds within which even a slow machine starts it
_DEBIAN = "/usr/lib/postgresql"
_numbers = count(1)


class Server:
    """A server that runs until it is told to stop, and can be stopped, started and killed in between."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._user = _user()
        self._process: subprocess.Popen[bytes] | None = None
        made = ("initdb", "-D", str(self._data), "-U", "hearsay", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        subprocess.run([*_command(*made), "--no-sync"], check=True, user=self._user, cwd="/", stdout=subprocess.DEVNULL)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def url(self, name: str) -> URL:
        """Return the address of a database."""
        found = parse(f"postgresql://hearsay@/{name}?host={self.folder}")
        assert isinstance(found, URL)
        return found

    def start(self) -> None:
        """Start it, and wait until it answers."""
        given = {"fsync": "off", "listen_addresses": "", "unix_socket_directories": str(self.folder), "port": "5432"}
        settings = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        log = self.folder / "log"
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                _command("postgres", "-D", str(self._data), *settings), user=self._user, cwd="/", stdout=out, stderr=out
            )
        deadline = time.monotonic() + START
        while "ready to accept" not in log.read_text(errors="replace"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop it: whoever is connected is thrown out."""
        if self._process:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(START)
            self._process = None

    def create(self, name: str, shaped: bool = True) -> URL:
        """Make a new database, with the tables in it if it is to be `shaped`."""
        self.do("postgres", f"CREATE DATABASE {name}")
        if shaped:
            made = engine(self.url(name))
            METADATA.create_all(made)
            made.dispose()
        return self.url(name)

    def fresh(self, *, shaped: bool = False) -> URL:
        """Make a new database under a new name."""
        return self.create(f"fresh_{next(_numbers)}", shaped)

    def empty(self, url: URL) -> None:
        """Delete every row, and begin to count anew."""
        made = engine(url)
        with made.begin() as tx:
            tx.execute(text(f"TRUNCATE {', '.join(METADATA.tables)} RESTART IDENTITY"))
        made.dispose()

    def do(self, name: str, sql: str) -> None:
        """Say something to a database, outside of any transaction."""
        made = engine(self.url(name)).execution_options(isolation_level="AUTOCOMMIT")
        with made.connect() as connection:
            connection.execute(text(sql))
        made.dispose()


@contextmanager
def running() -> Iterator[Server]:
    """Lend a server that runs; it is gone afterwards."""
    folder = Path(mkdtemp(prefix="hearsay-pg-", dir="/tmp"))  # a socket's path must be short
    if user := _user():
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    try:
        server = Server(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def need() -> None:
    """Skip where no PostgreSQL is installed; in a CI that is a failure."""
    if _binaries() is None or not _has_driver():
        if os.environ.get("CI"):
            pytest.fail("the package postgresql is missing, or its driver")
        pytest.skip("no PostgreSQL here")


def _has_driver() -> bool:
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return False
    return True


def _binaries() -> Path | None:
    found = shutil.which("initdb")
    if found and shutil.which("postgres"):
        return Path(found).resolve().parent
    return max((path.parent for path in Path(_DEBIAN).glob("*/bin/initdb")), default=None)


def _command(name: str, *arguments: str) -> list[str]:
    folder = _binaries()
    assert folder
    return [str(folder / name), *arguments]


def _user() -> str | None:
    """Return whom to run as: the server refuses root."""
    if os.geteuid():
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)
