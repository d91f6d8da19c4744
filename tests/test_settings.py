"""Settings come from the environment or from files, and the README's table is exactly the code's."""

import re
from pathlib import Path

import pytest

from bot.settings import PREFIX, Settings, SettingsError, load

README = Path(__file__).parent.parent / "README.md"


def test_the_readme_lists_exactly_these_settings() -> None:
    rows = dict(re.findall(r"^\| `HEARSAY_(\w+)` \|[^|]*\| (.+) \|$", README.read_text(encoding="utf-8"), re.MULTILINE))
    assert {name.lower(): text for name, text in rows.items()} == {
        name: field.description for name, field in Settings.model_fields.items()
    }


def test_a_file_gives_a_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "port"
    secret.write_text("9090\n", encoding="utf-8")
    monkeypatch.setenv(f"{PREFIX}PORT_FILE", str(secret))
    assert load().port == 9090


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}PORT_FILE", "/nowhere")
    with pytest.raises(SettingsError, match="HEARSAY_PORT_FILE"):
        load()


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "0"), ("PORT", "x"), ("PATH", "no-slash"), ("WEB", "perhaps"), ("LOG", "loud"), ("PACE", "-1")],
)
def test_nonsense_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"{PREFIX}{name}", value)
    with pytest.raises(SettingsError, match=f"{PREFIX}{name}={value}"):
        load()


def test_a_secret_is_never_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = tmp_path / "token"
    empty.touch()
    monkeypatch.setenv(f"{PREFIX}TELEGRAM_TOKEN_FILE", str(empty))
    with pytest.raises(SettingsError, match=f"{PREFIX}TELEGRAM_TOKEN=… makes no sense"):
        load()
    empty.write_text("123:planted", encoding="utf-8")
    assert "planted" not in repr(load())
    assert load().secrets == ["123:planted"]
