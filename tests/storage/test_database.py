"""Which database: what is written leads to it or is refused, and nobody sees a password."""

import builtins
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL

from bot.cli import main
from bot.serve import in_database, prepare_database
from bot.settings import Settings, SettingsError, load
from bot.storage import missed
from bot.storage.database import named, opened, parse
from bot.storage.store import StoreError

PASSWORD = "p%40ss-word"  # written as an address asks for it: p@ss-word


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("hearsay.db", "hearsay.db"),
        ("/var/lib/a b?.db", "/var/lib/a b?.db"),
        ("postgresql://ana@db.example/hearsay", "postgresql://db.example/hearsay"),
        ("postgres://ana:secret@db.example:6432/hearsay?sslmode=verify-full", "postgresql://db.example:6432/hearsay"),
        ("postgresql:///hearsay?password=secret", "postgresql://localhost/hearsay"),
        ("postgresql://ana@/hearsay?host=/run/postgresql", "postgresql:///run/postgresql/hearsay"),
    ],
)
def test_a_path_and_an_address_are_told_apart_and_shown_without_secrets(written: str, shown: str) -> None:
    found = parse(written)
    assert isinstance(found, URL) == ("://" in written)
    assert named(found) == shown
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("mysql://ana:secret@db/hearsay", "only PostgreSQL"),
        ("sqlite:///secret.db", "only PostgreSQL"),
        ("postgresql://ana:secret@db:port/hearsay", "of the form postgresql://user@host/name"),
        ("postgresql://ana:secret@db", "lacks the name"),
        ("postgresql://ana:secret@db/", "lacks the name"),
    ],
)
def test_what_leads_nowhere_is_refused_without_repeating_it(
    written: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEARSAY_DATABASE", written)
    with pytest.raises(SettingsError, match=why) as error:
        load()
    assert "secret" not in str(error.value)
    assert str(error.value).startswith(f"HEARSAY_DATABASE={written.partition('://')[0]}://… makes no sense")


def test_a_password_is_used_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "url").write_text(f"postgresql://ana:{PASSWORD}@127.0.0.1:1/hearsay\n")
    monkeypatch.setenv("HEARSAY_DATABASE_FILE", str(tmp_path / "url"))
    settings = load()
    assert isinstance(settings.database, URL)
    assert settings.database.password == "p@ss-word"
    assert settings.secrets == ["p@ss-word"]
    assert "ss-word" not in repr(settings)
    pytest.importorskip("psycopg")
    shown = r"^HEARSAY_DATABASE=postgresql://127.0.0.1:1/hearsay cannot be used: "
    for use in (lambda: prepare_database(settings.database), lambda: in_database(settings, missed.most_wanted)):
        with pytest.raises(SettingsError, match=shown) as error:
            use()
        assert "ss-word" not in str(error.value)


def test_without_a_driver_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "psycopg"]:
        monkeypatch.delitem(sys.modules, name)
    really = builtins.__import__

    def without(name: str, *more: object) -> object:
        if name.partition(".")[0] == "psycopg":
            raise ModuleNotFoundError(name)
        return really(name, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    url = parse("postgresql://ana@db/hearsay")
    with pytest.raises(StoreError, match="driver is missing"):
        opened(url)
    with pytest.raises(SettingsError, match=r"driver is missing; pip install 'psycopg\[binary\]'"):
        prepare_database(url)


@pytest.mark.parametrize("verb", ["backup", "restore"])
def test_copies_are_left_to_the_servers_own_tools(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEARSAY_DATABASE", "postgresql://ana:secret@db/hearsay")
    assert main([verb, str(tmp_path / "copy")]) != 0
    shown = "".join(capsys.readouterr())
    assert "pg_dump" in shown
    assert "secret" not in shown
    assert not [*tmp_path.iterdir()]


def test_the_default_is_a_file() -> None:
    assert isinstance(Settings().database, Path)
