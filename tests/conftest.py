"""The shipped content, loaded once, and a real application on a database in memory with a fixed clock."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import URL

from bot import app
from bot.app import Content, load_content
from bot.features.quizzes import Doors
from bot.talk.repertoire import Repertoires
from tests import postgres
from tests.play import Stage
from tests.postgres import Server

ROOT = Path(__file__).parent.parent
settings.register_profile("untimed", deadline=None)  # speed is measured in `make bench`, never in a test
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="rewrite golden conversations for review in the diff")


@pytest.fixture(scope="session")
def content() -> Content:
    return load_content(ROOT / "content", {name: ROOT / name for name in ("quizzes", "campaigns")})


@pytest.fixture(scope="session", autouse=True)
def built_once() -> Iterator[None]:
    """Build what Hearsay can do once for each content: it is the same for every test, and half a second's work."""
    built: dict[tuple[int, str, object], tuple[Content, Repertoires]] = {}

    def repertoires(content: Content, default: str = "", doors: Doors = app.no_doors) -> Repertoires:
        key = id(content), default, doors
        if key not in built:
            built[key] = content, really(content, default, doors)  # the content stays, and with it its id
        return built[key][1]

    really = app.repertoires
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "repertoires", repertoires)
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server; without one, whatever asks for it is skipped, and fails in a CI."""
    postgres.need()
    with postgres.running() as started:
        yield started


@pytest.fixture(scope="session")
def shared_database(server: Server) -> URL:
    return server.create("shared")


@pytest.fixture
def on_server(server: Server, shared_database: URL) -> URL:
    """A database on a server, with tables and without rows."""
    server.empty(shared_database)
    return shared_database


@pytest.fixture
async def stage(content: Content, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr("bot.delivery.MARK_EVERY", 0)  # a talk of a hundred lines need not wait ten seconds
    built = await Stage.build(content)
    yield built
    built.close()
