"""Holds to account that a phrase is said in the language's own forms, falls back to the original, and runs nothing."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError

from bot.app import load_content
from bot.library.phrases import Phrases, load_phrases

STEADY = settings(deadline=None, derandomize=True, max_examples=150)
FORMS = {
    "en": {
        "talk.left": {"one": "{{ count }} word", "other": "{{ count }} words"},
        "talk.hello": {"other": "Hello {{ name }}"},
    },
    "uk": {
        "talk.left": {
            "one": "{{ count }} слово",
            "few": "{{ count }} слова",
            "many": "{{ count }} слів",
            "other": "{{ count }} слова",
        }
    },
    "es": {"talk.left": {"one": "{{ count }} palabra", "other": "{{ count }} palabras"}},
    "fr": {"talk.left": {"other": "{{ count }} mots"}},
}


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 0, "0 words"),
        ("en", 1, "1 word"),
        ("en", 2, "2 words"),
        ("es", 1, "1 palabra"),
        ("es", 1_000_000, "1000000 palabras"),
        ("fr", 1, "1 mots"),
        ("uk", 0, "0 слів"),
        ("uk", 1, "1 слово"),
        ("uk", 2, "2 слова"),
        ("uk", 4, "4 слова"),
        ("uk", 5, "5 слів"),
        ("uk", 11, "11 слів"),
        ("uk", 12, "12 слів"),
        ("uk", 21, "21 слово"),
        ("uk", 22, "22 слова"),
        ("uk", 111, "111 слів"),
    ],
)
def test_the_count_chooses_the_form_of_the_language(language: str, count: int, said: str) -> None:
    assert Phrases(FORMS).text(language, "talk.left", count=count) == said


def test_what_a_language_lacks_is_said_as_the_original_says_it() -> None:
    phrases = Phrases({"en": FORMS["en"], "uk": {}})
    assert phrases.text("uk", "talk.left", count=1) == "1 word"
    assert phrases.text("uk", "talk.left", count=21) == "21 words"
    assert phrases.say_in("uk")("talk.hello", name="Ana") == "Hello Ana"


def test_a_language_nobody_wrote_is_said_as_the_original_says_it() -> None:
    assert Phrases(FORMS).text("pt", "talk.hello", name="Ana") == "Hello Ana"


def test_the_names_of_all_phrases_are_the_originals() -> None:
    assert Phrases(FORMS).keys == {"talk.left", "talk.hello"}


def test_an_unknown_phrase_is_no_phrase() -> None:
    with pytest.raises(KeyError):
        Phrases(FORMS).text("en", "talk.bye")


def test_a_value_that_is_not_given_is_an_error_and_no_gap() -> None:
    with pytest.raises(UndefinedError):
        Phrases(FORMS).text("en", "talk.hello")


@STEADY
@given(name=st.text())
def test_a_value_is_said_as_it_is_whatever_it_holds(name: str) -> None:
    assert Phrases(FORMS).text("en", "talk.hello", name=name) == f"Hello {name}"


@pytest.mark.parametrize(
    "written",
    [
        "{{ name.__class__ }}",
        "{{ name['__class__'] }}",
        "{{ name|attr('__class__') }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ '{0.__class__}'.format(name) }}",
    ],
)
def test_the_sandbox_refuses_to_look_inside_a_value(written: str) -> None:
    with pytest.raises(SecurityError):
        Phrases({"en": {"talk.hello": {"other": written}}}).text("en", "talk.hello", name="Ana")


@pytest.mark.parametrize("written", ["{{ name.append(3) }}", "{{ name.clear() }}"])
def test_the_sandbox_refuses_to_change_a_value(written: str) -> None:
    with pytest.raises(SecurityError):
        Phrases({"en": {"talk.hello": {"other": written}}}).text("en", "talk.hello", name=[1])


UK = "talk: {{hello: Привіт., code: '{{{{ code }}}}', left: {forms}}}\ndescribe: {{tip: Порада, support: Допомога}}\n"


@pytest.mark.parametrize("lacking", ["one", "few", "many"])
def test_a_language_of_four_forms_needs_each_of_them(tiny: Path, lacking: str) -> None:
    forms = ", ".join(
        f"{form}: '{{{{ count }}}} {form}'" for form in ("one", "few", "many", "other") if form != lacking
    )
    (tiny / "phrases/uk.yaml").write_text(UK.format(forms=f"{{{forms}}}"), encoding="utf-8")
    problems = [p for p in load_phrases(tiny, ["en", "es", "uk"]).problems if p.path == "content/phrases/uk.yaml"]
    assert [p.what for p in problems] == [f"lacks the plural form '{lacking}'"]
    assert all(p.fix for p in problems)


def test_a_language_of_four_forms_is_sound_with_all_of_them(tiny: Path) -> None:
    forms = "{one: '{{ count }} слово', few: '{{ count }} слова', many: '{{ count }} слів', other: '{{ count }} слова'}"
    (tiny / "phrases/uk.yaml").write_text(UK.format(forms=forms), encoding="utf-8")
    written = load_phrases(tiny, ["en", "es", "uk"])
    assert (written.problems, written.missing) == ([], [])
    assert written.phrases.text("uk", "talk.left", count=5) == "5 слів"


def test_spanish_may_leave_out_its_form_for_millions(tiny: Path) -> None:
    written = load_phrases(tiny, ["en", "es"])
    assert (written.problems, written.missing) == ([], [])
    assert written.phrases.text("es", "talk.left", count=1_000_000) == "1000000 palabras"


def test_what_a_translation_lacks_is_listed_by_its_address(tiny: Path) -> None:
    (tiny / "phrases/es.yaml").write_text("talk: {hello: Hola.}\n")
    lacking = [("describe", "support"), ("describe", "tip"), ("talk", "code"), ("talk", "left")]
    assert load_phrases(tiny, ["en", "es"]).missing == [("es", "content/phrases/es.yaml", at) for at in lacking]


def test_a_link_may_name_what_is_known_only_when_it_is_said(tiny: Path) -> None:
    path = tiny / "phrases/es.yaml"
    path.write_text(path.read_text("utf-8").replace("({{ code }})", "[{{ code }}](/term {{ code }})"), encoding="utf-8")
    assert load_content(tiny).missing == []
