"""What was typed: folded, compared, read as places of options; no language is asked for."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from rapidfuzz.distance import OSA

from bot.features.quizzes.puzzles.puzzle import Option
from bot.talk.words import folded

LONGEST_ANSWER = 200
SHORTEST_WITH_TYPO = 5

_APOSTROPHES = re.compile(r"['’`´]")
_NO_WORD = re.compile(r"[\W_]+")
_PLACE = re.compile(r"[(\[]?(\d+|[a-z])[)\].:]?")
_PLACES = re.compile(r"[\s,;.:+&/>()\[\]-]+")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_JOINING = _set("and y e et und i o then")
_NEGATIONS = _set(
    "not no non never nor without isnt arent wasnt werent dont doesnt didnt cant cannot wont nothing "
    "nunca jamas ni sin tampoco ne pas jamais sans nao nem sem mai nicht kein keine nie ohne"
)
_SMALL = _set(
    "the a an it its is was i think maybe perhaps probably answer of to "
    "el la los las lo un una unos unas es era creo que quiza quizas respuesta de del "
    "le les une des du cest est l d o os as um uma il gli uno der die das den ein eine ist"
)


def plain(text: str) -> str:
    """Return `text` without case, accents and marks, its words apart by one space."""
    return " ".join(_NO_WORD.sub(" ", _APOSTROPHES.sub("", folded(text))).split())


_known = lru_cache(maxsize=4096)(plain)  # of what the files hold; what people type is not kept


def same(said: str, accepted: str) -> bool:
    """Say whether `said` is `accepted`: marks, small words and one typo are forgiven, "not" and digits never."""
    typed, wanted = plain(said).split(), _known(accepted).split()
    if _negated(typed) != _negated(wanted):
        return False
    if "".join(typed) == "".join(wanted):
        return True
    bare, answer = "".join(_trimmed(typed)), "".join(_trimmed(wanted))
    return bare == answer or _one_typo(bare, answer)


def _negated(words: Iterable[str]) -> frozenset[str]:
    return _NEGATIONS.intersection(words)


def _trimmed(words: Sequence[str]) -> Sequence[str]:
    """Return `words` without small ones at either end, unless nothing would be left."""
    kept = [number for number, word in enumerate(words) if word not in _SMALL]
    return words[kept[0] : kept[-1] + 1] if kept else words


def _one_typo(said: str, answer: str) -> bool:
    if len(answer) < SHORTEST_WITH_TYPO or any(map(str.isdigit, said + answer)):
        return False
    if f"a{said}" == answer or said == f"a{answer}":
        return False  # moral, amoral: the letter is a "not"
    return OSA.distance(said, answer, score_cutoff=1) <= 1


def option_of(options: Sequence[Option], said: str) -> Option | None:
    """Return the option that is said: by its id, its words, its number or its letter."""
    for option in options:
        if said in (option.id, option.say):
            return option
    words = plain(said)
    for option in options:
        if words and option.text and _known(option.text) == words:
            return option
    if not (place := _PLACE.fullmatch(folded(said))):
        return None
    return at_place(options, place[1])


def at_place(options: Sequence[Option], place: str) -> Option | None:
    """Return the option of a number from 1, or of a letter from a."""
    if place.isdecimal():
        number = int(place[:4]) - 1
    else:
        number = ord(place) - ord("a") if len(place) == 1 and "a" <= place <= "z" else -1
    return options[number] if 0 <= number < len(options) else None


def options_of(options: Sequence[Option], said: str) -> tuple[str, ...] | None:
    """Return the ids that are said one after another, `1 3`, `b, a` or `312`; None where anything else is said."""
    places = [place for place in _PLACES.split(folded(said)) if place]
    if len(places) == 1 and places[0].isdecimal():
        places = list(places[0]) if int(places[0][:9]) > len(options) else places
    if len(places) > 1 and any(place not in _JOINING for place in places):
        places = [place for place in places if place not in _JOINING or _is_meant(place, places, len(options))]
    found = [at_place(options, place) for place in places]
    if not all(found) or not 0 < len(found) <= len(options):
        return None
    return tuple(option.id for option in found if option)


def _is_meant(place: str, places: Sequence[str], count: int) -> bool:
    """Say whether a word that may join others is the letter of an option: not among numbers, not too far on."""
    return len(place) == 1 and ord(place) - ord("a") < count and not any(map(str.isdecimal, places))
