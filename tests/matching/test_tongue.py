"""A language reads a text: its frames go, what cannot be seen goes, concepts are named."""

import pytest

from bot.matching.tongue import READ, Tongue, Typing, names_concept, spoken

TONGUE = Tongue(
    Typing(
        stemmer="english",
        stop="the a of in",
        frames=["people say", "people say that"],
        aliases={"site": ["building site"], "job": ["job"]},
    )
)


def test_frames_go_the_longest_first_unless_nothing_else_is_left() -> None:
    assert TONGUE.bare("People say that jobs vanish") == "jobs vanish"
    assert TONGUE.bare("people say that") == "people say that"


@pytest.mark.parametrize("text", ["don’t go", "do\u00adn't\u200b go", "DON'T GO"])
def test_one_spelling_for_what_looks_alike(text: str) -> None:
    assert TONGUE.bare(text) == "don't go"


@pytest.mark.parametrize("text", ["word " * 20_000, "\ufdfa" * 100_000, "people say " * 10_000])
def test_only_the_beginning_is_read(text: str) -> None:
    assert len(TONGUE.bare(text)) <= READ
    assert sum(map(len, spoken(text))) <= READ


def test_a_concept_may_be_a_run_of_words() -> None:
    assert TONGUE.units(["building", "sites"]) == [("build",), ("site",), ("=site",)]
    assert [names_concept(unit) for unit in TONGUE.units(["jobs", "vanish"])] == [True, False]


def test_stop_words_alone_stay() -> None:
    assert TONGUE.telling(["the", "of"]) == ["the", "of"]
    assert TONGUE.telling(["the", "job"]) == ["job"]


def test_it_knows_stop_words_and_concepts() -> None:
    assert [TONGUE.knows(word) for word in ("the", "jobs", "zzz", "")] == [True, True, False, False]


PLAIN = Tongue(
    Typing(
        stemmer="english",
        stop="we do the it and that",
        nots="not don't",
        denials=["just like everybody"],
        aliases={"job": ["job", "building site"]},
    )
)


@pytest.mark.parametrize(
    ("text", "negates"),
    [
        ("we do not work", True),
        ("WE DON’T the work", True),
        ("we work and we don't", False),
        ("we work", False),
        ("not the it and that do work", False),
        ("", False),
    ],
)
def test_a_negation_turns_what_soon_follows(text: str, negates: bool) -> None:
    assert PLAIN.negates(text) is negates


@pytest.mark.parametrize(
    ("text", "denies"), [("Just like everybody, they work", True), ("just likely everybody", False), ("", False)]
)
def test_a_turn_of_phrase_contradicts_as_whole_words(text: str, denies: bool) -> None:
    assert PLAIN.denies(text) is denies


def test_the_shape_of_a_sentence_does_not_say_what_it_is_about() -> None:
    assert PLAIN.shape(["the", "jobs"]) == PLAIN.shape(["the", "job"]) != PLAIN.shape(["the", "cats"])
    assert "the =" in PLAIN.shape(["the", "jobs"])


def test_it_names_those_concepts_that_it_has_words_for() -> None:
    assert PLAIN.named(["job", "queue"]) == {"=job"}
