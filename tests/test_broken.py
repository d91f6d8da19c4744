"""Holds to account what is said about a mistake in the content: every file of tests/broken/ names its own.

A broken file lies in the folder of its kind and ends its wrong line with what we should say:

    # E: what             at the value of this line
    # E 3: what           at column 3 of this line
    # E 7:3: what         at line 7, column 3, where no comment can stand
    # E: what → fix       the same, and just this fix
    # W: what             a warning: the content is sound, and `hearsay check` says so nevertheless

A comment `# at <place>` says where in the content it is put; else it becomes a new entry of its kind, or the one file
of that kind. The content around it is tests/broken/sound/; quizzes lie beside it, among those of tests/quizzes/.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.app import load_content, load_pairs, slips_of, tongues
from bot.library.problem import ContentError, Problem
from bot.library.source import LARGEST

HERE = Path(__file__).parent / "broken"
SOUND = HERE / "sound"
QUIZZES = HERE.parent / "quizzes"
TODAY = date(2026, 11, 20)
DRAFT = "provenance: {status: draft, drafted: machine}\n"
BROKEN = sorted(path for path in HERE.rglob("*") if path.is_file() and SOUND not in path.parents)
PLACES = {
    "rumour": "rumours/work/broken.yaml",
    "term": "glossary/broken.yaml",
    "technique": "techniques/broken.yaml",
    "theme": "themes/broken.yaml",
    "sources": "sources.yaml",
    "situations": "situations.yaml",
    "matching": "",
    "care": "",
    "pack": "pack.yaml",
    "quiz": "quizzes/broken/quiz.yaml",
    "phrases": "",
    "translation": "",
    "bytes": "",
}
"""Folder of tests/broken/ → where its files are put; "" where each says so itself."""

_AT = re.compile(r"^\ufeff?# at (\S+)$", re.MULTILINE)
_EXPECTED = re.compile(r"# (?P<sort>[EW])(?: (?:(?P<line>\d+):)?(?P<column>\d+))?: (?P<what>.+)$")
_BEFORE_VALUE = re.compile(r"\s*(?:- )*(?:[\w-]+:\s+)?")


class Expected(NamedTuple):
    """What we should say, and where; `fix` is None where any will do."""

    line: int
    column: int
    what: str
    fix: str | None


def expectations(text: str, sort: str = "E") -> Iterator[Expected]:
    """Yield what a broken file says of itself: the errors, or as `sort` "W" the warnings."""
    for number, line in enumerate(text.split("\n"), 1):
        if (found := _EXPECTED.search(line)) and found["sort"] == sort:
            what, _, fix = found["what"].partition(" → ")
            column = int(found["column"]) if found["column"] else _value_column(line)
            yield Expected(int(found["line"] or number), column, what, fix or None)


def _value_column(line: str) -> int:
    found = _BEFORE_VALUE.match(line)
    return (found.end() if found else 0) + 1


def place(path: Path, text: str) -> str:
    """Return where in the content a broken file belongs."""
    said = _AT.search(text)
    return said[1] if said else PLACES[path.parent.name]


def problems_of(root: Path) -> list[Problem]:
    """Return what is wrong with the content of `root`, and with the quizzes beside it."""
    try:
        load_content(root, {"quizzes": root.parent / "quizzes"}, today=TODAY)
    except ContentError as error:
        return error.problems
    return []


def warnings_of(root: Path) -> list[Problem]:
    """Return what sound content is warned of."""
    return slips_of(*load_pairs(root, {"quizzes": root.parent / "quizzes"}, today=TODAY))


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOUND, tmp_path / "content"))


def test_what_stands_around_the_mistakes_is_sound(tiny: Path) -> None:
    content = load_content(tiny)
    assert content.missing == []
    assert content.library.pack.name == "Tiny"
    assert warnings_of(tiny) == []


def test_every_folder_of_mistakes_is_known_and_none_is_empty() -> None:
    assert {path.parent.name for path in BROKEN} == PLACES.keys()


@pytest.mark.parametrize("path", BROKEN, ids=[path.relative_to(HERE).as_posix() for path in BROKEN])
def test_a_mistake_is_named_where_it_stands(path: Path, tiny: Path) -> None:
    text = path.read_bytes().decode("utf-8", "replace")
    warned = sorted(expectations(text, "W"))
    expected = warned or sorted(expectations(text))
    assert expected, "the file does not say what is wrong with it"
    said = place(path, text)
    target = (tiny.parent if said.startswith("quizzes/") else tiny) / said
    if tiny not in target.parents:
        shutil.copytree(QUIZZES, tiny.parent / "quizzes")
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(path, target)
    problems = sorted(warnings_of(tiny) if warned else problems_of(tiny))
    assert [(p.line, p.column, p.what) for p in problems] == [(e.line, e.column, e.what) for e in expected]
    assert {p.path for p in problems} == {target.relative_to(tiny.parent).as_posix()}
    assert all(p.fix for p in problems), "a problem comes without a way to mend it"
    assert [p.fix for p, e in zip(problems, expected, strict=True) if e.fix] == [e.fix for e in expected if e.fix]


def test_a_file_that_says_nothing_of_its_mistake_has_no_expectation() -> None:
    assert list(expectations("name: Work # Expected: nothing\n")) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: Work # E: is wrong", Expected(1, 7, "is wrong", None)),
        ("\n  - some text # E: is wrong → mend it", Expected(2, 5, "is wrong", "mend it")),
        ("a: 1\nb: [c] # E 5: is wrong", Expected(2, 5, "is wrong", None)),
        ("# E 7:3: 'a: b' is wrong → write a → b", Expected(7, 3, "'a: b' is wrong", "write a → b")),
    ],
)
def test_an_expectation_is_read_as_it_is_written(text: str, expected: Expected) -> None:
    assert list(expectations(text)) == [expected]


def test_an_empty_file_lacks_everything_it_needs(tiny: Path) -> None:
    (tiny / "themes/broken.yaml").write_bytes(b"")
    assert problems_of(tiny) == [Problem("content/themes/broken.yaml", 1, 1, "'name' is missing", "add 'name:'")]


def test_a_file_of_more_than_a_mebibyte_is_refused_unread(tiny: Path) -> None:
    (tiny / "themes/broken.yaml").write_bytes(b"name: Work\n".ljust(LARGEST + 1, b"#"))
    (problem,) = problems_of(tiny)
    assert (problem.line, problem.column, problem.what) == (1, 1, "is larger than 1048576 bytes")
    assert problem.fix


def test_a_file_of_just_a_mebibyte_is_read(tiny: Path) -> None:
    (tiny / "themes/large.yaml").write_bytes(b"name: Work\n#".ljust(LARGEST, b"#"))
    assert problems_of(tiny) == []


def test_a_folder_where_a_file_should_be_is_named(tiny: Path) -> None:
    (tiny / "themes/broken.yaml").mkdir()
    (problem,) = problems_of(tiny)
    assert problem.path == "content/themes/broken.yaml"
    assert problem.what.startswith("cannot be read: ")
    assert problem.fix


def test_a_missing_folder_is_one_problem(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    problems = problems_of(nowhere)
    assert [(p.path, p.line, p.column, p.what) for p in problems] == [(str(nowhere), 1, 1, "there is no such folder")]
    assert problems[0].fix


def test_a_missing_pack_file_is_one_problem(tiny: Path) -> None:
    (tiny / "pack.yaml").unlink()
    (problem,) = problems_of(tiny)
    assert (problem.path, problem.line, problem.column) == ("content/pack.yaml", 1, 1)
    assert problem.what.startswith("cannot be read: ")
    assert problem.fix


def test_missing_phrases_of_the_original_are_a_problem(tiny: Path) -> None:
    (tiny / "phrases/en.yaml").unlink()
    (problem,) = problems_of(tiny)
    assert (problem.path, problem.line, problem.column) == ("content/phrases/en.yaml", 1, 1)


@pytest.mark.parametrize("text", ["", "# Nothing yet\n", "talk: {}\n"])
def test_an_original_without_phrases_is_one_problem(tiny: Path, text: str) -> None:
    (tiny / "phrases/en.yaml").write_text(text)
    fix = "write them; every pack needs them"
    assert problems_of(tiny) == [Problem("content/phrases/en.yaml", 1, 1, "holds no phrases", fix)]


def test_missing_phrases_of_a_translation_are_only_listed(tiny: Path) -> None:
    (tiny / "phrases/es.yaml").unlink()
    assert ("es", "content/phrases/es.yaml", ("talk", "hello")) in load_content(tiny).missing


@pytest.mark.parametrize("place", ["sources.yaml", "situations.yaml"])
def test_a_file_that_every_pack_needs_is_missed(tiny: Path, place: str) -> None:
    (tiny / place).unlink()
    (tiny / place.replace(".yaml", ".es.yaml")).unlink(missing_ok=True)
    problems = problems_of(tiny)
    assert [(p.path, p.line, p.column) for p in problems] == [(f"content/{place}", 1, 1)]
    assert problems[0].fix


def test_a_language_may_be_without_a_file_for_matching(tiny: Path) -> None:
    (tiny / "matching/es.yaml").unlink()
    assert tongues(load_content(tiny).library).keys() == {"en", "es"}


@pytest.mark.parametrize("depth", [1_000, 100_000, LARGEST])
def test_a_file_of_nothing_but_brackets_is_refused_and_kills_nobody(tmp_path: Path, depth: int) -> None:
    path = tmp_path / "deep.yaml"
    path.write_bytes(b"[" * depth)
    asked = (
        "import sys; from pathlib import Path; from bot.library.source import read; print(read(Path(sys.argv[1]), 'd'))"
    )
    done = subprocess.run(  # in a process of its own, for it may take that process down
        [sys.executable, "-c", asked, str(path)],
        cwd=HERE.parent.parent,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("d:")


@pytest.mark.parametrize(
    ("place", "old", "new"),
    [
        ("rumours/work/jobs.yaml", "name: Work and newcomers", f"name: {'x' * 34}"),
        ("rumours/work/jobs.yaml", "say: I see the worry. What did you notice?", f"say: {'word ' * 20}"),
        ("rumours/work/jobs.yaml", "truth: Newcomers change local work very little.", f"truth: {'word ' * 25}"),
        ("rumours/work/jobs.yaml", "estimates: 129", "estimates: -0.25"),
        ("rumours/work/jobs.yaml", "estimates: 129", "estimates: year 1856"),
        ("rumours/work/jobs.yaml", "year: 2010", "year: 2006-2018"),
        ("rumours/work/jobs.yaml", "year: 2010", "year: 2024-07"),
        ("rumours/work/jobs.yaml", "claim: They take the work.", "claim: They take 9 of 10 jobs."),
        ("glossary/rumour.yaml", "example: They said it at the bar.", 'example: "Note: *they* said it."'),
        ("glossary/bias.yaml", "definition: A leaning.", f"definition: {'word ' * 45}"),
        ("techniques/ask.yaml", "gist: Ask how they know.", f"gist: {'word ' * 14}"),
    ],
)
def test_what_just_fits_is_sound(tiny: Path, place: str, old: str, new: str) -> None:
    text = (tiny / place).read_text("utf-8")
    assert old in text
    (tiny / place).write_text(text.replace(old, new), encoding="utf-8")
    assert problems_of(tiny) == []


def test_a_name_of_thirty_letters_is_an_id(tiny: Path) -> None:
    (tiny / f"themes/{'x' * 30}.yaml").write_text("name: Work\n")
    assert problems_of(tiny) == []


@pytest.mark.parametrize(
    "link", ["/term bias", "/technique ask", "/rumour jobs", "/rumours work", "/rumour", "/tip", "/support"]
)
def test_a_link_to_what_there_is_is_sound(tiny: Path, link: str) -> None:
    (tiny / "glossary/bias.yaml").write_text(f"name: bias\ndefinition: A leaning. [More]({link})\n{DRAFT}")
    assert problems_of(tiny) == []


def test_a_link_to_the_web_is_not_looked_up(tiny: Path) -> None:
    (tiny / "glossary/bias.yaml").write_text(
        f"name: bias\ndefinition: A leaning. [More](https://example.org/)\n{DRAFT}"
    )
    assert problems_of(tiny) == []


def test_terms_may_be_related_in_a_circle(tiny: Path) -> None:
    circle = {"first": "[second]", "second": "[third]", "third": "[first, third]"}
    for name, related in circle.items():
        (tiny / f"glossary/{name}.yaml").write_text(f"name: {name}\ndefinition: A word.\nrelated: {related}\n{DRAFT}")
    terms = load_content(tiny).library.entries["term"]["en"]
    assert {name: f"[{', '.join(terms[name].related)}]" for name in circle} == circle


def test_problems_of_all_files_are_told_at_once_in_the_order_of_files_and_lines(tiny: Path) -> None:
    (tiny / "themes/work.yaml").write_text("nmae: Work\n")
    (tiny / "glossary/bias.yaml").write_text(f"name: bias\ndefinition: A leaning of 2.\nrelated: [rumor]\n{DRAFT}")
    (tiny / "phrases/en.yaml").write_text('talk: {hello: "{{ 2 * 3 }}"}\n')
    problems = [p for p in problems_of(tiny) if ".es." not in p.path and "/es" not in p.path]
    assert [(p.path.removeprefix("content/"), p.line) for p in problems] == [
        ("glossary/bias.yaml", 2),
        ("glossary/bias.yaml", 3),
        ("phrases/en.yaml", 1),
        ("themes/work.yaml", 1),
        ("themes/work.yaml", 1),
    ]
