"""Provenance in plain words, claiming no reading that did not happen."""

from datetime import date

import pytest
from pydantic import ValidationError

from bot.app import Content
from bot.library.common import Provenance, provenance_line

DAY = date(2027, 5, 3)
READ = {"status": "read", "drafted": "machine", "read_by": "an editor", "read_on": "2027-05-03"}


def told(content: Content, language: str, **said: str) -> str:
    say = content.phrases.say_in(language)
    return provenance_line(say, Provenance.model_validate(said), language, say("provenance.card"))


@pytest.mark.parametrize(
    ("language", "said", "line"),
    [
        (
            "en",
            {"status": "draft", "drafted": "machine"},
            "This card is a draft: written by machine, not yet read by a person.",
        ),
        (
            "en",
            {"status": "draft", "drafted": "people"},
            "This card is a draft: written by people, not yet read by anybody else.",
        ),
        ("en", READ, "This card was drafted by machine and read by an editor on 3 May 2027."),
        (
            "es",
            {**READ, "status": "native-read", "read_by": "una editora"},
            "Esta ficha: texto hecho con una máquina; lo leyó el 3 de mayo de 2027 una editora, "
            "con el idioma como lengua materna.",
        ),
        (
            "es",
            {**READ, "read_by": "una *editora*"},
            r"Esta ficha: texto hecho con una máquina; lo leyó una "
            r"\*editora\* el 3 de mayo de 2027.",
        ),
    ],
)
def test_how_a_card_came_about_is_said_plainly(
    content: Content, language: str, said: dict[str, str], line: str
) -> None:
    assert told(content, language, **said) == line


@pytest.mark.parametrize(("today", "is_sound"), [(DAY, True), (date(2027, 5, 2), False)])
def test_a_reading_is_over_on_the_day_it_happened(today: date, *, is_sound: bool) -> None:
    try:
        Provenance.model_validate(READ, context={"today": today})
    except ValidationError:
        assert not is_sound
    else:
        assert is_sound
