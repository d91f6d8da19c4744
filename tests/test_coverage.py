"""Holds to account the table that says how much of the content each language has."""

import shutil
from pathlib import Path

import pytest

from bot.app import load_pairs
from bot.cli import main
from bot.coverage import Row, rows, table
from bot.library.source import parsed

SOUND = Path(__file__).parent / "broken/sound"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOUND, tmp_path / "content"))


def counted(root: Path, language: str) -> dict[str, Row]:
    content, pairs = load_pairs(root)
    return {row.name: row for row in rows(content, pairs[language], language)}


def test_every_row_counts_what_is_whole_what_is_begun_and_who_read_it(root: Path) -> None:
    (root / "glossary/rumour.es.yaml").unlink()
    path = root / "glossary/bias.es.yaml"
    lines = [line for line in path.read_text("utf-8").split("\n") if not line.startswith(("definition", "provenance"))]
    read = "provenance: {status: read, drafted: machine, read_by: un club, read_on: 2026-10-01}\n"
    path.write_text("\n".join(lines) + read, encoding="utf-8")
    assert "definition" not in parsed(path.read_text("utf-8"))
    found = counted(root, "es")
    assert found["terms"] == Row("terms", 0, 1, 2, {"read": 1})
    assert found["rumours"] == Row("rumours", 1, 0, 1, {"draft": 1})
    assert found["phrases"].whole == found["phrases"].of
    assert found["typing"] == Row("typing", 1, 0, 1)
    assert found["names"] == Row("names", 0, 0, 1)
    assert found["games"].of == 0


def test_the_original_is_whole(root: Path) -> None:
    found = counted(root, "en")
    assert all(row.whole == row.of for name, row in found.items() if name not in ("care", "names"))
    assert found["terms"].statuses == {"draft": 2}


def test_there_is_a_table_for_each_language(root: Path) -> None:
    lines = list(table(*load_pairs(root)))
    assert [line for line in lines if "·" in line] == [
        "en · English       whole   begun   of   draft   read   native-read",
        "es · Español       whole   begun   of   draft   read   native-read",
    ]
    assert "  terms                2            2       2      0             0" in lines


def test_check_prints_it(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, folder in {"content": root, "quizzes": root / "none", "campaigns": root / "none"}.items():
        monkeypatch.setenv(f"HEARSAY_{name.upper()}", str(folder))
    assert main(["check", "--coverage"]) == 0
    assert "native-read" in capsys.readouterr().out
    assert main(["check"]) == 0
    assert "no problems." in capsys.readouterr().out
    path = root / "glossary/bias.es.yaml"
    path.write_text(path.read_text("utf-8").replace("definition: ", "definition: „Diez“ "), encoding="utf-8")
    assert main(["check"]) == 0
    told = capsys.readouterr().out
    assert "warning: content/glossary/bias.es.yaml:" in told
    assert "no problems, 2 warnings." in told
