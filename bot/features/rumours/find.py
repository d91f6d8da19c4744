"""From a person's own words to a rumour, in whatever language of the pack they were typed: three tiers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import Literal

from bot.features.rumours.entry import Rumour
from bot.matching.index import Evidence, Index, Match, Phrasing
from bot.matching.tongue import Tongue, spoken

Decision = Literal["answer", "offer", "none"]
Rumours = Mapping[str, Mapping[str, Rumour]]
"""Language → id → rumour."""

# A logistic of the best score, its lead as a share of it, and how many of the words (up to five) and how much of their
# weight the entry knows; fitted once on tests/heard.yaml. Words known count most: near-misses share one, not three.
BIAS, SCORE, LEAD, SHARE, WORDS = -4.14, 1.56, 2.55, 0.38, 0.94
MOST_WORDS = 5
ANSWER, OFFER = 0.65, 0.25
# How sure a single known word can make: it is offered at most. Where it names no concept, not even that: "what time is
# it" means no rumour in which "time" stands. It may be answered where the score is that of a whole phrasing.
LONE_NAMED, LONE, FITTING = 0.64, 0.24, 1.6
WORTH_ASKING = 0.8  # "they take all the flats": one word that names a concept, and no other entry nearer
MOST = 5
CLEAR = 0.6  # the share of known words from which, at twice any other's, a language is asked alone


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: the tier, how sure it is (0 to 1), up to five candidates, the language they were found in."""

    decision: Decision
    confidence: float
    candidates: tuple[Match, ...]
    language: str
    blocked: bool = False


class Finder:
    """Finds rumours by how they are said. Pure; built once for all cities, which may say some otherwise.

    `cities` gives city → language → id → rumour; all of them share one index, in which a city's own are `city/id`.
    """

    def __init__(
        self, rumours: Rumours, tongues: Mapping[str, Tongue], cities: Mapping[str, Rumours] | None = None
    ) -> None:
        own = {city: _differing(rumours, theirs) for city, theirs in (cities or {}).items()}
        self._hidden = {city: {code: frozenset(found) for code, found in by.items()} for city, by in own.items()}
        everything = {code: {**rumours[code], **_named(own, code)} for code in tongues}
        self._indexes = {code: Index(_phrasings(everything[code]), tongue) for code, tongue in tongues.items()}
        self.phrases = sorted({said.text for code in tongues for said in _phrasings(everything[code])})
        self._blocked = {
            code: {phrase for rumour in everything[code].values() for phrase in rumour.blocked} for code in tongues
        }

    def find(self, text: str, language: str | None = None, city: str = "") -> Finding:
        """Return what `text` most likely means in `city`; `language` asks in that language alone."""
        asked = [language] if language in self._indexes else self._languages(text)
        queries = {code: self._indexes[code].read(text) for code in asked}
        ranked = {code: self._indexes[code].rank(query, MOST, self._may(code, city)) for code, query in queries.items()}
        best = max(asked, key=lambda code: ranked[code][0].score if ranked[code] else 0.0)
        candidates = tuple(ranked[best])
        if not candidates:
            return Finding("none", 0.0, (), best)
        evidence = self._indexes[best].evidence(queries[best], candidates[0].entry)
        sure = _confidence(candidates, evidence)
        named = tuple(replace(match, entry=match.entry.rpartition("/")[2]) for match in candidates)
        return Finding(_decision(sure), sure, named, best, candidates[0].phrase in self._blocked[best])

    def _may(self, language: str, city: str) -> Callable[[str], bool] | None:
        """Return what says of an entry whether this city has it; None where no city has anything of its own."""
        if not self._hidden:
            return None
        own, hidden = f"{city}/", self._hidden.get(city, {}).get(language, frozenset())
        return lambda entry: entry.startswith(own) if "/" in entry else entry not in hidden

    def _languages(self, text: str) -> list[str]:
        """Return the language that `text` is clearly in, else all."""
        words = spoken(text)
        shares = {code: index.familiar(words) for code, index in self._indexes.items()}
        first, *others = sorted(shares, key=lambda code: -shares[code])
        clear = shares[first] >= CLEAR and all(shares[first] >= 2 * shares[other] for other in others)
        return [first] if clear else list(self._indexes)


def _differing(shared: Rumours, own: Rumours) -> Rumours:
    """Return, by language, the rumours that are said otherwise than in the shared pack, or only here."""
    return {
        code: {name: rumour for name, rumour in by_id.items() if _ways(rumour) != _ways(shared[code].get(name))}
        for code, by_id in own.items()
    }


def _named(own: Mapping[str, Rumours], language: str) -> Mapping[str, Rumour]:
    return {f"{city}/{name}": rumour for city in own for name, rumour in own[city].get(language, {}).items()}


def _ways(rumour: Rumour | None) -> tuple[str, ...]:
    return (rumour.claim, *rumour.heard_as, *rumour.blocked) if rumour else ()


def _confidence(candidates: Sequence[Match], known: Evidence) -> float:
    """Return how sure it is that the first candidate is meant, 0 to 1."""
    top = candidates[0].score
    lead = 1 - candidates[1].score / top if len(candidates) > 1 else 1.0
    words = min(known.words, MOST_WORDS)
    sure = 1 / (1 + exp(-(BIAS + SCORE * top + LEAD * lead + SHARE * known.share + WORDS * words)))
    if known.words >= 2 or top >= FITTING:
        return sure
    if known.named and top >= WORTH_ASKING:
        return max(OFFER, min(sure, LONE_NAMED))
    return min(sure, LONE_NAMED if known.named else LONE)


def _decision(sure: float) -> Decision:
    return "answer" if sure >= ANSWER else "offer" if sure >= OFFER else "none"


def _phrasings(rumours: Mapping[str, Rumour]) -> list[Phrasing]:
    return [Phrasing(entry, text) for entry, rumour in rumours.items() for text in _ways(rumour)]
