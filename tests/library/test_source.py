"""Holds to account that YAML is read as strings, each known to stand just where it stands."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.library.problem import Problem
from bot.library.source import At, Source, Tree, read

STEADY = settings(deadline=None, derandomize=True, max_examples=150)
LETTERS = st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"))
WORDS = st.text(LETTERS, max_size=20)
TREES: st.SearchStrategy[Tree] = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=20
)
BEGINS: dict[type, str] = {dict: "{", list: "["}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("source") / "page.yaml"


def parsed(page: Path, text: str) -> Source:
    page.write_text(text, encoding="utf-8", newline="")
    found = read(page, "page.yaml")
    assert isinstance(found, Source), found
    return found


def at(tree: Tree, address: At) -> Tree:
    """Return what stands at `address`."""
    for part in address:
        tree = tree[part]  # type: ignore[index]  # the address came from this tree
    return tree


@STEADY
@given(tree=TREES)
def test_what_was_written_is_read_back(page: Path, tree: Tree) -> None:
    assert parsed(page, json.dumps(tree, ensure_ascii=False, indent=2)).tree == tree


@STEADY
@given(tree=TREES)
def test_every_mark_points_at_what_it_names(page: Path, tree: Tree) -> None:
    text = json.dumps(tree, ensure_ascii=False, indent=2)
    source, rows = parsed(page, text), text.split("\n")
    for address, (line, column) in source.marks.values.items():
        value = at(tree, address)
        begins = BEGINS.get(type(value)) or json.dumps(value, ensure_ascii=False)
        assert rows[line - 1][column - 1 :].startswith(begins)
    for address, (line, column) in source.marks.keys.items():
        if address:
            assert rows[line - 1][column - 1 :].startswith(json.dumps(address[-1], ensure_ascii=False))


@STEADY
@given(tree=TREES)
def test_every_part_of_the_tree_has_a_mark(page: Path, tree: Tree) -> None:
    source = parsed(page, json.dumps(tree, ensure_ascii=False))

    def addresses(part: Tree, address: At) -> set[At]:
        pairs = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        return {address}.union(*(addresses(child, (*address, name)) for name, child in pairs))

    assert source.marks.values.keys() == addresses(tree, ())
    assert all(map(source.has, addresses(tree, ())))


@STEADY
@given(data=st.binary(max_size=60) | st.text("ab:-[]{}#&*!|>'\"%@`?, \n\t", max_size=60).map(str.encode))
@example(data=b"&a [*a]")
@example(data=b"? {a: b}\n: c")
@example(data=b"\xff\xfea\x00")
@example(data=b"!!python/object:os.system x")
def test_whatever_the_bytes_there_is_a_tree_or_a_problem_with_a_place(page: Path, data: bytes) -> None:
    page.write_bytes(data)
    found = read(page, "page.yaml")
    if isinstance(found, Problem):
        assert found.line >= 1
        assert found.column >= 1
        assert found.what
        assert found.fix


@pytest.mark.parametrize(
    "word",
    ["yes", "no", "on", "off", "true", "null", "~", "18:30", "1.0", "0x1F", "012", "1e3", "2026-11-20", "=", ".inf"],
)
def test_words_that_yaml_would_change_stay_as_they_were_typed(page: Path, word: str) -> None:
    assert parsed(page, f"a: {word}\n{word}: b\nc: [{word}]\n").tree == {"a": word, word: "b", "c": [word]}


def test_a_value_left_out_is_empty_text(page: Path) -> None:
    assert parsed(page, "a:\nb: []\n").tree == {"a": "", "b": []}


def test_a_tag_changes_nothing(page: Path) -> None:
    assert parsed(page, "a: !!int 5\nb: !!python/name:os.system x\n").tree == {"a": "5", "b": "x"}


def test_a_byte_order_mark_is_passed_over(page: Path) -> None:
    source = parsed(page, "\ufeffname: Work\n")
    assert source.tree == {"name": "Work"}
    assert source.marks.keys["name",] == (1, 1)


def test_lines_that_end_as_on_windows_count_once(page: Path) -> None:
    source = parsed(page, "a: b\r\nc: d\r\n")
    assert source.tree == {"a": "b", "c": "d"}
    assert source.marks.values["c",] == (2, 4)


def test_a_column_counts_characters_and_no_bytes(page: Path) -> None:
    assert parsed(page, "{ñandú: ¿qué?, b: c}\n").marks.values["b",] == (1, 19)


def test_a_problem_of_what_is_missing_stands_at_the_part_that_lacks_it(page: Path) -> None:
    source = parsed(page, "a:\n  b: c\n")
    assert source.problem(("a", "x", "y"), "is missing", "add it") == Problem("page.yaml", 2, 3, "is missing", "add it")
    assert source.problem(("a", "x"), "is missing", key=True) == Problem("page.yaml", 1, 1, "is missing")
    assert source.problem(("z",), "is missing") == Problem("page.yaml", 1, 1, "is missing")


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    found = read(tmp_path / "none.yaml", "none.yaml")
    assert isinstance(found, Problem)
    assert (found.path, found.line, found.column) == ("none.yaml", 1, 1)
    assert found.fix


def test_a_problem_prints_as_editors_read_it() -> None:
    assert str(Problem("a.yaml", 2, 10, "is wrong", "mend it")) == "a.yaml:2:10: is wrong\n    fix: mend it"
