"""Find a term by its name, an alias, an inflection, a typo, or its name in another language."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from bot.features.glossary.entry import Term
from bot.talk.words import folded

TYPO = 84  # of 100: this like a known word, it is read as it
NEAR = 60
OFFERED = 3


@dataclass(frozen=True, slots=True)
class Found:
    """The term meant, or the nearest ones."""

    term: str | None
    near: tuple[str, ...] = ()


class TermFinder:
    """Every way of naming every term, in all languages. Pure; built once for a library."""

    def __init__(self, terms: Mapping[str, Mapping[str, Term]]) -> None:
        self._by_language = {language: _ways(entries) for language, entries in terms.items()}
        self._elsewhere = {
            folded(part): name
            for entries in terms.values()
            for name, term in entries.items()
            for written in term.names.values()
            for part in written.split(" / ")
        }

    def exact(self, word: str, language: str) -> str | None:
        """Return the term that is called just so, in `language` first, then in any other."""
        wanted = folded(word)
        mine = self._by_language.get(language, {}).get(wanted)
        others = (ways[wanted] for ways in self._by_language.values() if wanted in ways)
        return mine or next(others, None) or self._elsewhere.get(wanted)

    def find(self, word: str, language: str) -> Found:
        """Return the term that `word` names, a typo forgiven, or the nearest ones."""
        if name := self.exact(word, language):
            return Found(name)
        ways = {**self._elsewhere, **{w: n for all_ways in self._by_language.values() for w, n in all_ways.items()}}
        wanted = folded(word)[:80]
        near = process.extract(wanted, list(ways), scorer=fuzz.ratio, limit=12, score_cutoff=NEAR)
        if near and near[0][1] >= TYPO and len(wanted) > 4:
            return Found(ways[near[0][0]])
        return Found(None, tuple(dict.fromkeys(ways[way] for way, *_ in near))[:OFFERED])


def _ways(entries: Mapping[str, Term]) -> dict[str, str]:
    """Return folded way of naming → id; a term's own name goes before another's alias."""
    ways: dict[str, str] = {}
    for kind in (_names, _aliases):
        for name, term in entries.items():
            for way in kind(name, term):
                ways.setdefault(folded(way), name)
    return ways


def _names(name: str, term: Term) -> Iterable[str]:
    return (term.name, name.replace("-", " "), name)


def _aliases(_: str, term: Term) -> Iterable[str]:
    return (*term.aliases, *term.forms)
