"""`hearsay check --coverage`: how much of the content each language has, and who has read it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from bot.app import Content
from bot.features.campaigns import CAMPAIGNS
from bot.features.glossary.entry import TERMS
from bot.features.quizzes import QUIZZES
from bot.features.reports.naming import NAMING
from bot.features.rumours.entry import RUMOURS
from bot.features.techniques.entry import TECHNIQUES
from bot.library.common import PROVENANCE, Provenance
from bot.library.pairs import PHRASES, Pair, part, units
from bot.matching.care import CARE
from bot.matching.told import TOLD
from bot.matching.tongue import TYPING

STATUSES: tuple[str, ...] = get_args(Provenance.model_fields["status"].annotation)
TRANSLATED = {
    "rumours": RUMOURS.name,
    "techniques": TECHNIQUES.name,
    "terms": TERMS.name,
    "games": QUIZZES.name,
    "campaigns": CAMPAIGNS.name,
}
"""Rows of entries that are translated, by their kind; every other kind is `other texts`."""
WRITTEN = {"typing": (TYPING,), "care": (CARE, TOLD), "names": (NAMING,)}
"""Rows of what is written in each language, and not translated."""


@dataclass(frozen=True)
class Row:
    """How many of `of` are `whole`, with nothing missing, and only `begun`; how many of them stand at which status."""

    name: str
    whole: int
    begun: int
    of: int
    statuses: Mapping[str, int] | None = None


def table(content: Content, pairs: Mapping[str, Sequence[Pair]]) -> Iterator[str]:
    """Yield the lines of a table for each language of the pack."""
    for language, name in content.library.pack.languages.items():
        head = "".join(f"{title:>{len(title) + 3}}" for title in ("whole", "begun", "of", *STATUSES))
        yield f"{f'{language} · {name}':<16}{head}"
        for row in rows(content, pairs[language], language):
            yield _line(row)
        yield ""


def _line(row: Row) -> str:
    counts = [f"{row.whole:>8}", f"{row.begun or '':>8}", f"{row.of:>5}"]
    if row.statuses is not None:
        counts += [f"{row.statuses.get(status, 0):>{len(status) + 3}}" for status in STATUSES]
    return f"  {row.name:<14}{''.join(counts)}".rstrip()


def rows(content: Content, pairs: Sequence[Pair], language: str) -> Iterator[Row]:
    """Yield the rows of one language."""
    original = next(iter(content.library.pack.languages))
    told = [pair for pair in pairs if pair.kind == PHRASES]
    phrases = [bool(unit.words) or language == original for pair in told for unit in units(pair)]
    yield Row("phrases", sum(phrases), 0, len(phrases))
    for name, kind in TRANSLATED.items():
        yield _entries(name, [pair for pair in pairs if pair.kind == kind], is_original=language == original)
    others = [pair for pair in pairs if pair.kind not in (PHRASES, *TRANSLATED.values())]
    yield _entries("other texts", others, is_original=language == original)
    for name, kinds in WRITTEN.items():
        there = [language in content.library.entries[kind.name][original] for kind in kinds]
        yield Row(name, sum(there), 0, len(there))


def _entries(name: str, pairs: list[Pair], *, is_original: bool) -> Row:
    sources = [pair.original if is_original else pair.words for pair in pairs]
    begun = [pair for pair, source in zip(pairs, sources, strict=True) if source]
    whole = [pair for pair in begun if is_original or all(unit.words for unit in units(pair))]
    signed = [part(source.tree, (PROVENANCE, "status")) for source in sources if source]
    statuses = Counter(str(status) for status in signed if status) if any(signed) or name in TRANSLATED else None
    return Row(name, len(whole), len(begun) - len(whole), len(pairs), statuses)
