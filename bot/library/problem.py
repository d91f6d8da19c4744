"""What is wrong with a file: where, what, and how to mend it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

_NAME = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake, in the form that editors and CI understand; lines and columns count from 1."""

    path: str
    line: int
    column: int
    what: str
    fix: str = ""

    def __str__(self) -> str:
        mend = f"\n    fix: {self.fix}" if self.fix else ""
        return f"{self.path}:{self.line}:{self.column}: {self.what}{mend}"


class ContentError(Exception):
    """The content has problems; nothing of it is used."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = sorted(problems)


def unknown(name: str, value: object, known: Iterable[str]) -> tuple[str, str]:
    """Return what is wrong with a key that is not `known`, and how to mend it."""
    if value == "" and not _NAME.fullmatch(name):
        return f"'{name}' is not known here", "put the text before it in double quotes: its comma ends it inside { }"
    return f"'{name}' is not known here", did_you_mean(name, known)


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Return a fix that names the nearest known words."""
    names = sorted(known)
    near = get_close_matches(wrong, names, n=2, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(f"'{name}'" for name in near) + "?"
    return "known are: " + ", ".join(names[:12]) + (" …" if len(names) > 12 else "") if names else ""
