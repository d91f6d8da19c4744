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
    assert evidence("take our work", "jobs") == Evidence(2, 1.0, named=1)
    assert evidence("newcomers", "crime") == Evidence(1, 1.0, named=0)
    assert evidence("steal", "jobs") == Evidence(0, 0.0, named=0)


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


MANY = [
    Phrasing(entry, f"{start} {word}")
    for entry, words in {"jobs": ["jobs", "pay", "boss"], "homes": ["flats", "rents", "houses"]}.items()
    for word in words
    for start in ("newcomers get", "it is about")
]


def test_what_tells_entries_apart_counts_where_each_is_said_in_several_ways() -> None:
    index = Index(MANY, TONGUE)
    parts = index.explain(index.read("newcomers flats"), rank(index, "newcomers flats")[0])
    assert {part.by for part in parts} == {"phrasing", "learnt", "letters"}
    assert next(part for part in parts if part.by == "learnt").what == "flat"


def test_a_fold_is_the_index_without_some_phrasings() -> None:
    index = Index(MANY, TONGUE)
    homes = [number for number, phrasing in enumerate(index.phrasings) if phrasing.entry == "homes"]
    found = index.rank(index.read("newcomers get flats"), fold=index.fold(homes))
    assert [match.entry for match in found] == ["jobs"]
    assert index.evidence(index.read("flats"), "homes", index.fold(homes)).words == 0


def test_an_entry_that_needs_a_concept_is_found_by_it_or_word_for_word_only() -> None:
    said = [*MANY, Phrasing("jobs", "always waiting lists")]
    index = Index(said, TONGUE, {"homes": ["queue"], "jobs": ["queue", "unheard-of"]})
    assert rank(index, "newcomers and flats") == []
    assert {match.entry for match in rank(index, "a queue for newcomers")} == {"homes", "jobs"}
    assert rank(index, "newcomers get flats")[0].entry == "homes"


def test_a_concept_that_a_language_has_no_words_for_is_not_needed() -> None:
    assert rank(Index(MANY, TONGUE, {"homes": ["unheard-of"]}), "newcomers and flats")[0].entry == "homes"


@pytest.mark.parametrize(
    ("typed", "read"),
    [("jbos", "jobs"), ("retns", "rents"), ("newcmers", "newcomers"), ("newcoemrss", "newcomers"), ("jxbs", "jxbs")],
)
def test_a_slip_is_repaired_a_short_word_only_where_letters_are_swapped(typed: str, read: str) -> None:
    assert INDEX.read(typed).repaired.get(typed, typed) == read


def test_a_form_of_a_known_word_is_not_repaired() -> None:
    assert INDEX.read("renting stealing").repaired == {}


def test_what_cities_say_otherwise_is_about_the_same_and_takes_no_weight_from_it() -> None:
    shared = Index(MANY, TONGUE)
    towns = [Phrasing(f"town-{n}/{said.entry}", said.text) for n in range(3) for said in MANY]
    both = Index([*MANY, *towns], TONGUE)
    one, other = (i.rank(i.read("newcomers flats"), may=lambda entry: "/" not in entry)[0] for i in (shared, both))
    assert (one.entry, round(one.best, 1)) == (other.entry, round(other.best, 1))


def test_in_a_large_library_the_nearest_are_found() -> None:
    words = [
        f"{one}{other}" for one in ("red", "blue", "green", "grey") for other in ("fox", "cow", "hen", "owl", "ant")
    ]
    chance = random.Random(5)
    said = [Phrasing(f"entry-{number}", " ".join(chance.sample(words, 5))) for number in range(3000)]
    index = Index(said, TONGUE)
    for phrasing in chance.sample(said, 20):
        assert rank(index, phrasing.text)[0].score >= index.rank(index.read(phrasing.text), 50)[-1].score
        assert phrasing.entry in [match.entry for match in rank(index, phrasing.text)]
