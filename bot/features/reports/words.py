"""What may be kept of what somebody heard: words that lead to no person. Pure, in linear time."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from bot.features.reports.naming import Names
from bot.talk.words import folded

Why = Literal["wordless", "short", "long", "mail", "link", "handle", "phone", "name"]

LONGEST = 300  # characters: a rumour is said in a sentence or two
FEWEST_WORDS, FEWEST_LETTERS = 2, 8
SHOUTED = 0.5  # from this share of words with capitals on, capitals say nothing

_MAIL = re.compile(r"\S@\S*[.]\S|\S *[(\[<{] ?(?:at|arroba) ?[)\]>}] *\S|\S +arroba +\S+ *(?:[.]|punto)", re.I)
_LINK = re.compile(
    r"://|\bwww\.|\w\.[a-z]{2,}/\S|\w\.(?:com|org|net|info|eu|uk|fr|pt|de|es|tv|gg|io|app|cat|eus|gal|news|online|site|blog)\b",
    re.I,
)
_HANDLE = re.compile(r"(?<!\w)@\w|<@|(?<!\w)/?u/\w{3}")
_DIGITS = re.compile(r"\+?\(?\d(?:[\s().,/\-–]{0,2}\d){6,}")
# What has many digits and rings nobody: years, days, sums that end in thousands.
_YEARS = re.compile(r"(?<!\d)(?:1[89]|20)\d\d\s?[-–/]\s?(?:(?:1[89]|20)\d\d)(?!\d)")
_DAY = re.compile(r"(?<![\d./-])\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d\d)(?![./-]?\d)")
_SUM = re.compile(r"(?<![\d+])[1-9]\d{0,2}(?:[., ]?\d{3})*[., ]?000(?!\d)")
_WORD = re.compile(r"[^\W\d_]+(?:['’.\-][^\W\d_]+)*")
_NEAR = re.compile(r"[ .,\"“«(]{1,3}")  # what may stand between "my neighbour" and a name
_ENDED = re.compile(r"(?:[.!?…:;\n\"“«¿¡(—–-])\s*$")


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of the text: as typed, folded, the gap before it, whether a sentence begins with it."""

    text: str
    folded: str
    gap: str
    begins: bool

    @property
    def is_capital(self) -> bool:
        """Say whether it is written as a name is: a capital, then small letters."""
        return self.text[0].isupper() and not self.text.isupper()


def refusal(text: str, names: Names) -> Why | None:
    """Return why `text` is not kept, None where nothing speaks against it."""
    plain = unicodedata.normalize("NFKC", text[: 2 * LONGEST])
    words = list(_words(plain))
    letters = sum(len(word.text) for word in words)
    if not letters:
        return "wordless"
    if len(text) > LONGEST:
        return "long"
    leads = _leads_to(plain)
    if leads:
        return leads
    if len(words) < FEWEST_WORDS or letters < FEWEST_LETTERS:
        return "short"
    return "name" if _names_somebody(words, names) else None


def _leads_to(text: str) -> Why | None:
    if _MAIL.search(text):
        return "mail"
    if _LINK.search(text):
        return "link"
    if _HANDLE.search(text):
        return "handle"
    for harmless in (_YEARS, _DAY, _SUM):
        text = harmless.sub(" … ", text)
    return "phone" if _DIGITS.search(text) else None


def _words(text: str) -> Iterator[_Word]:
    last = 0
    for found in _WORD.finditer(text):
        gap = text[last : found.start()]
        begins = bool(_ENDED.search(gap)) if last else True
        bare = folded(found[0]).replace("’", "'").removesuffix("'s")
        yield _Word(found[0], bare, gap, begins)
        last = found.end()


def _names_somebody(words: Sequence[_Word], names: Names) -> bool:
    shouted = sum(word.text[0].isupper() for word in words) > SHOUTED * len(words) and len(words) > 3
    pairs = list(pairwise(words))
    if any(_is_titled(first, second, names) for first, second in pairs):
        return True
    if any(_is_given(before, word, names) for before, word in zip((None, *words), words, strict=False)):
        return True
    if shouted:
        return False
    return any(_is_introduced(first, second, names) for first, second in pairs) or _has_full_name(words, names)


def _is_titled(title: _Word, name: _Word, names: Names) -> bool:
    return title.folded in names.titles and bool(_NEAR.fullmatch(name.gap)) and name.folded not in names.joins


def _is_given(before: _Word | None, word: _Word, names: Names) -> bool:
    """Say whether a given name stands there by itself, not as part of a street's."""
    in_place = before is not None and word.gap == " " and before.folded in names.places
    return word.folded in names.given and not in_place


def _is_introduced(who: _Word, name: _Word, names: Names) -> bool:
    """Say whether a name follows "my neighbour"."""
    follows = who.folded in names.people and name.is_capital and not name.begins
    return follows and bool(_NEAR.fullmatch(name.gap)) and name.folded not in names.known


def _has_full_name(words: Sequence[_Word], names: Names) -> bool:
    """Say whether words with capitals stand side by side that are no place, people or office that is known."""
    return any(_is_full_name(run, before, names) for run, before in _runs(words, names))


def _is_full_name(run: Sequence[_Word], before: _Word | None, names: Names) -> bool:
    if len(run) < 2 or any(word.folded in names.places for word in run):
        return False
    if before and before.folded in names.places | names.before:
        return False
    strange = [word for word in run if word.folded not in names.known | names.countries]
    # A sentence's first word has its capital from the sentence: it counts only where it is strange itself.
    return len(strange) == len(run) if run[0].begins else bool(strange)


def _runs(words: Sequence[_Word], names: Names) -> Iterator[tuple[list[_Word], _Word | None]]:
    """Yield each run of words with capitals, `de` and `van` passed over, and the word before it."""
    run: list[_Word] = []
    before = last = None
    for word in words:
        joined = bool(run) and word.gap == " "
        if word.is_capital and joined:
            run.append(word)
        elif not (joined and word.folded in names.joins):
            yield run, before
            run, before = ([word], last) if word.is_capital else ([], None)
        last = word
    yield run, before
