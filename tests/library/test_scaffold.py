"""Holds to account that `hearsay new` writes a file that fails only where it is not written, and then loads."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.app import KINDS, load_content
from bot.cli import main
from bot.library.check import UNWRITTEN
from bot.library.load import LONGEST_ID, Kind
from bot.library.problem import ContentError, Problem
from bot.library.scaffold import NewEntryError, blank, write_new, write_sample

KIND: dict[str, Kind[Any]] = {kind.name: kind for kind in KINDS}
FOLDERS = {"rumour": "work", "term": None, "technique": None}
PLACES = {"rumour": "rumours/work/fresh.yaml", "term": "glossary/fresh.yaml", "technique": "techniques/fresh.yaml"}
LINES = {
    "heard_as:\n  - TODO": "heard_as: [one, two, three, four, five, six]",
    "ask:\n  - TODO": "ask: [Which one?]",
    "# no_figure: TODO": "no_figure: Nobody counts.",
    "steps:\n  - TODO": "steps: [Ask., Wait.]",
    "example:\n  - TODO": "example: [{them: Everybody says so.}]",
    "techniques:\n  - TODO": "techniques: [ask]",
    "status: TODO": "status: draft",
    "drafted: TODO": "drafted: people",
}
"""What a writer puts in place of a blank; every other TODO becomes a few words."""


def begun(root: Path, name: str) -> Path:
    return write_new(root, KIND[name], "fresh", FOLDERS[name])


def problems_of(root: Path) -> list[Problem]:
    try:
        load_content(root)
    except ContentError as error:
        return error.problems
    return []


def unwritten(text: str) -> set[int]:
    """Return the lines that wait for their writer."""
    return {n for n, line in enumerate(text.split("\n"), 1) if UNWRITTEN in line and not line.lstrip().startswith("#")}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_new_entry_lies_in_its_place(tiny: Path, name: str) -> None:
    assert begun(tiny, name) == tiny / PLACES[name]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_new_entry_fails_at_its_unwritten_places_and_nowhere_else(tiny: Path, name: str) -> None:
    path = begun(tiny, name)
    problems = problems_of(tiny)
    assert {p.path for p in problems} == {f"content/{PLACES[name]}"}
    assert sorted({p.line for p in problems}) == sorted(unwritten(path.read_text("utf-8")))
    assert all(p.fix for p in problems)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_new_entry_once_filled_in_loads(tiny: Path, name: str) -> None:
    path = begun(tiny, name)
    text = path.read_text("utf-8")
    for blank_line, written in LINES.items():
        text = text.replace(blank_line, written)
    path.write_text(re.sub(r"^( *[a-z]\w*:) TODO$", r"\1 A few words.", text, flags=re.MULTILINE), encoding="utf-8")
    assert unwritten(path.read_text("utf-8")) == set()
    content = load_content(tiny)
    assert "fresh" in content.library.all(KIND[name], "en")
    assert content.missing == [("es", f"content/{PLACES[name]}", ())]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_blank_names_every_field_and_says_which_may_be_left_out(name: str) -> None:
    lines = blank(KIND[name], "../").split("\n")
    for field_name, field in KIND[name].model.model_fields.items():
        mark = "" if field.is_required() else "# "
        at = next((n for n, line in enumerate(lines) if line.startswith(f"{mark}{field_name}:")), None)
        assert at is not None, field_name
        assert lines[at - 1].startswith(f"# {field.description}")
        assert lines[at - 1].endswith(" (may be left out)") == (not field.is_required())


@pytest.mark.parametrize("name", FOLDERS)
def test_what_may_be_left_out_is_sound_yaml_once_its_marks_are_taken_away(name: str) -> None:
    text = blank(KIND[name], "../")
    fields = [line for line in text.split("\n") if re.match(r"^[# ]*(- TODO|[a-z]\w*:( TODO)?)$", line)]
    bare = "\n".join(re.sub(r"# ", "", line) for line in fields)
    assert yaml.load(bare, yaml.BaseLoader).keys() == KIND[name].model.model_fields.keys()


def test_a_blank_leads_the_editor_to_its_schema(tiny: Path) -> None:
    for name in FOLDERS:
        path = begun(tiny, name)
        said = re.search(r"\$schema=(\S+)", path.read_text("utf-8").split("\n")[0])
        assert said
        assert (path.parent / said[1]).resolve() == (tiny / f"schema/{name}.json").resolve()


@pytest.mark.parametrize(
    "wrong", ["", "Fresh", "very_fresh", "-fresh", "fresh-", "a--b", "frésh", "../fresh", "a" * (LONGEST_ID + 1)]
)
def test_a_name_that_is_no_id_begins_nothing(tiny: Path, wrong: str) -> None:
    before = sorted(tiny.rglob("*"))
    with pytest.raises(NewEntryError, match="is not an id"):
        write_new(tiny, KIND["term"], wrong, None)
    assert sorted(tiny.rglob("*")) == before


def test_what_is_there_is_not_overwritten_whatever_the_theme(tiny: Path) -> None:
    (tiny / "rumours/youth").mkdir()
    before = (tiny / "rumours/work/jobs.yaml").read_bytes()
    for theme in ("work", "youth"):
        with pytest.raises(NewEntryError, match="there is already a rumour called 'jobs'"):
            write_new(tiny, KIND["rumour"], "jobs", theme)
    assert (tiny / "rumours/work/jobs.yaml").read_bytes() == before


@pytest.mark.parametrize("theme", [None, "wrok", "../techniques"])
def test_a_rumour_without_its_theme_begins_nothing(tiny: Path, theme: str | None) -> None:
    with pytest.raises(NewEntryError, match="work"):
        write_new(tiny, KIND["rumour"], "fresh", theme)


def test_a_theme_without_rumours_yet_may_have_its_first(tiny: Path) -> None:
    path = write_new(tiny, KIND["rumour"], "rents", "youth")
    assert path == tiny / "rumours/youth/rents.yaml"


def test_the_command_says_where_it_wrote_or_why_not(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEARSAY_CONTENT", str(tiny))
    assert main(["new", "rumour", "fresh", "--theme", "work"]) == 0
    assert capsys.readouterr().out == f"{tiny / PLACES['rumour']}\n"
    assert main(["new", "rumour", "fresh", "--theme", "work"]) == 1
    assert "there is already a rumour called 'fresh'" in capsys.readouterr().err
    assert main(["check"]) == 1
    assert f"content/{PLACES['rumour']}:" in capsys.readouterr().out


def test_a_new_quiz_is_small_whole_and_passes_the_check(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    quizzes = tiny.parent / "games"
    monkeypatch.setenv("HEARSAY_CONTENT", str(tiny))
    monkeypatch.setenv("HEARSAY_QUIZZES", str(quizzes))
    monkeypatch.setenv("HEARSAY_CAMPAIGNS", str(tiny.parent / "none"))
    assert main(["new", "quiz", "lost-dog"]) == 0
    path = quizzes / "lost-dog/quiz.yaml"
    assert capsys.readouterr().out == f"{path}\n"
    said = re.search(r"\$schema=(\S+)", path.read_text("utf-8").split("\n")[0])
    assert said
    assert (path.parent / said[1]).resolve() == (tiny / "schema/quiz.json").resolve()
    assert main(["check"]) == 0
    assert main(["new", "quiz", "lost-dog"]) == 1
    assert "there is already a quiz called 'lost-dog'" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["Lost", "a" * 25, "../lost"])
def test_a_name_that_is_no_id_begins_no_quiz(tiny: Path, wrong: str) -> None:
    with pytest.raises(NewEntryError, match="at most 24"):
        write_sample(tiny.parent / "quizzes", tiny, KIND["quiz"], wrong)
    assert not (tiny.parent / "quizzes").exists()


def test_a_folder_of_quizzes_that_is_not_there_or_empty_holds_none(tiny: Path) -> None:
    for root in (tiny.parent / "nowhere", tiny / "themes"):
        assert load_content(tiny, {"quizzes": root}).library.all(KIND["quiz"], "en") == {}
    assert load_content(tiny).library.all(KIND["quiz"], "es") == {}
