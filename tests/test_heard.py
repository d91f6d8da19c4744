"""What people type finds its rumour, or is said not to be known: the project's own measure, kept from sliding back."""

from pathlib import Path

import pytest
import yaml

from bot.app import Content, tongues
from bot.features.rumours.entry import RUMOURS, Rumour
from bot.features.rumours.explain import explain
from bot.features.rumours.find import Finder, Finding
from bot.kept import kept
from bot.matching.tongue import Tongue, Typing

HEARD = yaml.safe_load((Path(__file__).parent / "heard.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def finder(content: Content) -> Finder:
    library = content.library
    return Finder({code: library.all(RUMOURS, code) for code in library.pack.languages}, tongues(library), recall=kept)


def found(finder: Finder, language: str) -> list[tuple[str, Finding]]:
    return [(wanted, finder.find(text)) for wanted, text in HEARD[language]]


def share(hits: list[bool]) -> float:
    return sum(hits) / len(hits)


@pytest.mark.parametrize("language", HEARD)
def test_the_measure_is_wide(language: str) -> None:
    assert len(HEARD[language]) >= 150
    assert sum(wanted == "none" for wanted, _ in HEARD[language]) >= 40


@pytest.mark.parametrize("language", HEARD)
def test_most_rumours_are_found(finder: Finder, language: str) -> None:
    known = [(wanted, finding.candidates) for wanted, finding in found(finder, language) if wanted != "none"]
    assert share([bool(c) and c[0].entry == wanted for wanted, c in known]) >= 0.84
    assert share([wanted in [match.entry for match in c[:3]] for wanted, c in known]) >= 0.92


@pytest.mark.parametrize("language", HEARD)
def test_a_wrong_answer_is_rare(finder: Finder, language: str) -> None:
    answers = [(wanted, f.candidates[0].entry) for wanted, f in found(finder, language) if f.decision == "answer"]
    assert share([wanted == answer for wanted, answer in answers]) >= 0.9


@pytest.mark.parametrize("language", HEARD)
def test_half_of_what_is_known_is_answered_and_little_of_it_refused(finder: Finder, language: str) -> None:
    known = [(wanted, finding) for wanted, finding in found(finder, language) if wanted != "none"]
    assert share([f.decision == "answer" and f.candidates[0].entry == wanted for wanted, f in known]) >= 0.5
    assert share([finding.decision == "none" for _, finding in known]) <= 0.25


@pytest.mark.parametrize("language", HEARD)
def test_what_is_not_known_is_rarely_answered_and_mostly_refused(finder: Finder, language: str) -> None:
    others = [finding for wanted, finding in found(finder, language) if wanted == "none"]
    assert share([finding.decision == "answer" for finding in others]) <= 0.15
    assert share([finding.decision not in ("answer", "offer") for finding in others]) >= 0.7


def test_every_way_of_saying_it_finds_its_own(finder: Finder, content: Content) -> None:
    for language in content.library.pack.languages:
        for name, rumour in content.library.all(RUMOURS, language).items():
            for phrase in rumour.heard_as:
                assert finder.find(phrase).candidates[0].entry == name, phrase


@pytest.mark.parametrize("text", ["", "?", "the and of", "🙂" * 500, "x" * 4096, "\u200fمرحبا", "они забирают работу"])
def test_odd_texts_never_break(finder: Finder, text: str) -> None:
    assert finder.find(text).decision in ("answer", "offer", "none")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("they take all our jobs", "en"),
        ("nos quitan todos los trabajos", "es"),
        ("los inmigrantes no pagan taxes", "es"),
    ],
)
def test_the_language_is_found_whatever_the_chat_speaks(finder: Finder, text: str, language: str) -> None:
    assert finder.find(text).language == language


def test_a_language_that_is_named_is_asked_alone(finder: Finder) -> None:
    assert finder.find("nos quitan todos los trabajos", "en").language == "en"


@pytest.mark.parametrize(
    "text", ["what time is it", "what's your name", "can you help me", "qué hora es", "hola qué tal"]
)
def test_one_word_that_names_no_concept_offers_nothing(finder: Finder, text: str) -> None:
    assert finder.find(text).decision == "none"


@pytest.mark.parametrize(
    "text", ["where is the nearest hospital?", "dónde está el hospital", "how much is the rent here"]
)
def test_one_concept_is_never_answered_outright(finder: Finder, text: str) -> None:
    assert finder.find(text).decision != "answer"


def test_dehumanising_words_are_always_recognised(finder: Finder, content: Content) -> None:
    for language in content.library.pack.languages:
        for rumour in content.library.all(RUMOURS, language).values():
            assert all(finder.find(phrase).blocked for phrase in rumour.blocked)


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("where is the language course?", "service"),
        ("where can I learn the language", "service"),
        ("¿dónde es el curso de español?", "service"),
        ("migrants don't take our jobs", "opposite"),
        ("los inmigrantes no nos quitan el trabajo", "opposite"),
        ("migrants take our jobs", "rumour"),
        ("migrants don't pay taxes", "rumour"),
        ("my cat is asleep on the sofa", "other"),
    ],
)
def test_a_service_and_the_opposite_of_a_rumour_are_recognised_as_such(finder: Finder, text: str, sort: str) -> None:
    finding = finder.find(text)
    assert finding.sort == sort
    assert (finding.decision == "answer") is (sort == "rumour")


@pytest.mark.parametrize(
    "text", ["el ayuntamiento les paga el carné de conducir", "they get their driving lessons paid by the council"]
)
def test_a_rumour_that_is_near_a_known_one_is_never_answered_by_it(finder: Finder, text: str) -> None:
    assert finder.find(text).decision != "answer"


NAMED = {"roma-settled", "roma-work-school", "jewish-people", "muslim-numbers", "islam-democracy", "headscarf"}


@pytest.mark.parametrize(
    "text",
    ["they own all the banks", "they never work", "they live in vans", "ellos controlan la prensa", "no trabajan"],
)
def test_a_card_on_a_named_group_is_offered_only_where_the_group_is_named(finder: Finder, text: str) -> None:
    assert NAMED.isdisjoint(match.entry for match in finder.find(text).candidates)


def small(said: dict[str, list[str]]) -> Finder:
    """Build a finder of rumours that are said in these ways only, in a language without stemmer, aliases, examples."""
    rumours = {
        name: Rumour.model_construct(None, name=name, claim=texts[0], heard_as=texts[1:])  # type: ignore[call-arg]
        for name, texts in said.items()
    }
    return Finder({"xx": rumours}, {"xx": Tongue(Typing(stop="the and of"))})


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"one": ["they take our jobs", "no jobs are left"]},
        {"one": ["they take our jobs", "no jobs"], "two": ["they take our jobs", "no jobs"]},
        {"one": ["the of and", "of the"], "two": ["they take our jobs", "🙂"]},
        {"one": ["они забирают работу", "нет работы"], "two": ["يسرقون الوظائف", "偷工作"]},
    ],
    ids=["none", "one", "two the same", "stop words only", "scripts"],
)
@pytest.mark.parametrize(
    "text",
    ["they take our jobs", "", "the of and", "they take our jobs " * 5000, "th\u200bey t\u00adake jobs", "работу 偷"],
)
def test_a_small_or_odd_library_and_an_odd_text_break_nothing(said: dict[str, list[str]], text: str) -> None:
    finder = small(said)
    finding = finder.find(text)
    assert 0 <= finding.confidence <= 1
    assert finding.candidates or finding.decision == "none"
    assert list(explain(finder, text))


def test_one_entry_is_found_and_two_that_are_the_same_are_both_offered() -> None:
    assert small({"one": ["they take our jobs", "no jobs"]}).find("they take our jobs").candidates[0].entry == "one"
    both = small({name: ["they take our jobs", "no jobs"] for name in ("one", "two")}).find("they take our jobs")
    assert {match.entry for match in both.candidates} == {"one", "two"}


def test_an_explanation_names_words_aliases_letters_and_how_sure_it_is(finder: Finder) -> None:
    told = "\n".join(explain(finder, "is it true that they steal all our jbos"))
    assert "jbos → jobs" in told
    assert "=job" in told
    assert "is it true that" not in told
    assert "why so sure" in told
    assert "1. jobs" in told
