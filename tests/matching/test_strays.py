"""Rumours that take each other's sentences are named; those that keep to themselves are not."""

from bot.matching.index import Index, Phrasing
from bot.matching.strays import Stray, rivals, strays
from bot.matching.tongue import Tongue, Typing

SAID = {
    "jobs": ["work for them", "no work is left", "they take work", "they steal our work", "work goes to them"],
    "pay": ["pay falls by them", "they push pay down", "no pay for us", "our pay is small", "work pays less"],
}


def index(said: dict[str, list[str]]) -> Index:
    return Index([Phrasing(entry, text) for entry, texts in said.items() for text in texts], Tongue(Typing()))


def test_a_phrasing_that_the_others_do_not_lead_to_is_a_stray() -> None:
    assert {stray.text for stray in strays(index(SAID))} == {"work pays less"}


def test_strays_are_kept_by_name() -> None:
    shelf: dict[str, bytes] = {}
    one = strays(index(SAID), lambda name, make: shelf.setdefault(name, make()))
    assert strays(index(SAID), lambda name, _: shelf[name]) == one


def test_two_that_lose_two_each_to_the_other_are_rivals() -> None:
    lost = [Stray("a", str(n), "b", near=True) for n in range(2)] + [
        Stray("b", str(n), "a", near=True) for n in range(3)
    ]
    assert list(rivals([*lost, Stray("a", "x", "c", near=False)])) == [("a", "b")]
    assert rivals(lost[1:]) == {}


def test_an_empty_library_has_none() -> None:
    assert strays(index({})) == []
