"""The words of a text as care compares them."""

import re

from bot.talk.words import LONGEST, folded

END = "."  # the end of a sentence

_APOSTROPHES = re.compile(r"['’‘`´ʼ]")
_UNSEEN = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]")
_TWICE = re.compile(r"([^\W\d_])\1+")
_WORDS = re.compile(r"[^\W_]+|(?<!\.)\.(?!\.)|[!?;]")


def spelled(text: str) -> list[str]:
    """Return the words of `text` and the ends of its sentences, without case, accents, apostrophes and doubled letters.

    A message is at most `LONGEST` characters; folding may make it longer.
    """
    seen = _APOSTROPHES.sub("", folded(_UNSEEN.sub("", text[:LONGEST])))[:LONGEST]
    found = _WORDS.findall(_TWICE.sub(r"\1", _APOSTROPHES.sub("", seen)))
    return [END if word in (".", "!", "?", ";") else word for word in found]
