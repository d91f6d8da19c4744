"""Holds to account what translations are warned of, and what they are not."""

from pathlib import Path
from typing import Annotated

import pytest

from bot.library.pairs import PHRASES, Pair
from bot.library.shape import Entry, Phrase, Text, Words
from bot.library.slips import is_sentence, slips
from bot.library.source import Source, Tree
from bot.library.style import Style

ENGLISH = Style(quotes=["“”", '""'], numbers=["3 three threes", "20 twenty", "21 twenty-one"])
FRENCH = Style(
    quotes=["«»", "“”"], spaced=";:!?%»", own=["3114"], numbers=["3 trois", "10 dix", "18 dix-huit", "1000 mille"]
)


class Whole(Entry):
    """Something with a text of every sort."""

    name: Text
    claim: Phrase = ""
    ask: list[Text] = []
    parts: dict[str, Text] = {}
    fact: Annotated[str, Words(figures=True)] = ""


def slips_of(original: Tree, words: Tree, kind: str = "thing") -> list[str]:
    model = None if kind == PHRASES else Whole
    sources = Source("a.yaml", original, b""), Source("a.fr.yaml", words, b"")
    pair = Pair("a.yaml", kind, "a", "fr", model, *sources, Path("a.fr.yaml"))
    found = list(slips(pair, {"en": ENGLISH, "fr": FRENCH}, "en"))
    assert all(slip.fix for slip in found)
    return [slip.what for slip in found]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("They take our jobs.", True),
        ("Take our jobs.", False),
        ("European Commission against Racism and Intolerance", False),
        ("[a word that is a link](/term bias)", True),
        ("/rumour /tip `one two three four five`", False),
        ("https://a.example/one/two three four five", False),
        ("{one} {two} {three} {four} and", False),
        ("Вони забирають нашу роботу.", True),
    ],
)
def test_a_sentence_has_more_than_three_words_that_are_no_name_link_or_code(text: str, sentence: bool) -> None:
    assert is_sentence(text) is sentence


def test_a_sentence_left_in_the_originals_language_is_found_in_texts_lists_and_what_is_typed() -> None:
    original: Tree = {"name": "It is as it is.", "claim": "They take our jobs.", "ask": ["Who said it to you.", "Why."]}
    words: Tree = {"name": "It is as it is.", "claim": "They take our jobs.", "ask": ["Pourquoi\u202f?", "Why."]}
    assert slips_of(original, words) == ["is not translated"] * 2
    assert slips_of(original, {"ask": ["Qui l’a dit\u202f?", "Who said it to you."]}) == ["is not translated"]


@pytest.mark.parametrize(
    "text",
    [
        "Il dit\u00a0: «\u00a0oui\u00a0». Vraiment\u202f?",
        "«\u202fQui\u202f?!\u202f»",
        "Un [lien](/term bias?) et https://a.example/?a=b;c",
        "{{ a }}\u00a0: {% if a %}b{% endif %}",
        "*Vraiment\u202f?*",
        "**Attention\u00a0:** “oui”",
        "l’un…\u202f?",
        "la note 18:30 de 3:1",
        "{share}\u202f% des gens",
    ],
)
def test_french_that_is_set_well_is_left_alone(text: str) -> None:
    found = slips_of({"name": "x 18 30 3 1"}, {"name": text})
    assert [what for what in found if not what.startswith("names '")] == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Vraiment ?", "has no no-break space at ?"),
        ("Vraiment?", "has no no-break space at ?"),
        ("Il dit: oui", "has no no-break space at :"),
        ("**Attention :** oui", "has no no-break space at :"),
        ("« oui\u00a0»", "has no no-break space at «"),
        ("«\u00a0oui »", "has no no-break space at »"),
        ('Il dit "oui".', 'has the quotation mark "'),
        ("Il dit „oui“.", "has the quotation mark „"),
        ("Dix personnes", "says 'dix', a number that the original does not have"),
        ("Le 119", "says '119', a number that the original does not have"),
    ],
)
def test_french_that_is_set_ill_is_told(text: str, what: str) -> None:
    assert slips_of({"name": "x"}, {"name": text}) == [what]


@pytest.mark.parametrize(
    ("original", "text"),
    [
        ("In threes.", "À trois."),
        ("Call 112.", "Appelle le 112."),
        ("x", "Appelle le 3114."),
        ("x", "dix-sept, un inconnu"),
        ("In twenty twenty-one.", "En deux mille vingt et un."),
    ],
)
def test_a_number_that_the_original_has_or_that_is_the_countrys_own_is_no_slip(original: str, text: str) -> None:
    assert slips_of({"name": original}, {"name": text}) == []


def test_what_an_entry_says_of_itself_may_take_a_number_from_anywhere_in_it() -> None:
    original: Tree = {"name": "x", "parts": {"a": "In threes.", "b": "x"}}
    assert slips_of(original, {"name": "À trois."}) == []
    (told,) = slips_of(original, {"parts": {"b": "À trois."}})
    assert told.startswith("says 'trois'")


def test_a_value_that_was_lost_or_put_in_is_told() -> None:
    assert slips_of({"fact": "{a} of {b}"}, {"fact": "{a}"}) == ["does not name 'b'"]
    assert slips_of({"name": "On {{ date }}."}, {"name": "Aujourd’hui."}) == ["does not name 'date'"]
    assert slips_of({"name": "Today."}, {"name": "Le {{ date }}."}) == ["names 'date', which the original does not"]


def test_phrases_are_held_to_the_same() -> None:
    original: Tree = {"a": {"b": "Nothing came of it.", "c": {"one": "{{ count }} word", "other": "{{ count }} words"}}}
    words: Tree = {"a": {"b": "Nothing came of it.", "c": {"one": "{{ count }} mot?", "other": "3 mots"}}}
    assert slips_of(original, words, PHRASES) == [
        "is not translated",
        "has no no-break space at ?",
        "says '3', a number that the original does not have",
    ]


def test_a_language_without_a_style_is_only_compared_with_the_original() -> None:
    pair = Pair(
        "a",
        "thing",
        "a",
        "uk",
        Whole,
        Source("a", {"name": "They take our jobs."}, b""),
        Source("b", {"name": 'Десять "?', "claim": "They take our jobs."}, b""),
        Path("b"),
    )
    assert list(slips(pair, {}, "en")) == []
