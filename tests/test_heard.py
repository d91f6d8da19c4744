"""What people type finds its rumour, or is said not to be known: the project's own measure, kept from sliding back."""

from pathlib import Path

import pytest
import yaml

from bot.app import Content, tongues
from bot.features.rumours.entry import RUMOURS
from bot.features.rumours.find import Finder, Finding

HEARD = yaml.safe_load((Path(__file__).parent / "heard.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def finder(content: Content) -> Finder:
    library = content.library
    return Finder({code: library.all(RUMOURS, code) for code in library.pack.languages}, tongues(library))


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
    assert share([bool(c) and c[0].entry == wanted for wanted, c in known]) >= 0.75
    assert share([wanted in [match.entry for match in c[:3]] for wanted, c in known]) >= 0.88


@pytest.mark.parametrize("language", HEARD)
def test_a_wrong_answer_is_rare(finder: Finder, language: str) -> None:
    answers = [(wanted, f.candidates[0].entry) for wanted, f in found(finder, language) if f.decision == "answer"]
    assert share([wanted == answer for wanted, answer in answers]) >= 0.82


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
