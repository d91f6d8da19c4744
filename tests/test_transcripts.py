"""Every golden conversation says what it says, and every button in it can still be pressed afterwards."""

from pathlib import Path

import pytest

from tests.play import Stage, play

FOLDER = Path(__file__).parent / "transcripts"
SCRIPTS = sorted(FOLDER.rglob("*.txt"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(FOLDER).with_suffix("").as_posix())
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
