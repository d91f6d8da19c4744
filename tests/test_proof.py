"""`hearsay show`, `withdraw` and `audit` beside a running Hearsay, as an editor meets them."""

import asyncio
import shutil
import urllib.request
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.app import load_content, utc_now
from bot.cli import main
from bot.serve import prepare_database
from bot.storage import versions
from bot.storage.store import Store
from tests.serving import ROOT, Served, serving
from tests.test_run import edit, wait_for


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEARSAY_DATABASE", str(tmp_path / "h.db"))
    monkeypatch.setenv("HEARSAY_CONTENT", str(ROOT / "content"))
    monkeypatch.setenv("HEARSAY_CITIES", str(ROOT / "content/cities"))
    return tmp_path / "h.db"


def today() -> str:
    """Return the day in the pack's zone."""
    return utc_now().astimezone(ZoneInfo("Europe/Madrid")).date().isoformat()


def page(served: Served, path: str) -> str:
    with urllib.request.urlopen(f"{served.url}/{path}", timeout=30) as answer:
        return str(answer.read().decode())


def test_what_ran_can_be_proved_and_what_is_withdrawn_is_hidden_while_it_runs(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = Path(shutil.copytree(ROOT / "content", tmp_path / "content"))
    monkeypatch.setenv("HEARSAY_CONTENT", str(pack))
    monkeypatch.setenv("HEARSAY_CITIES", str(pack / "cities"))
    jobs, settings = pack / "rumours/work/jobs.yaml", {"content": str(pack), "cities": str(pack / "cities")}
    before = jobs.read_text("utf-8")
    with serving(database, **settings) as served:
        edit(jobs, "name: Jobs and newcomers", "name: Work for everybody")
        wait_for("content recorded changed=1\n", served)
        assert main(["withdraw", "jobs", "--reason", "We are checking its figure."]) == 0
        for city in ("none", "puertaluna"):
            assert "We are checking its figure." in page(served, f"rumour/jobs?city={city}")
        assert "/rumour jobs" not in page(served, "suggest?text=/rumour%20job&lang=en")
        assert main(["withdraw", "jobs", "--back"]) == 0
        assert "We are checking" not in page(served, "rumour/jobs")
    capsys.readouterr()
    assert main(["show", "jobs", "--on", today(), "--lang", "en", "--kind", "rumour"]) == 0
    told = capsys.readouterr().out
    assert before in told
    assert "name: Work for everybody" in told
    assert told.count("# rumour jobs, en, shared pack: live since ") == 2
    assert "# withdrawn since " in told
    assert main(["show", "jobs", "--on", today(), "--city", "puertaluna", "--lang", "es"]) == 0
    assert "# rumour jobs, es, puertaluna: live since " in capsys.readouterr().out
    assert main(["audit"]) == 0
    assert [line.split("  ")[1] for line in capsys.readouterr().out.splitlines()] == ["withdraw", "back"]


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = main(arguments)
    out, err = capsys.readouterr()
    return status, out + err


def test_a_day_on_which_nothing_was_live_is_said(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(database)
    status, said = told(capsys, "show", "jobs", "--on", "2020-01-01")
    assert status == 1
    assert said.startswith("Of 'jobs', nothing was live on that day. The record begins on 20")
    assert told(capsys, "show", "jbos", "--on", "2020-01-01") == (
        1,
        "No entry is called 'jbos'; did you mean 'jobs'?\n",
    )
    status, said = told(capsys, "show", "jobs", "--on", "2999-01-01")
    assert status == 2
    assert "2999-01-01 is still to come" in said


def recorded(database: Path) -> None:
    """Keep what is shipped as `hearsay run` does when it starts."""
    store, texts = Store(prepare_database(database)), load_content(ROOT / "content").live()
    asyncio.run(store.run(lambda tx: versions.record(tx, texts, utc_now())))
    store.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["jbos", "--reason", "Why."], "No rumour, technique or term is called 'jbos'; did you mean 'jobs'?"),
        (["jobs"], "--reason: say why in a sentence"),
        (["jobs", "--reason", "x" * 301], "--reason: say why in a sentence of at most 300 characters"),
        (["jobs", "--reason", "Why.", "--city", "atlantis"], "no city is called 'atlantis'"),
        (["jobs", "--reason", "Why.", "--kind", "term"], "No term is called 'jobs'"),
        (
            ["port-flats", "--reason", "Why.", "--city", "puertaluna"],
            "The rumour port-flats in puertaluna is withdrawn.",
        ),
        (["stereotype", "--reason", "Why."], "The term stereotype is withdrawn. People who ask for it read: Why."),
        (["jobs", "--back"], "'jobs' is not withdrawn."),
    ],
)
def test_withdrawing_says_what_it_did_or_why_not(
    database: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert said in told(capsys, "withdraw", *arguments)[1]


def test_broken_content_keeps_nobody_from_withdrawing(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(database)
    broken = tmp_path / "broken"
    broken.mkdir()
    monkeypatch.setenv("HEARSAY_CONTENT", str(broken))
    assert told(capsys, "withdraw", "jobs", "--reason", "Why.")[0] == 0
    assert told(capsys, "show", "jobs", "--on", today())[0] == 0
