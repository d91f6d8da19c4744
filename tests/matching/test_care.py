"""Patterns are read as they are written, and a text of any make is judged in linear time."""

import time

import pytest

from bot.matching.care import Care, Sign, Signs, check

SIGNS = Signs(
    light="the a of me us",
    words={
        "me": ["me", "us", "my {kin}"],
        "kin": ["son", "daughter", "little one"],
        "hits": ["hits", "beat", "threw [things] at"],
    },
    danger=["{he} {hits} {me}".replace("{he}", "he/she"), "wants … {me} dead", "threat* {me}"],
    hurt=["they [always] shout at {me}"],
    insult=["^ shut up [bot] $"],
    unless=["song … {hits} me", "kills me"],
)
CARE = Care({"en": SIGNS, "xx": Signs()})


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("he hits me", "danger"),
        ("HE HITTS ME!!!", "danger"),
        ("so she beat my son", "danger"),
        ("she beat my little one", "danger"),
        ("he threw at us", "danger"),
        ("he threw things at us", "danger"),
        ("he hits. me", None),
        ("wants me dead", "danger"),
        ("wants to see us dead", "danger"),
        ("wants to see all of us dead", None),
        ("they’re threatening my daughter", "danger"),
        ("they shout at me", "hurt"),
        ("they always shout at me", "hurt"),
        ("they never shout at me", None),
        ("they shout at me, then he hits me", "danger"),
        ("shut up", "insult"),
        ("oh. Shut up, bot!", "insult"),
        ("please shut up", None),
        ("shut up is what he said", None),
        ("the song goes he hits me", None),
        ("this kills me. he hits me", "danger"),
        ("he hits me, this kills me", "danger"),
        ("", None),
        ("?!", None),
    ],
)
def test_a_pattern_means_what_it_says(text: str, sign: Sign | None) -> None:
    assert CARE.recognise(text) == sign


@pytest.mark.parametrize("text", ["i'm here", "I’M HERE", "im here", "Ím hère", "im heree"])
def test_one_spelling_for_what_sounds_alike(text: str) -> None:
    assert Care({"en": Signs(danger=["i'm here"])}).recognise(text) == "danger"


def test_every_language_is_tried_and_the_gravest_sign_wins() -> None:
    care = Care({"en": Signs(hurt=["stop it"]), "es": Signs(danger=["me pega"])})
    assert care.recognise("stop it, me pega") == "danger"
    assert care.recognise("stop it") == "hurt"


def test_where_nothing_is_written_nobody_is_recognised() -> None:
    assert Care({}).recognise("he hits me") is None
    assert Care({"en": Signs()}).recognise("he hits me") is None


HOSTILE = [
    "he hits " * 512,
    "wants " * 700,
    "x" * 4096,
    "my " * 1400,
    "song he " * 512,
    "\ufdfa" * 4096,
    "kills me " * 455,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:8])
def test_a_hostile_text_takes_no_longer_than_any_other(text: str) -> None:
    care = Care({"en": SIGNS.model_copy(update={"danger": [f"wants {'… ' * n}dead" for n in range(1, 20)]})})
    care.recognise("wants")  # compiled
    began = time.perf_counter()
    care.recognise(text)
    assert time.perf_counter() - began < 0.5


def test_what_cannot_be_read_is_said_where_it_stands() -> None:
    signs = Signs(words={"me": ["me", "{mi}"]}, danger=["hits {me}", "hits {mi}", "…"])
    assert [at for at, _, _ in check(signs)] == [("words", "me", 1), ("danger", 1), ("danger", 2)]
