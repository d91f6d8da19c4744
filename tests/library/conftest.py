"""The small sound content that the tests of the library change."""

import shutil
from pathlib import Path

import pytest

SOUND = Path(__file__).parent.parent / "broken/sound"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOUND, tmp_path / "content"))
