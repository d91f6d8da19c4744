"""The command line as a person or a script meets it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.serving import environment

ROOT = Path(__file__).parent.parent


def hearsay(*arguments: str, typed: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env=environment(**settings),
    )


def test_match_prints_a_json_line_a_text() -> None:
    done = hearsay("match", typed="they take our jobs\nwhere is the library\n\n")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["text"] for line in lines] == ["they take our jobs", "where is the library", ""]
    assert lines[0]["decision"] == "answer"
    assert lines[0]["candidates"][0]["id"] == "jobs"
    assert set(lines[0]["candidates"][0]) == {"id", "score", "phrase"}
    assert len(lines[0]["candidates"]) == 5
    assert lines[1]["decision"] == "none"


def test_match_can_be_told_the_language() -> None:
    (line,) = hearsay("match", "--lang", "es", typed="nos quitan el trabajo\n").stdout.splitlines()
    assert json.loads(line)["candidates"][0]["id"] == "jobs"


def test_match_explains_a_sentence_and_names_a_language_that_is_none() -> None:
    told = hearsay("match", "--explain", "they take all our jbos").stdout
    assert "jbos → jobs" in told
    assert "1. jobs" in told
    assert hearsay("match", "--lang", "tlh", "--explain", "x").returncode == 2


def test_check_lists_each_phrasing_that_finds_another_rumour_on_demand() -> None:
    short, long = hearsay("check"), hearsay("check", "--phrasings")
    assert short.returncode == long.returncode == 0
    assert "take each other's sentences" in short.stdout
    assert long.stdout.count("once left out") > 10 > short.stdout.count("once left out")


def test_chat_reads_plain_lines_and_answers_plainly() -> None:
    done = hearsay("chat", "--in", "es", typed="/term rumor\n1\n")
    assert "Rumor." in done.stdout
    assert "[1] estereotipo" in done.stdout
    assert "Estereotipo." in done.stdout
    assert "**" not in done.stdout
    assert done.returncode == 0


def test_chat_plays_a_game_and_begins_anew_when_it_is_saved(tmp_path: Path) -> None:
    folder = tmp_path / "night-bus"
    shutil.copytree(ROOT / "quizzes/night-bus", folder)
    done = hearsay("chat", "--in", "en", "--play", str(folder), typed="50\n/hint\n")
    assert "The Last Night Bus" in done.stdout
    assert "some way off" in done.stdout
    assert "Hint 1" in done.stdout


def test_chat_records_a_transcript(tmp_path: Path) -> None:
    record = tmp_path / "talk.txt"
    hearsay("chat", "--as", "telegram", "--in", "en", "--record", str(record), typed="/stop\n")
    assert record.read_text(encoding="utf-8").startswith("on telegram\nin en\n\n> /stop\n    Hello, I'm Hearsay")


def test_check_is_clean_and_names_what_a_language_lacks() -> None:
    assert "no problems" in hearsay("check").stdout
    assert hearsay("check", "--missing", "es").stdout == ""


def test_a_setting_that_makes_no_sense_is_named() -> None:
    done = hearsay("run", port="eighty")
    assert done.returncode == 2
    assert "HEARSAY_PORT=eighty" in done.stderr
    assert "Port of the web chat" in done.stderr


def test_content_that_is_missing_is_said() -> None:
    done = hearsay("check", content="/nowhere/at/all")
    assert done.returncode == 1
    assert "there is no such folder" in done.stdout


def test_a_database_that_cannot_be_used_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a database", encoding="utf-8")
    for path in (tmp_path / "file", tmp_path, tmp_path / "file" / "below"):
        done = hearsay("migrate", database=str(path))
        assert done.returncode == 2
        assert f"HEARSAY_DATABASE={path} cannot be used" in done.stderr
        assert "Traceback" not in done.stderr


def test_missed_words_are_listed(tmp_path: Path) -> None:
    assert hearsay("missed", database=str(tmp_path / "h.db")).stdout == ""


def test_help_names_every_command() -> None:
    told = hearsay("--help").stdout
    for command in (
        "run",
        "chat",
        "check",
        "match",
        "schema",
        "translate",
        "new",
        "migrate",
        "backup",
        "restore",
        "missed",
        "reports",
        "figures",
        "print",
    ):
        assert re.search(rf"^    {command}\b", told, re.MULTILINE), command
