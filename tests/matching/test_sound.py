"""What kind of sentence it is, is heard by how it is put; a language without examples hears nothing."""

import pytest

from bot.matching.sound import SORTS, Sort, Sound, examples, lean
from bot.matching.tongue import Tongue, Typing

STOP = "they we our us the a is it do i where how can my to and not of all get for in"
TONGUE = Tongue(
    Typing(
        stemmer="english",
        stop=STOP,
        aliases={"housing": ["flat", "house"], "job": ["job", "work"]},
        services=["where is the office", "how do i apply for a flat", "where can i get help", "how can i find work"],
        others=["my dog is happy", "i like my house", "tell me a joke", "my bus is late"],
        opposites=["they work like everybody else", "they are just like us", "they do not get it", "it is a lie"],
    )
)
RUMOURS = ["they take our jobs", "they get all the flats", "all of them get a house before us", "they steal our work"]
SOUND = Sound(TONGUE, RUMOURS)


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("they take all our houses", "rumour"),
        ("where do i get a job", "service"),
        ("my cat is late", "other"),
        ("they live just like everybody else", "opposite"),
    ],
)
def test_each_kind_is_heard_in_words_that_were_not_shown(text: str, sort: Sort) -> None:
    sorts = SOUND.of(text)
    assert max(sorts, key=lambda each: sorts[each]) == sort


@pytest.mark.parametrize("text", ["", "🙂", "\u200b", "x" * 100_000, "они where работу"])
def test_odd_texts_are_heard_as_something(text: str) -> None:
    assert sum(SOUND.of(text).values()) == pytest.approx(1)


def test_a_language_without_examples_leans_nowhere() -> None:
    mute = Sound(Tongue(Typing()), RUMOURS)
    assert set(mute.of("they take our jobs").values()) == {1 / len(SORTS)}
    assert lean(mute.of("they"), "opposite", ("rumour",)) == 0


def test_a_sentence_can_be_left_out_of_what_is_learnt() -> None:
    text = "tell me a joke"
    assert Sound(TONGUE, RUMOURS, but={text}).of(text)["other"] < SOUND.of(text)["other"]


def test_the_examples_are_those_that_are_no_rumours() -> None:
    assert {sort for sort, _ in examples(TONGUE)} == {"service", "other", "opposite"}
