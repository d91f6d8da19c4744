"""What was typed is cleaned before anything looks at it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.talk.words import LONGEST, Call, call, clean, folded


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("  two\n\nlines ", "two lines"),
        ("bell\x07 and \x00null", "bell and null"),
        ("zero\u200bwidth", "zero width"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("\u202eright to left override", "right to left override"),
    ],
)
def test_what_cannot_be_seen_goes(typed: str, cleaned: str) -> None:
    assert clean(typed) == cleaned


def test_a_long_text_is_cut() -> None:
    assert len(clean("🙂" * 100_000)) == LONGEST


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("/rumour jobs facts", Call("rumour", "jobs facts")),
        ("/Rumour@HearsayBot jobs", Call("rumour", "jobs")),
        ("/tip", Call("tip", "")),
        ("/", Call("help", "")),
        ("///", Call("help", "")),
        ("//x", None),
        ("/1", None),
        ("tip", None),
    ],
)
def test_commands_are_read(text: str, called: Call | None) -> None:
    assert call(text) == called


def test_folding_forgets_case_and_accents() -> None:
    assert folded("  ¿QUÉ  Tal?") == "¿que tal?"
    assert folded("Straße") == "strasse"
