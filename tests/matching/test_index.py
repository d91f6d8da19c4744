"""The index ranks what it is given, however little or odd that is."""

import random
import time

import pytest

from bot.matching.index import Evidence, Index, Match, Phrasing
from bot.matching.tongue import Tongue, Typing

TONGUE = Tongue(
    Typing(
        stemmer="english",
        stop="a and are do from in is it of or our the they to what",
        frames=["is it true that"],
        aliases={"job": ["job", "work", "building site"], "queue": ["queue", "waiting list"]},
    )
)
JOBS = Phrasing("jobs", "they take our jobs")
RENTS = Phrasing("rents", "rents rise because of newcomers")
CRIME = Phrasing("crime", "newcomers steal and rob")
INDEX = Index([JOBS, RENTS, CRIME, Phrasing("jobs", "no work is left for us")], TONGUE)


def rank(index: Index, text: str) -> list[Match]:
    return index.rank(index.read(text))


def first(text: str) -> str:
    return rank(INDEX, text)[0].entry


def evidence(text: str, entry: str) -> Evidence:
    return INDEX.evidence(INDEX.read(text), entry)


@pytest.mark.parametrize("text", ["", " ", "jobs", "the", "🙂"])
def test_nothing_to_find_finds_nothing(text: str) -> None:
    assert rank(Index([], TONGUE), text) == []


def test_a_single_entry_is_found_and_only_by_its_words() -> None:
    index = Index([JOBS], TONGUE)
    assert [match.entry for match in rank(index, "taking our jobs")] == ["jobs"]
    assert rank(index, "zzz") == []


def test_identical_entries_rank_by_name() -> None:
    index = Index([Phrasing("second", JOBS.text), Phrasing("first", JOBS.text)], TONGUE)
    one, other = rank(index, "they take jobs")
    assert (one.entry, other.entry) == ("first", "second")
    assert one.score == other.score


def test_phrasings_of_stop_words_alone_are_still_found() -> None:
    index = Index([Phrasing("odd", "what is it"), JOBS], TONGUE)
    assert rank(index, "what is it")[0].entry == "odd"


def test_an_empty_phrasing_breaks_nothing() -> None:
    assert rank(Index([Phrasing("empty", ""), JOBS], TONGUE), "jobs")[0].entry == "jobs"


def test_the_order_of_phrasings_does_not_matter() -> None:
    phrasings = [JOBS, RENTS, CRIME, Phrasing("jobs", "no work is left for us")]
    random.Random(7).shuffle(phrasings)
    assert rank(Index(phrasings, TONGUE), "no jobs left") == rank(INDEX, "no jobs left")


def test_the_best_phrasing_speaks_for_its_entry() -> None:
    assert rank(INDEX, "is there work left")[0].phrase == "no work is left for us"


@pytest.mark.parametrize("text", ["jbos they take", "THEY TAKE OUR JÓBS", "is it true that they take our jobs?"])
def test_slips_accents_and_frames_do_not_hide_it(text: str) -> None:
    assert first(text) == "jobs"


@pytest.mark.parametrize(
    "text", ["nëw\u200bcomers ste\u00adal", "\ufeffnewcomers 🙂 ste\u200dal", "\u202enewcomers\u202c steal"]
)
def test_what_cannot_be_seen_cuts_no_word(text: str) -> None:
    assert evidence(text, "crime").words == 2
    assert first(text) == "crime"


@pytest.mark.parametrize(
    "text", ["они steal работу", "يسرقون steal", "偷 steal 工作", "👩‍👩‍👧 steal 🇪🇸", "ſteal", "ｓｔｅａｌ"]
)
def test_scripts_may_be_mixed(text: str) -> None:
    assert first(text) == "crime"


def test_a_language_without_a_stemmer_finds_by_words_and_letters() -> None:
    index = Index([Phrasing("jobs", "нам не остаётся работы"), Phrasing("rents", "аренда растёт")], Tongue(Typing()))
    assert rank(index, "работу отнимают")[0].entry == "jobs"


def test_a_long_text_costs_no_more_than_its_beginning() -> None:
    long = "they take our jobs " + " ".join(f"word{number}" for number in range(12_000))
    assert len(long) > 100_000
    began = time.perf_counter()
    assert first(long) == "jobs"
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    "text", ["x" * 100_000, " " * 100_000 + "jobs", "\ufdfa" * 100_000, "jobs" + "\u200b" * 100_000]
)
def test_long_texts_of_one_kind_are_read_to_a_bound(text: str) -> None:
    assert len(INDEX.read(text).text) <= 600
    rank(INDEX, text)


def test_evidence_counts_words_and_says_whether_one_names_a_concept() -> None:
    assert evidence("take our work", "jobs") == Evidence(2, 1.0, named=True)
    assert evidence("newcomers", "crime") == Evidence(1, 1.0, named=False)
    assert evidence("steal", "jobs") == Evidence(0, 0.0, named=False)


def test_a_language_knows_its_stop_words_concepts_and_phrasings() -> None:
    assert INDEX.familiar(["the", "queue", "rents", "zzz"]) == 0.75
    assert INDEX.familiar([]) == 0.0


def test_a_stop_word_or_concept_is_never_repaired() -> None:
    index = Index([Phrasing("one", "whether theme")], Tongue(Typing(stop="them wether", aliases={"c": ["heather"]})))
    assert index.read("wether them heather").units == [("heather", "=c")]


def test_what_stands_in_most_phrasings_weighs_little() -> None:
    same = [Phrasing(f"entry-{number}", f"newcomers always {word}") for number, word in enumerate("abcdefghij" * 5)]
    index = Index([*same, CRIME], TONGUE)
    assert rank(index, "newcomers steal")[0].entry == "crime"
