"""The plural forms that each language has, by CLDR's names."""

from collections.abc import Set
from functools import cache

from babel import Locale

FORMS = ("zero", "one", "two", "few", "many", "other")
"""All there are, in CLDR's order."""

_COUNTS = (*range(201), 1000, 1_000_000)


def excused(needed: Set[str]) -> set[str]:
    """Return what may be left out: French, Italian, Portuguese and Spanish use "many" for whole millions only."""
    return {"many"} if "few" not in needed else set()


@cache
def counted(language: str) -> tuple[str, ...]:
    """Return the forms that whole numbers take in `language`; some need `other` for fractions alone."""
    rule = Locale.parse(language).plural_form
    taken = {rule(number) for number in _COUNTS} - excused(rule.tags)
    return tuple(form for form in FORMS if form in taken)
