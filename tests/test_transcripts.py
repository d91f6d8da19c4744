"""Every golden conversation says what it says, and every button in it can still be pressed afterwards."""

from pathlib import Path

import pytest

from tests.play import Stage, play

FOLDER = Path(__file__).parent / "transcripts"
GAMES = FOLDER.parent.parent / "quizzes"
SCRIPTS = [*sorted(FOLDER.rglob("*.txt")), *sorted(GAMES.glob("*/play*.txt"))]


def name(path: Path) -> str:
    """Return what a conversation is called: the place of its file."""
    root = FOLDER if FOLDER in path.parents else GAMES.parent
    return path.relative_to(root).with_suffix("").as_posix()


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
async def test_the_conversation_goes_as_written(path: Path, stage: Stage, request: pytest.FixtureRequest) -> None:
    script = read(path)
    played = await play(stage, script)
    if request.config.getoption("--rewrite"):
        write(path, played)
    assert played == script or request.config.getoption("--rewrite")
    assert await stage.press_everything() == []


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def write(path: Path, played: str) -> None:
    path.write_text(played, encoding="utf-8")


def test_there_are_conversations() -> None:
    assert len(SCRIPTS) >= 20
