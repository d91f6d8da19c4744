"""How sure an answer is, is learnt from the library; a library that teaches nothing is judged all the same."""

import random

import pytest

from bot.matching.index import Index, Phrasing
from bot.matching.sound import Sound
from bot.matching.sure import NOBODY, STANCES, Judge, Reader, judge, listen
from bot.matching.tongue import Tongue, Typing

TONGUE = Tongue(
    Typing(
        stemmer="english",
        stop="they we our the a is it do not don't i where my to and of all get for in",
        aliases={"housing": ["flat", "house"], "job": ["job", "work"], "crime": ["steal", "rob"]},
        services=["where is the office", "where do i apply for a flat"],
        others=["my dog is late", "i like my house"],
        opposites=["they work like everybody", "they do not steal"],
        nots="not don't never",
        denials=["like everybody"],
    )
)
SAID = {
    "jobs": ["they take our jobs", "they steal our work", "our jobs go to them", "no job is left"],
    "homes": ["they get our flats", "the flats go to them", "they take a house", "all houses are for them"],
    "crime": ["they rob and steal", "they steal our bikes", "all thieves are them", "they rob us at night"],
}


def reader(said: dict[str, list[str]], tongue: Tongue = TONGUE) -> Reader:
    phrasings = [Phrasing(entry, text) for entry, texts in said.items() for text in texts]
    return Reader(Index(phrasings, tongue), tongue, Sound(tongue, [phrasing.text for phrasing in phrasings]))


READER = reader(SAID)
JUDGE = judge([READER])


def sure(text: str) -> float:
    return JUDGE.right.of(listen(READER, text, READER.index.rank(READER.index.read(text))).signs)


def stance(text: str) -> dict[str, float]:
    found = READER.index.rank(READER.index.read(text))
    return dict(zip(STANCES, listen(READER, text, found).stance, strict=True))


def test_what_was_learnt_is_the_same_each_time_and_can_be_kept() -> None:
    assert judge([READER]) == JUDGE
    assert Judge.of_bytes(JUDGE.to_bytes()) == JUDGE


def test_it_is_recalled_by_what_it_was_learnt_from() -> None:
    names = []
    for readers in ([READER], [READER, READER], [reader(SAID | {"jobs": ["no work"]})]):
        judge(readers, lambda name, make: names.append(name) or make())  # type: ignore[func-returns-value]
    assert len(set(names)) == 3


@pytest.mark.parametrize("said", [{}, {"one": ["they take our jobs"]}, {"one": ["same"], "two": ["same"]}])
def test_a_library_with_nothing_to_learn_from_is_judged_like_most(said: dict[str, list[str]]) -> None:
    assert judge([reader(said, Tongue(Typing()))]) == NOBODY


def test_a_sentence_of_the_library_is_surer_than_one_that_shares_a_word() -> None:
    assert sure("they take our jobs") > sure("my dog has a job")


def test_a_negation_that_the_rumour_lacks_is_noticed() -> None:
    assert stance("they don't take our jobs")["denied"] > stance("they take our jobs")["denied"] == 0
    assert stance("they take our jobs like everybody")["turn"] == 1


def test_phrasings_in_any_order_teach_the_same() -> None:
    texts = [(entry, text) for entry, own in SAID.items() for text in own]
    random.Random(2).shuffle(texts)
    shuffled: dict[str, list[str]] = {}
    for entry, text in texts:
        shuffled.setdefault(entry, []).append(text)
    one, other = judge([reader(shuffled)]), JUDGE
    assert one.right.of((2.0, 1.0, 2.0, 1.0, 0.0)) == pytest.approx(other.right.of((2.0, 1.0, 2.0, 1.0, 0.0)), abs=0.25)
