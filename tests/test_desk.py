"""The coordinator's desk as a person at the command line meets it."""

import asyncio
import csv
import io
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from bot import cli
from bot.app import Content, load_content
from bot.core.message import Address
from bot.features.rumours.entry import RUMOURS
from bot.storage import counts, reports, tellings, unmatched
from bot.storage.migrate import migrate
from bot.storage.reports import Draft
from bot.storage.store import Store
from bot.talk.feature import Count

T = TypeVar("T")
ROOT = Path(__file__).parent.parent

NOW = datetime.now(UTC)
HERE = Address("telegram", "4242424242")
LEFT = [
    ("=cmd() they get driving lessons for free", "en", ""),
    ("they get free driving lessons from the town", "en", ""),
    ("a los que llegan les regalan la bici", "es", "town"),
]


@pytest.fixture
def database(content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "kept.db"
    monkeypatch.setattr("bot.desk.content_of", lambda _: content)
    migrate(path)
    monkeypatch.setenv("HEARSAY_DATABASE", str(path))
    run(path, fill)
    return path


def fill(tx: Connection) -> None:
    for words, language, city in LEFT:
        reports.keep(tx, HERE, Draft(words, "bar"), city=city, language=language, now=NOW)
    reports.ask(tx, 1, HERE, "en", NOW)
    for city, n in (("", 4), ("town", 20)):
        for _ in range(n):
            counts.add(tx, (Count("card", "jobs"), Count("begun")), city=city, language="es", now=NOW)


def run(path: Path, work: Callable[[Connection], T]) -> T:
    store = Store(path)
    found = asyncio.run(_run(store, work))
    store.close()
    return found


async def _run(store: Store, work: Callable[[Connection], T]) -> T:
    return await store.run(work)


def hearsay(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        status = cli.main(arguments)
    except SystemExit as error:
        status = int(str(error.code))
    told = capsys.readouterr()
    return status, told.out, told.err


@pytest.mark.usefixtures("database")
def test_reports_are_listed_with_near_ones_together(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = hearsay(capsys, "reports")
    lines = out.splitlines()
    assert status == 0
    assert lines[0] == "2 alike:"
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "3"]
    assert "[new]" in lines[1]


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--city", "town"], ["3"]),
        (["--city", ""], ["1", "2"]),
        (["--state", "answered"], []),
        (["--state", "new"], ["1", "2", "3"]),
    ],
)
def test_a_city_or_a_state_can_be_asked_for(
    capsys: pytest.CaptureFixture[str], options: list[str], ids: list[str]
) -> None:
    _, out, _ = hearsay(capsys, "reports", *options)
    assert [line.split()[0] for line in out.splitlines() if "alike" not in line] == ids


@pytest.mark.usefixtures("database")
def test_the_csv_holds_every_report_and_no_formula(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "reports.csv"
    file.write_text("older")
    assert hearsay(capsys, "reports", "--csv", str(file)) == (0, f"{file}\n", "")
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"), newline="")))
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["words"] == "'=cmd() they get driving lessons for free"
    assert [row["group"] for row in rows] == ["1", "1", "2"]
    assert HERE.chat not in file.read_text("utf-8")
    assert [found.name for found in tmp_path.iterdir() if found.suffix == ".part"] == []


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("command", ["reports", "figures"])
def test_a_file_that_cannot_be_written_is_said_in_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    for file in (tmp_path / "nowhere" / "x.csv", tmp_path):
        status, _, err = hearsay(capsys, command, "--csv", str(file))
        assert status == 2
        assert err.startswith(f"{file} cannot be written: ")
        assert [found for found in tmp_path.iterdir() if ".part" in found.name] == []


def test_an_answer_is_told_to_whoever_asked(capsys: pytest.CaptureFixture[str], database: Path) -> None:
    status, out, _ = hearsay(capsys, "reports", "answer", "1", "jobs")
    assert (status, out) == (0, "1 is settled; whoever asked will hear of it once.\n")
    (told,) = run(database, lambda tx: tellings.due(tx, NOW + timedelta(hours=1), 9))
    assert told.to == HERE
    assert told.what["card"] == "jobs"
    assert hearsay(capsys, "reports", "decline", "3", "--reason", "unclear")[0] == 0
    _, out, _ = hearsay(capsys, "reports", "--state", "declined")
    assert "[declined unclear]" in out


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["reports", "answer", "1", "jbs"], "No rumour is called 'jbs'; did you mean 'jobs'"),
        (["reports", "answer", "1", "zzzzzz"], "No rumour is called 'zzzzzz'"),
        (["reports", "answer", "99", "jobs"], "No report has the number 99"),
        (["reports", "answer", "-1", "jobs"], "No report has the number -1"),
        (["reports", "answer", str(2**70), "jobs"], f"No report has the number {2**70}"),
        (["reports", "decline", "99", "--reason", "person"], "No report has the number 99"),
        (["reports", "decline", "1", "--reason", "boring"], "invalid choice"),
        (["reports", "decline", "1"], "required"),
        (["reports", "--city", "nowhere"], "Nothing is kept of a city called 'nowhere'; there is something of town."),
        (["figures", "--city", "nowhere"], "Nothing is kept of a city called 'nowhere'"),
        (["figures", "--from", "2026-02-02", "--to", "2026-02-01"], "--from 2026-02-02 is after --to 2026-02-01"),
        (["figures", "--to", "2999-01-01"], "is in the future"),
        (["figures", "--in", "xx"], "the pack speaks en, es"),
        (["unmatched", "--language", "xx"], "--language xx: the pack speaks en, es"),
        (["unmatched", "--city", "nowhere"], "Nothing is kept of a city called 'nowhere'"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    status, out, err = hearsay(capsys, *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.usefixtures("database")
def test_figures_are_shown_for_a_city_in_a_language(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table, chart = tmp_path / "f.csv", tmp_path / "f.svg"
    arguments = ["figures", "--city", "town", "--in", "es", "--csv", str(table), "--svg", str(chart)]
    status, out, _ = hearsay(capsys, *arguments)
    assert status == 0
    assert "Fichas mostradas" in out
    assert "     20  " in out
    assert "20" in table.read_text("utf-8-sig")
    assert "<title" in chart.read_text("utf-8")
    _, out, _ = hearsay(capsys, "figures", "--city", "")
    assert "<5" in out
    assert " 4 " not in out
    _, out, _ = hearsay(capsys, "figures", "--from", "2026-01-01", "--to", "2026-01-02")
    assert "Nothing was counted" in out


def unknown(tx: Connection) -> None:
    said = [(words, language, city, number) for number, (words, language, city) in enumerate(LEFT)]
    for words, language, city, number in (
        *said,
        ("=the moon is cheese", "en", "", 8),
        ("=the moon is cheese", "en", "", 9),
    ):
        assert unmatched.keep(tx, Address("web", f"{number}"), words, city=city, language=language, now=NOW)


def test_what_nobody_knew_is_listed_with_near_ones_together(
    database: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert hearsay(capsys, "unmatched")[1] == "Nothing is kept: no pack.yaml says 'keep_unmatched: true'.\n"
    run(database, unknown)
    _, out, _ = hearsay(capsys, "unmatched")
    lines = out.splitlines()
    assert lines[0] == "2 alike:"
    assert [line.split()[0] for line in lines[1:]] == ["1", "1", "2", "1"]
    assert lines[3].split()[2:] == ["en", "=the", "moon", "is", "cheese"]
    assert hearsay(capsys, "unmatched", "--city", "town")[1].split()[2:5] == ["es", "·", "town"]
    assert len(hearsay(capsys, "unmatched", "--language", "es")[1].splitlines()) == 1
    file = tmp_path / "unmatched.csv"
    assert hearsay(capsys, "unmatched", "--file", str(file)) == (0, f"{file}\n", "")
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"), newline="")))
    assert [(row["group"], row["times"]) for row in rows] == [("1", "1"), ("1", "1"), ("2", "2"), ("3", "1")]
    assert rows[2]["words"] == "'=the moon is cheese"


def test_figures_show_which_cards_were_wrongly_offered(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(tx: Connection) -> None:
        for what, name in [*[("not-it", "jobs")] * 6, *[("none-of-these", "wages")] * 7]:
            counts.add(tx, (Count(what, name),), city="", language="en", now=NOW)

    run(database, refused)
    _, out, _ = hearsay(capsys, "figures", "--city", "")
    assert "Shown, and not what was meant\n        6  Jobs and newcomers\n" in out
    assert "Offered, and not what was meant\n        7  Pay and newcomers\n" in out


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
@pytest.mark.usefixtures("database")
def test_a_list_of_reports_is_for_whoever_asked_for_it_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    hearsay(capsys, "reports", "--csv", str(tmp_path / "r.csv"))
    assert stat.S_IMODE((tmp_path / "r.csv").stat().st_mode) == 0o600


def test_a_town_answers_with_a_card_of_its_own(
    database: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    towns = load_content(ROOT / "content", cities=ROOT / "content/cities")
    monkeypatch.setattr("bot.desk.content_of", lambda _: towns)
    own = towns.cities["puertaluna"].library.all(RUMOURS, "es").keys() - towns.library.all(RUMOURS, "en").keys()
    status, out, _ = hearsay(capsys, "reports", "answer", "1", min(own))
    assert (status, "1 is settled" in out) == (0, True)
    assert database.exists()
