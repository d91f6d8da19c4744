"""A store on a real file, and one on a real server; a fixed clock."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.storage.database import Database, opened
from bot.storage.store import Store
from bot.storage.tables import METADATA

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BOTH = ("sqlite", "postgresql")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for a store on both kinds, unless it looks at the file, or its module says which: `DATABASES`."""
    if "database" in metafunc.fixturenames:
        kinds = getattr(metafunc.module, "DATABASES", BOTH)
        metafunc.parametrize("database", BOTH[:1] if "path" in metafunc.fixturenames else kinds, indirect=True)


@pytest.fixture
def now() -> datetime:
    return NOON


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept.db"


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return tmp_path / "kept.db"
    found: Database = request.getfixturevalue("on_server")
    return found


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    store = opened(database)
    if isinstance(database, Path):
        await store.run(METADATA.create_all)
    yield store
    store.close()
