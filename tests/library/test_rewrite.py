"""Holds to account that a value is changed in a file's text, and nothing else in it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.library.rewrite import put, written
from bot.library.source import At, Tree, parsed

STEADY = settings(deadline=None, derandomize=True, max_examples=60)

WORD = st.one_of(
    st.text("ab é:#-\n'\"{}[],&*!%@` \u00a0«", min_size=1, max_size=12),
    st.text(max_size=6).filter(lambda text: not any("\ud800" <= sign <= "\udfff" for sign in text)),
)
NAME = st.text("abc-", min_size=1, max_size=3)
TREE = st.recursive(
    st.one_of(WORD, st.lists(WORD, max_size=3)), lambda inner: st.dictionaries(NAME, inner, max_size=3), max_leaves=8
)
FILE = st.dictionaries(NAME, TREE, min_size=1, max_size=4)


def addresses(tree: Tree, at: At = ()) -> list[At]:
    if not isinstance(tree, dict):
        return [at]
    return [found for name, child in tree.items() for found in addresses(child, (*at, name))]


def changed(tree: Any, at: At, value: Tree) -> Any:
    if not at:
        return value
    return {**tree, at[0]: changed(tree.get(at[0], {}), at[1:], value)}


@STEADY
@given(tree=FILE)
def test_what_is_written_is_read_again(tree: dict[str, Any]) -> None:
    assert parsed(written(tree)) == tree


@STEADY
@given(tree=FILE, data=st.data())
def test_a_changed_value_is_the_only_change(tree: dict[str, Any], data: st.DataObject) -> None:
    at = data.draw(st.sampled_from(addresses(tree) or [("a",)]))
    value = data.draw(st.one_of(WORD, st.lists(WORD, max_size=3)))
    at = at or ("a",)
    assert parsed(put(written(tree), {at: value}, tree)) == changed(tree, at, value)


@STEADY
@given(tree=FILE, data=st.data())
def test_what_was_taken_out_is_put_back_in_its_place(tree: dict[str, Any], data: st.DataObject) -> None:
    gone = data.draw(st.sampled_from(sorted(tree)))
    rest = {name: part for name, part in tree.items() if name != gone}
    again = put(written(rest) if rest else "", {(gone,): tree[gone]}, tree)
    assert parsed(again) == tree
    assert list(parsed(again)) == list(tree)


TEXT = """\
# At the top.
name: Old   # beside it
heard:      # a list
  - one     # the first
  - "two: 2"

# Below.
facts:
  first: {say: It is so., where: Here}
  second:
    say: |-
      Long.

      Longer.
    where: There
last: {status: draft}
"""


@pytest.mark.parametrize(
    ("at", "value", "old", "new"),
    [
        (("name",), "New: words", "name: Old   # beside it", 'name: "New: words"   # beside it'),
        (("heard",), ["uno", "two: 2"], "- one     # the first", "- uno     # the first"),
        (("facts", "first", "say"), "So, it is.", "say: It is so.", 'say: "So, it is."'),
        (("facts", "second", "where"), "Nowhere", "where: There", "where: Nowhere"),
        (("facts", "first", "note"), "Add", "where: Here}", "where: Here, note: Add}"),
        (("facts", "second", "note"), "Add", "    where: There\n", "    where: There\n    note: Add\n"),
        (("new",), ["a", "b"], "last:", "new:\n  - a\n  - b\nlast:"),
        (("first",), "First", "name: Old", "first: First\nname: Old"),
        (("heard",), ["a", "b", "c"], '  - one     # the first\n  - "two: 2"', "  - a\n  - b\n  - c"),
    ],
)
def test_comments_and_order_stay_as_they_are(at: At, value: Tree, old: str, new: str) -> None:
    fact = {"say": "", "where": "", "note": ""}
    facts = {"first": fact, "second": fact}
    order: Tree = {"first": "", "name": "", "heard": "", "facts": facts, "new": "", "last": ""}
    expected = TEXT.replace(old, new)
    if at == ("heard",) and len(value) == 3:
        expected = expected.replace("heard:      # a list", "heard:")
    assert put(TEXT, {at: value}, order) == expected


def test_a_value_that_is_there_already_changes_not_a_byte() -> None:
    assert put(TEXT, {("name",): "Old", ("heard",): ["one", "two: 2"]}, {}) == TEXT


def test_lines_that_end_as_on_windows_stay_so() -> None:
    text = "\ufeff" + TEXT.replace("\n", "\r\n")
    assert put(text, {("name",): "New"}, {}) == text.replace("Old", "New")


def test_every_shipped_file_can_be_written_anew() -> None:
    for path in sorted((Path(__file__).parents[2] / "content").glob("*/*.es.yaml")):
        tree = parsed(path.read_text("utf-8"))
        assert parsed(written(tree)) == tree


def test_several_new_keys_stand_in_the_originals_order() -> None:
    order: Tree = {"a": "", "b": "", "c": "", "d": ""}
    assert put("a: 1\nd: 4\n", {("c",): "3", ("b",): "2"}, order) == "a: 1\nb: 2\nc: 3\nd: 4\n"
