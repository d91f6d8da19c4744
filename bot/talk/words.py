"""What was typed, cleaned: control characters out, white space folded, length bounded."""

import unicodedata
from dataclasses import dataclass

LONGEST = 4096
_KEPT_CONTROLS = {"\n", "\u200d", "\u200c"}


def clean(text: str) -> str:
    """Return at most 4,096 characters of `text` without what cannot be seen, white space folded."""
    head = text[: 2 * LONGEST]
    seen = "".join(c if unicodedata.category(c)[0] != "C" or c in _KEPT_CONTROLS else " " for c in head)
    return " ".join(seen.split())[:LONGEST]


@dataclass(frozen=True, slots=True)
class Call:
    """A command as typed: `/Rumour@bot jobs` is name `rumour`, argument `jobs`."""

    name: str
    argument: str


def call(text: str) -> Call | None:
    """Return the command that `text` calls, or None where it is plain words."""
    if text and not text.strip("/ "):
        return Call("help", "")  # a lone slash looks for the commands
    if not text.startswith("/") or not text[1].isalpha():
        return None
    head, _, argument = text[1:].partition(" ")
    return Call(head.partition("@")[0].lower(), argument.strip())


def begins(typed: str, *names: str) -> bool:
    """Say whether a word of any of `names` begins with what is typed, without regard to case and accents."""
    start = " " + folded(typed).replace("-", " ")
    return any(start in " " + folded(name).replace("-", " ") for name in names)


def folded(text: str) -> str:
    """Return `text` without case and accents, as labels and names are compared."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())
