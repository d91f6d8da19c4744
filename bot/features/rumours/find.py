"""From a person's own words to a rumour, in whatever language of the pack they were typed: three tiers."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from typing import Literal

from bot.features.rumours.entry import Rumour
from bot.matching.index import Index, Match, Phrasing
from bot.matching.tongue import Tongue

Decision = Literal["answer", "offer", "none"]

# A logistic of the best score, its lead as a share of it, and how many of the words (up to five) and how much of their
# weight the entry knows; fitted once on tests/heard.yaml. Words known count most: near-misses share one, not three.
BIAS, SCORE, LEAD, SHARE, WORDS = -4.14, 1.56, 2.55, 0.38, 0.94
MOST_WORDS = 5
ANSWER, OFFER = 0.65, 0.25
MOST = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: the tier, how sure it is (0 to 1), up to five candidates, the language they were found in."""

    decision: Decision
    confidence: float
    candidates: tuple[Match, ...]
    language: str
    blocked: bool = False


class Finder:
    """Finds rumours by how they are said. Pure; built once for a library."""

    def __init__(self, rumours: Mapping[str, Mapping[str, Rumour]], tongues: Mapping[str, Tongue]) -> None:
        self._indexes = {
            language: Index(list(_phrasings(rumours[language])), tongue) for language, tongue in tongues.items()
        }
        self._blocked = {
            language: {phrase for rumour in rumours[language].values() for phrase in rumour.blocked}
            for language in tongues
        }

    def find(self, text: str, language: str | None = None) -> Finding:
        """Return what `text` most likely means; `language` asks in that language alone."""
        asked = [language] if language in self._indexes else list(self._indexes)
        ranked = {code: self._indexes[code].rank(text, MOST) for code in asked}
        best = max(asked, key=lambda code: ranked[code][0].score if ranked[code] else 0.0)
        candidates = tuple(ranked[best])
        sure = self._confidence(text, best, candidates)
        decision: Decision = "answer" if sure >= ANSWER else "offer" if sure >= OFFER else "none"
        blocked = bool(candidates) and candidates[0].phrase in self._blocked[best]
        return Finding(decision, sure, candidates, best, blocked)

    def _confidence(self, text: str, language: str, candidates: tuple[Match, ...]) -> float:
        """Return how sure it is that the first candidate is meant, 0 to 1."""
        if not candidates:
            return 0.0
        top = candidates[0].score
        lead = 1 - candidates[1].score / top if len(candidates) > 1 else 1.0
        known = self._indexes[language].evidence(text, candidates[0].entry)
        words = min(known.words, MOST_WORDS)
        return 1 / (1 + exp(-(BIAS + SCORE * top + LEAD * lead + SHARE * known.share + WORDS * words)))


def _phrasings(rumours: Mapping[str, Rumour]) -> list[Phrasing]:
    return [
        Phrasing(entry, text)
        for entry, rumour in rumours.items()
        for text in (rumour.claim, *rumour.heard_as, *rumour.blocked)
    ]
