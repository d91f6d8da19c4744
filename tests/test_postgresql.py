"""Whole conversations on PostgreSQL go as they go on SQLite, and so does a process that serves them."""

import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from bot.app import Content
from bot.storage import postgres
from bot.storage.database import opened
from bot.storage.migrate import is_current
from tests.play import Stage, play
from tests.postgres import Server
from tests.serving import serving
from tests.test_transcripts import FOLDER, name, read

SCRIPTS = [
    FOLDER / "basics" / "export.txt",
    FOLDER / "platforms" / "telegram-whole-life.txt",
    FOLDER / "quizzes" / "hosted.txt",
    FOLDER / "reports" / "left-for-the-city.txt",
]


@pytest.fixture
async def stage(content: Content, on_server: URL, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr("bot.delivery.MARK_EVERY", 0)
    monkeypatch.setattr(postgres, "WRITERS", 1)  # what several conversations hear at once is written in one order
    built = await Stage.build(content, opened(on_server))
    yield built
    built.close()


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
async def test_the_conversation_goes_as_written(stage: Stage, path: Path) -> None:
    script = read(path)
    assert await play(stage, script) == script
    assert await stage.press_everything() == []


def test_a_process_makes_its_tables_and_serves(server: Server, tmp_path: Path) -> None:
    database = server.fresh()
    address = tmp_path / "address"
    address.write_text(database.set(drivername="postgresql").render_as_string())
    with serving(database_file=str(address)) as served:
        with urllib.request.urlopen(f"{served.url}/readyz", timeout=10) as answer:
            assert answer.status == 200
        served.process.terminate()
        assert served.process.wait(20) == 0
        assert not served.database.exists(), "nothing is kept in a file"
    assert is_current(database)
