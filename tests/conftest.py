"""The shipped content, loaded once, and a real application on a database in memory with a fixed clock."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import Content, load_content
from tests.play import Stage

ROOT = Path(__file__).parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="rewrite golden conversations for review in the diff")


@pytest.fixture(scope="session")
def content() -> Content:
    return load_content(ROOT / "content", {"quizzes": ROOT / "quizzes"})


@pytest.fixture
async def stage(content: Content, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr("bot.delivery.MARK_EVERY", 0)  # a talk of a hundred lines need not wait ten seconds
    built = await Stage.build(content)
    yield built
    built.close()
