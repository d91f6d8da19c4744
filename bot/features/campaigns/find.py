"""Find a day by its name in any language, a typo forgiven, or by the words of it that somebody remembers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from bot.features.campaigns.campaign import Campaign
from bot.talk.words import folded

TYPO = 84  # of 100: this like a known name, it is read as it
NEAR = 60
OFFERED = 3
ALIKE = 80  # of 100: two words that differ in their ending
COMMON = 0.2  # the share of all names in which a word such as "day" stands
SHORT = 3  # letters, up to which a word that no name has is passed over


@dataclass(frozen=True, slots=True)
class Found:
    """The day meant, or the nearest ones."""

    day: str | None
    near: tuple[str, ...] = ()


class DayFinder:
    """Every way of naming every day, in all languages. Pure; built once for a library."""

    def __init__(self, campaigns: Mapping[str, Mapping[str, Campaign]]) -> None:
        self._by_language = {language: _ways(entries) for language, entries in campaigns.items()}
        self._ways = {way: name for ways in reversed(self._by_language.values()) for way, name in ways.items()}
        self._words = {language: _Words(ways) for language, ways in self._by_language.items()}

    def exact(self, words: str, language: str = "") -> str | None:
        """Return the day that is called just so, in `language` first, then in any other."""
        wanted = folded(words)
        return self._by_language.get(language, {}).get(wanted) or self._ways.get(wanted)

    def find(self, words: str, language: str) -> Found:
        """Return the day that is meant, or the nearest ones."""
        if name := self.exact(words, language):
            return Found(name)
        wanted = folded(words)[:80]
        near = process.extract(wanted, list(self._ways), scorer=fuzz.ratio, limit=12, score_cutoff=NEAR)
        if near and near[0][1] >= TYPO and len(wanted) > 4:
            return Found(self._ways[near[0][0]])
        remembered = self.remembered(words, loose=True)
        close = remembered or tuple(dict.fromkeys(self._ways[way] for way, *_ in near))
        return Found(remembered[0]) if len(remembered) == 1 else Found(None, close[:OFFERED])

    def remembered(self, words: str, *, loose: bool = False) -> tuple[str, ...]:
        """Return the days of whose names these are words, such as "refugee day"; `loose`, also without the "day"."""
        wanted = folded(words).split()
        if len(wanted) > 8:
            return ()
        found = (self._words[language].remembered(wanted, loose=loose) for language in self._words)
        return tuple(next(filter(None, found), []))


class _Words:
    """The words of all names in a language; those in many of them, such as "day", tell none from another."""

    def __init__(self, ways: Mapping[str, str]) -> None:
        named: dict[str, set[str]] = {}
        for way, name in ways.items():
            named.setdefault(name, set()).update(_split(way))
        often = Counter(word for words in named.values() for word in words)
        self._common = {word for word, n in often.items() if n >= COMMON * len(named)}
        self._rare = {name: words - self._common for name, words in named.items()}

    def remembered(self, wanted: list[str], *, loose: bool) -> list[str]:
        known = [word for text in wanted for word in _split(text)]
        rare = [word for word in known if word not in self._common and len(word) > SHORT]
        if not rare or not (loose or self._common & set(known)):
            return []
        found = [name for name, words in self._rare.items() if all(_has(words, word) for word in rare)]
        return sorted(found, key=lambda name: len(self._rare[name]))


def _has(words: set[str], wanted: str) -> bool:
    return wanted in words or process.extractOne(wanted, words, scorer=fuzz.ratio, score_cutoff=ALIKE) is not None


def _split(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text.replace("'s", "").replace("’s", "")).split()


def _ways(entries: Mapping[str, Campaign]) -> dict[str, str]:
    """Return folded way of naming → id; a day's own name goes before another's long one."""
    ways: dict[str, str] = {}
    for name, campaign in entries.items():
        for way in (campaign.name, name.replace("-", " "), name):
            ways.setdefault(folded(way), name)
    for name, campaign in entries.items():
        if campaign.full:
            ways.setdefault(folded(campaign.full), name)
    return ways
