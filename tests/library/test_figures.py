"""Holds to account that one figure is drawn as each language writes it, and that it stays the same figure."""

from decimal import Decimal

import pytest
from babel.numbers import parse_decimal
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from bot.library.figures import Figure, Year, draw, draw_year, fill, places

STEADY = settings(deadline=None, derandomize=True, max_examples=300)


@pytest.mark.parametrize(
    ("figure", "language", "drawn"),
    [
        ("30.7", "en", "30.7"),
        ("30.7", "es", "30,7"),
        ("12345", "en", "12,345"),
        ("12345", "es", "12.345"),
        ("2985", "en", "2,985"),
        ("2985", "es", "2985"),
        ("2985", "pt", "2985"),
        ("9999", "es", "9999"),
        ("10000", "es", "10.000"),
        ("-9999", "es", "-9999"),
        ("178000", "es", "178.000"),
        ("-3.5", "es", "-3,5"),
        ("0", "en", "0"),
        ("year 1856", "en", "1856"),
        ("year 1856", "es", "1856"),
    ],
)
def test_a_figure_is_drawn_as_its_language_writes_it(figure: str, language: str, drawn: str) -> None:
    assert draw(figure, language) == drawn


@STEADY
@given(
    number=st.decimals(min_value=-(10**9), max_value=10**9, places=3),
    language=st.sampled_from(["en", "es", "fr", "pt", "it", "de", "uk"]),
)
def test_a_figure_drawn_and_read_back_is_the_same_number(number: Decimal, language: str) -> None:
    assert parse_decimal(draw(f"{number:f}", language), locale=language) == number


@pytest.mark.parametrize("figure", ["0.0004", "3.14159", "1234.56789"])
def test_no_digit_of_a_figure_is_rounded_away(figure: str) -> None:
    assert draw(figure, "en").replace(",", "") == figure


@pytest.mark.parametrize(
    ("year", "language", "drawn"),
    [
        ("2010", "en", "2010"),
        ("2010", "es", "2010"),
        ("2006-2018", "en", "2006–2018"),
        ("2006-2018", "es", "2006–2018"),
        ("2024-07", "en", "July 2024"),
        ("2024-07", "es", "julio de 2024"),
        ("2024-12", "fr", "décembre 2024"),
    ],
)
def test_years_spans_and_months_are_drawn_as_their_language_writes_them(year: str, language: str, drawn: str) -> None:
    assert draw_year(year, language) == drawn


def test_a_sentence_takes_its_figures_by_name() -> None:
    sentence = "Of {all} people {share}% stayed, since {start}."
    figures = {"all": "12345", "share": "30.7", "start": "year 1856"}
    assert places(sentence) == {"all", "share", "start"}
    assert fill(sentence, figures, "en") == "Of 12,345 people 30.7% stayed, since 1856."
    assert fill(sentence, figures, "es") == "Of 12.345 people 30,7% stayed, since 1856."


def test_a_sentence_may_take_a_figure_twice() -> None:
    assert fill("{n} and {n}", {"n": "1.5"}, "es") == "1,5 and 1,5"


@STEADY
@given(text=st.text(st.characters(exclude_characters="{}")))
def test_a_sentence_without_figures_stays_as_it_is(text: str) -> None:
    assert (places(text), fill(text, {}, "es")) == (set(), text)


@STEADY
@given(number=st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
@example(number=Decimal("-0.5"))
def test_every_plain_number_is_a_figure(number: Decimal) -> None:
    assert TypeAdapter(Figure).validate_python(f"{number:f}") == f"{number:f}"


@pytest.mark.parametrize(
    "wrong", ["", "30,7", "1 000", "about 3", "3%", "+3", ".5", "5.", "1e3", "year 18", "years 1856", "3\n"]
)
def test_what_is_no_number_is_no_figure(wrong: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Figure).validate_python(wrong)


@pytest.mark.parametrize("right", ["2010", "2006-2018", "2024-01", "2024-12"])
def test_years_spans_and_months_are_years(right: str) -> None:
    assert TypeAdapter(Year).validate_python(right) == right


@pytest.mark.parametrize(
    "wrong", ["", "201", "20100", "2010-13", "2010-00", "2010-7", "2010/2011", "2010–2012", "2024-07-01", "c. 2010"]
)
def test_what_is_no_year_is_no_year(wrong: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Year).validate_python(wrong)
