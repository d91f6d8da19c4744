"""Holds to account that each kind of puzzle judges what is pressed and typed as tests/puzzles/<kind>.yaml says.

`shown` and `against` are the ids in the order shown when chance leaves everything where it stands; under a verdict
stands what comes to it when said first; `says` are presses one after another and what they come to.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.features.quizzes.puzzles import AnyPuzzle
from bot.features.quizzes.puzzles.estimate import numbers
from bot.features.quizzes.puzzles.puzzle import UNCLEAR, Ground, Shown, Verdict, What, unlike
from bot.features.quizzes.puzzles.typed import options_of, plain, same
from bot.library.shape import members, unwrap

HERE = Path(__file__).parent / "puzzles"
KINDS = sorted(members(unwrap(AnyPuzzle)[0]))
VERDICTS = get_args(What)
STEADY = settings(deadline=None, derandomize=True, max_examples=150)
WORD = st.text("abcdefghijklmnopqrstuvwxyzäé", min_size=5, max_size=12)


class Still(random.Random):
    """Chance that leaves everything where it stands."""

    def shuffle(self, x: Any) -> None:
        """Do nothing."""


class Case:
    """A file of tests/puzzles/, and its puzzle as it is shown there."""

    def __init__(self, kind: str) -> None:
        self.told = yaml.load((HERE / f"{kind}.yaml").read_text("utf-8"), yaml.BaseLoader)
        self.puzzle: AnyPuzzle = TypeAdapter(AnyPuzzle).validate_python(self.told["puzzle"])
        self.ground = Ground(**self.told.get("ground", {}))
        self.shown: Shown = self.puzzle.shown(self.ground, Still())

    def judge(self, *said: str) -> Verdict:
        """Return what the last of `said` comes to."""
        verdict = UNCLEAR
        picked: tuple[str, ...] = ()
        for one in said:
            verdict = self.puzzle.judge(self.shown, one, picked, self.ground)
            picked = picked if verdict.what == "unclear" else verdict.picked
        return replace(verdict, picked=picked)


CASES = {kind: Case(kind) for kind in KINDS if (HERE / f"{kind}.yaml").exists()}


def test_every_kind_has_its_file_and_every_file_its_kind() -> None:
    assert [path.stem for path in sorted(HERE.glob("*.yaml"))] == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_tells_of_right_wrong_and_not_understood(kind: str) -> None:
    told = CASES[kind].told
    assert told["right"]
    assert told["wrong"]
    assert told["unclear"]
    assert told.keys() <= {"puzzle", "ground", "shown", "against", "pressable", "says", *VERDICTS}


def said() -> Iterator[tuple[str, str, str]]:
    for kind, case in CASES.items():
        for verdict in VERDICTS:
            yield from ((kind, text, verdict) for text in case.told.get(verdict, []))


@pytest.mark.parametrize(("kind", "text", "verdict"), list(said()))
def test_what_is_said_comes_to_what_the_file_tells(kind: str, text: str, verdict: str) -> None:
    assert CASES[kind].judge(text).what == verdict


@pytest.mark.parametrize(
    ("kind", "told"), [(kind, told) for kind in CASES for told in CASES[kind].told.get("says", [])]
)
def test_presses_one_after_another_come_to_what_the_file_tells(kind: str, told: dict[str, Any]) -> None:
    case = CASES[kind]
    verdict = case.judge(*told["said"])
    met = {
        "said": told["said"],
        "comes": verdict.what,
        "option": verdict.option,
        "leaves": list(verdict.picked),
        "fits": str(verdict.fits),
        "pressable": list(case.puzzle.pressable(case.shown, verdict.picked)),
    }
    assert {name: met[name] for name in told} == told


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_shown_as_the_file_tells(kind: str) -> None:
    case = CASES[kind]
    assert [option.id for option in case.shown.options] == case.told.get("shown", [])
    assert [option.id for option in case.shown.against] == case.told.get("against", [])
    assert list(case.puzzle.pressable(case.shown, ())) == case.told.get("pressable", [])


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_may_be_pressed_is_understood_and_fits_a_button(kind: str) -> None:
    case = CASES[kind]
    for say in case.puzzle.pressable(case.shown, ()):
        assert case.judge(say).what != "unclear"
        assert len(say.encode()) <= 40


@pytest.mark.parametrize("kind", KINDS)
def test_an_essay_is_judged_quickly_and_never_right(kind: str) -> None:
    for text in ("because " * 500, "1" * 4096, "1b" * 2000, "1 " * 2000, "not " * 1000, "١" * 4000):
        assert CASES[kind].judge(text).what in ("unclear", "wrong")


@STEADY
@given(text=st.text(max_size=60), kind=st.sampled_from(KINDS), picked=st.lists(st.integers(0, 2), max_size=4))
def test_nothing_typed_breaks_a_puzzle(text: str, kind: str, picked: list[int]) -> None:
    case = CASES[kind]
    says = [option.say for option in case.shown.options]
    assert case.judge(*(says[number] for number in picked if number < len(says)), text).what in VERDICTS


@STEADY
@given(text=st.text("0123456789 abc,.-()", max_size=12), count=st.integers(1, 9))
def test_what_is_read_as_places_are_options_that_there_are(text: str, count: int) -> None:
    shown = CASES["several"].shown.options
    options = [replace(shown[0], id=f"option-{number}") for number in range(count)]
    assert set(options_of(options, text) or ()) <= {option.id for option in options}


@STEADY
@given(word=WORD, at=st.integers(1, 11), letter=st.sampled_from("bdfhkpqx"))
def test_one_typo_is_forgiven_and_two_are_not(word: str, at: int, letter: str) -> None:
    spoilt = word[:at] + letter + word[at:]
    assert same(spoilt, word)
    assert not same(spoilt + "zzz", word)


@STEADY
@given(word=WORD, negation=st.sampled_from(["not", "no", "never", "nunca", "nicht", "pas", "não"]))
def test_a_word_with_a_not_before_or_behind_is_never_that_word(word: str, negation: str) -> None:
    if plain(word) != plain(negation):
        assert not same(f"{negation} {word}", word)
        assert not same(f"{word}, {negation}", word)


@STEADY
@given(code=st.from_regex(r"[a-z]{2}[0-9]{4}", fullmatch=True), digit=st.sampled_from("0123456789"))
def test_a_code_has_no_typos(code: str, digit: str) -> None:
    spoilt = f"{code[:3]}{digit}{code[4:]}"
    assert same(spoilt, code) == (spoilt == code)


@STEADY
@given(number=st.integers(0, 10**9))
def test_a_number_is_read_however_its_thousands_are_marked(number: int) -> None:
    for mark in ("", ",", ".", " ", "'", "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"):
        written = f"{number:,}".replace(",", mark)
        assert Decimal(number) in numbers(written), written


@STEADY
@given(ids=st.lists(st.text("abc", min_size=1), unique=True, min_size=2, max_size=9), seed=st.integers())
def test_a_mixed_order_is_never_the_right_one(ids: list[str], seed: int) -> None:
    order = unlike(ids, random.Random(seed))
    assert sorted(order) == sorted(ids)
    assert order != ids
