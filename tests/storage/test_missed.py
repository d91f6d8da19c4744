"""Holds missed terms to account: words for editors are counted; numbers, addresses and messages are never kept."""

import unicodedata
from datetime import datetime
from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as some
from sqlalchemy import create_engine

from bot.storage import missed
from bot.storage.store import Store
from bot.storage.tables import METADATA

NOW = datetime.fromisoformat("2026-11-20T12:00:00+00:00")


def kept(word: str) -> list[str]:
    """Return what is kept of `word`."""
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    with engine.begin() as tx:
        missed.note(tx, word, "en", NOW)
        found = [word for word, _, _ in missed.most_wanted(tx)]
    engine.dispose()
    return found


async def test_the_most_wanted_word_comes_first(store: Store) -> None:
    for word, language in [
        ("Echo", "en"),
        ("bias", "en"),
        ("ECHO", "en"),
        ("echo", "es"),
        ("bias", "en"),
        ("bias", "en"),
    ]:
        await store.run(partial(missed.note, word=word, language=language, now=NOW))
    assert await store.read(missed.most_wanted) == [("bias", "en", 3), ("echo", "en", 2), ("echo", "es", 1)]


@pytest.mark.parametrize(
    "word", ["echo chamber", "xénophobie", "l'altérité", "anti-racism", "straw man argument", "偏見", "предубеждение"]
)
def test_a_term_is_kept(word: str) -> None:
    assert kept(word) == [word.casefold()]


@pytest.mark.parametrize(
    "word",
    [
        "07700900123",
        "+44 7700 900123",
        "room 12",
        "B12",
        "ana@example.org",
        "@ana",
        "example.org",
        "https://example.org/a",
        "12 High Street",
        "my son has been out of work",
        "a" * 41,
        "",
        " ",
        "two  spaces",
        "line\nbreak",
        "end\n",
        "a_b",
        "²³⁴",
        "①②③",
        "Ⅶ",
    ],
)
def test_what_may_be_about_somebody_is_not_kept(word: str) -> None:
    assert kept(word) == []


@given(some.text(some.characters(exclude_categories=["Cs"]), max_size=60))
@example("½")
def test_whatever_is_kept_is_short_and_holds_no_figure(word: str) -> None:
    for found in kept(word):
        assert len(word) <= missed.LONGEST
        assert not any(unicodedata.category(character).startswith("N") for character in found)
        assert "@" not in found
