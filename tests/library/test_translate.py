"""Holds to account that a translation replaces words and nothing else, and that what it lacks is known."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.library import translate
from bot.library.problem import Problem
from bot.library.shape import Entry, Own, Phrase, Ref, Text
from bot.library.source import At, Source, Tree, read

STEADY = settings(deadline=None, derandomize=True, max_examples=150)


class Part(Entry):
    """A part with a word and a rule."""

    say: Text
    year: str


class Whole(Entry):
    """Something of every shape that a content file has."""

    name: Text
    rule: str
    heard: list[Phrase]
    related: list[Annotated[str, Ref("term")]]
    parts: dict[str, Part]
    one: Part
    note: Text | None = None


WORD = st.text("abcñé ", min_size=1, max_size=8)
PART = st.fixed_dictionaries({"say": WORD, "year": WORD})
ORIGINAL = st.fixed_dictionaries(
    {
        "name": WORD,
        "rule": WORD,
        "heard": st.lists(WORD, max_size=3),
        "related": st.lists(WORD, max_size=3),
        "parts": st.dictionaries(st.text("xyz", min_size=1, max_size=3), PART, max_size=3),
        "one": PART,
    },
    optional={"note": WORD},
)


def words_of(original: dict[str, Any]) -> dict[str, Any]:
    """Return the words of `original` alone, in capitals."""
    parts = {name: {"say": part["say"].upper()} for name, part in original["parts"].items()}
    note = {"note": original["note"].upper()} if "note" in original else {}
    heard = [line.upper() for line in original["heard"]]
    return {
        "name": original["name"].upper(),
        "heard": heard,
        "parts": parts,
        "one": {"say": original["one"]["say"].upper()},
        **note,
    }


def addresses(words: dict[str, Any], at: At = ()) -> Iterator[At]:
    """Yield where words stand, a list as a whole, an empty one not."""
    for name, value in words.items():
        if isinstance(value, dict):
            yield from addresses(value, (*at, name))
        elif value:
            yield (*at, name)


def without(words: dict[str, Any], gone: set[At], at: At = ()) -> dict[str, Any]:
    """Return `words` without what stands at the addresses `gone`."""
    kept = {name: value for name, value in words.items() if (*at, name) not in gone}
    return {n: without(v, gone, (*at, n)) if isinstance(v, dict) else v for n, v in kept.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("translate")


def source(folder: Path, name: str, tree: Any) -> Source:
    path = folder / name
    path.write_text(json.dumps(tree, ensure_ascii=False, indent=1), encoding="utf-8")
    found = read(path, name)
    assert isinstance(found, Source)
    return found


def laid(folder: Path, original: Any, words: Any) -> tuple[Tree, list[Problem]]:
    problems: list[Problem] = []
    tree = translate.lay(source(folder, "a.yaml", original), source(folder, "a.es.yaml", words), Whole, problems)
    return tree, problems


def get(tree: Any, at: At) -> Any:
    for part in at:
        tree = tree[part]
    return tree


@STEADY
@given(original=ORIGINAL, data=st.data())
def test_what_is_translated_is_the_translations_and_all_else_the_originals(
    folder: Path, original: dict[str, Any], data: st.DataObject
) -> None:
    whole = words_of(original)
    every = sorted(addresses(whole))
    gone = set(data.draw(st.lists(st.sampled_from(every), unique=True)))
    words = without(whole, gone)
    tree, problems = laid(folder, original, words)
    assert problems == []
    for at in every:
        assert get(tree, at) == get(original if at in gone else whole, at)
    Whole.model_validate(tree)
    ours = {k: v for k, v in original.items() if k in ("rule", "related")}
    assert {k: v for k, v in tree.items() if k in ours} == ours  # type: ignore[union-attr]  # it is a mapping
    assert get(tree, ("one", "year")) == original["one"]["year"]


@STEADY
@given(original=ORIGINAL, data=st.data())
def test_what_a_translation_lacks_is_listed_each_list_once(
    folder: Path, original: dict[str, Any], data: st.DataObject
) -> None:
    whole = words_of(original)
    gone = set(data.draw(st.lists(st.sampled_from(sorted(addresses(whole))), unique=True)))
    lacking = translate.missing(
        source(folder, "a.yaml", original), source(folder, "a.es.yaml", without(whole, gone)), Whole
    )
    assert sorted(lacking) == sorted(gone)


@STEADY
@given(original=ORIGINAL)
def test_laying_nothing_changes_nothing(folder: Path, original: dict[str, Any]) -> None:
    assert laid(folder, original, {}) == (original, [])


@STEADY
@given(original=ORIGINAL)
def test_laying_twice_is_laying_once(folder: Path, original: dict[str, Any]) -> None:
    words = words_of(original)
    once, _ = laid(folder, original, words)
    assert laid(folder, once, words) == (once, [])


ONE = {
    "name": "a",
    "rule": "b",
    "heard": ["c", "d"],
    "related": ["e"],
    "parts": {"x": {"say": "f", "year": "g"}},
    "one": {"say": "h", "year": "i"},
}


def test_a_list_is_replaced_whole_even_by_a_shorter_one(folder: Path) -> None:
    tree, problems = laid(folder, ONE, {"heard": ["z"]})
    assert (get(tree, ("heard",)), problems) == (["z"], [])


def test_a_list_may_be_translated_that_the_original_left_out(folder: Path) -> None:
    tree, problems = laid(folder, {k: v for k, v in ONE.items() if k != "heard"}, {"heard": ["z"]})
    assert (get(tree, ("heard",)), problems) == (["z"], [])


@pytest.mark.parametrize(
    ("words", "line", "what"),
    [
        ({"rule": "z"}, 2, "only words are translated"),
        ({"related": ["z"]}, 2, "only words are translated"),
        ({"one": {"year": "z"}}, 3, "only words are translated"),
        ({"note": "z"}, 2, "the original has no 'note'"),
        ({"parts": {"y": {"say": "z"}}}, 3, "the original has no 'y'"),
        ({"parts": {"x": {"year": "z"}}}, 4, "only words are translated"),
        ({"mane": "z"}, 2, "'mane' is not known here"),
    ],
)
def test_what_is_no_word_is_refused_and_the_original_kept(folder: Path, words: Any, line: int, what: str) -> None:
    tree, problems = laid(folder, ONE, words)
    assert [(p.path, p.line, p.what) for p in problems] == [("a.es.yaml", line, what)]
    assert all(p.fix for p in problems)
    assert tree == ONE


class Signed(Entry):
    """Something that each file signs for itself."""

    name: Text
    by: Annotated[Part, Own()] | None = None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"name": "hola"}, {"name": "hola"}),
        ({"by": {"say": "x", "year": "2"}}, {"name": "hello", "by": {"say": "x", "year": "2"}}),
    ],
)
def test_what_a_file_says_of_itself_is_never_taken_from_its_original(words: Tree, expected: Tree) -> None:
    original = Source("a.yaml", {"name": "hello", "by": {"say": "a", "year": "1"}}, b"")
    problems: list[Problem] = []
    assert translate.lay(original, Source("a.es.yaml", words, b""), Signed, problems) == expected
    assert problems == []
