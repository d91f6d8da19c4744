"""From a person's own words to a rumour, in whatever language of the pack they were typed: three tiers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from bot.features.rumours.entry import Rumour
from bot.matching.index import VERBATIM, Index, Match, Phrasing
from bot.matching.learnt import Recall, learn_anew
from bot.matching.semantic import Voice, here, joined
from bot.matching.sound import Sort, Sound
from bot.matching.sure import Heard, Judge, Reader, judge, listen
from bot.matching.tongue import Tongue, spoken

Decision = Literal["answer", "offer", "none", "service", "opposite"]
Rumours = Mapping[str, Mapping[str, Rumour]]
"""Language → id → rumour."""

ANSWER, OFFER = 0.6, 0.35  # how sure an answer is, and a question whether one of a few is meant
SURELY, CONTRARY = 0.5, 0.3  # how likely it must be that somebody asks for a service, or says the opposite
HALF = 0.5  # of its phrasings: from here on an entry is mostly said with a negation
VERY = 0.95  # how sure it is that a phrasing that is repeated nearly word for word is meant
MOST = 5
CLEAR = 0.6  # the share of known words from which, at twice any other's, a language is asked alone


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: the tier, how sure it is (0 to 1), up to five candidates, the language they were found in.

    "service" is a neutral question about a service, "opposite" contradicts the first candidate's rumour; `sort` says
    what kind of sentence it seems to be, and only a "rumour" is answered by a card.
    """

    decision: Decision
    confidence: float
    candidates: tuple[Match, ...]
    language: str
    blocked: bool = False
    sort: Sort = "rumour"


class Finder:
    """Finds rumours by how they are said. Pure; built once for all cities, which may say some otherwise.

    `cities` gives city → language → id → rumour; all of them share one index, in which a city's own are `city/id`.
    `recall` keeps what is learnt from the library; without it, it is learnt again each time. `voice` judges by meaning,
    with the same names.
    """

    def __init__(
        self,
        rumours: Rumours,
        tongues: Mapping[str, Tongue],
        cities: Mapping[str, Rumours] | None = None,
        recall: Recall = learn_anew,
        voice: Voice | None = None,
    ) -> None:
        self._voice = voice
        own = {city: _differing(rumours, theirs) for city, theirs in (cities or {}).items()}
        self._hidden = {city: {code: frozenset(found) for code, found in by.items()} for city, by in own.items()}
        everything = {code: {**rumours[code], **_named(own, code)} for code in tongues}
        self._readers = {code: _reader(everything[code], tongue, recall) for code, tongue in tongues.items()}
        self.phrases = sorted({said.text for code in tongues for said in _phrasings(everything[code])})
        self._blocked = {
            code: {phrase for rumour in everything[code].values() for phrase in rumour.blocked} for code in tongues
        }
        self._recall = recall

    @cached_property
    def judge(self) -> Judge:
        """What says how sure it is; learnt, or recalled, with the first text that is looked for, whatever it is."""
        return judge(list(self._readers.values()), self._recall)

    def find(self, text: str, language: str | None = None, city: str = "") -> Finding:
        """Return what `text` most likely means in `city`; `language` asks in that language alone."""
        found = self._by_words(text, language, city)
        if self._voice is None or found.blocked or found.sort in ("service", "opposite"):
            return found
        candidates, sure = joined(found.candidates, found.confidence, here(self._voice(text), city))
        return replace(found, decision=_decision(sure), confidence=sure, candidates=candidates)

    def _by_words(self, text: str, language: str | None, city: str) -> Finding:
        asked = [language] if language in self._readers else self._languages(text)
        ranked = {code: self.ranked(text, code, city) for code in asked}
        best = max(asked, key=lambda code: ranked[code][0].score if ranked[code] else NOTHING)
        candidates = tuple(ranked[best])
        sure, sort = self.judged(text, best, candidates)
        if not candidates:
            return Finding(_tier(0.0, sort), sure, (), best, sort=sort)
        decision = _tier(sure, sort)
        named = tuple(replace(match, entry=match.entry.rpartition("/")[2]) for match in candidates)
        return Finding(decision, sure, named, best, candidates[0].phrase in self._blocked[best], sort)

    def judged(self, text: str, language: str, found: Sequence[Match]) -> tuple[float, Sort]:
        """Return how sure it is that the first of `found` is meant, and what kind of sentence `text` seems to be."""
        judge = self.judge
        if not found:
            return 0.0, "rumour"
        heard = listen(self._readers[language], text, found)
        return _sure(judge, heard, found[0]), _sort(judge, heard, found[0])

    def reader(self, language: str) -> Reader:
        """Return what reads one language."""
        return self._readers[language]

    def ranked(self, text: str, language: str, city: str = "") -> list[Match]:
        """Return the entries that `text` may mean, a city's own by their whole id."""
        index = self._readers[language].index
        return index.rank(index.read(text), MOST, self._may(language, city))

    def _may(self, language: str, city: str) -> Callable[[str], bool] | None:
        """Return what says of an entry whether this city has it; None where no city has anything of its own."""
        if not self._hidden:
            return None
        own, hidden = f"{city}/", self._hidden.get(city, {}).get(language, frozenset())
        return lambda entry: entry.startswith(own) if "/" in entry else entry not in hidden

    def _languages(self, text: str) -> list[str]:
        """Return the language that `text` is clearly in, else all."""
        words = spoken(text)
        shares = {code: reader.index.familiar(words) for code, reader in self._readers.items()}
        first, *others = sorted(shares, key=lambda code: -shares[code])
        clear = shares[first] >= CLEAR and all(shares[first] >= 2 * shares[other] for other in others)
        return [first] if clear else list(self._readers)


NOTHING = -99.0  # below any score


def _reader(rumours: Mapping[str, Rumour], tongue: Tongue, recall: Recall) -> Reader:
    phrasings = _phrasings(rumours)
    needs = {name.rpartition("/")[2]: rumour.needs for name, rumour in rumours.items() if rumour.needs}
    index = Index(phrasings, tongue, needs, recall)
    return Reader(index, tongue, Sound(tongue, [phrasing.text for phrasing in index.phrasings], recall=recall))


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


def _sure(judge: Judge, heard: Heard, first: Match) -> float:
    """Return how sure it is that the first candidate is meant, 0 to 1; never sure by a single word."""
    sure = judge.right.of(heard.signs)
    if _repeats(heard, first):
        return max(sure, VERY)
    evidence = heard.evidence
    return sure if evidence.words > 1 else min(sure, ANSWER - 0.01 if evidence.named else OFFER - 0.01)


def _sort(judge: Judge, heard: Heard, first: Match) -> Sort:
    """Return what kind of sentence it is; the rumour word for word but for a "not" is its opposite."""
    if _repeats(heard, first):
        turned = heard.denied not in (first.denied, first.negated >= HALF)
        return "opposite" if turned else "rumour"
    if judge.opposite.of(heard.stance) >= CONTRARY:
        return "opposite"
    sort = max(heard.sorts, key=lambda sort: heard.sorts[sort])
    known = judge.right.of(heard.signs) >= ANSWER
    return sort if sort in ("service", "other") and heard.sorts[sort] > SURELY and not known else "rumour"


def _repeats(heard: Heard, first: Match) -> bool:
    """Say whether a phrasing is repeated nearly word for word, and not in a question about a service."""
    same = heard.whole and first.best >= VERBATIM and heard.evidence.share == 1 and heard.evidence.words > 1
    return heard.repeated or (same and heard.sorts["service"] <= SURELY)


def _tier(sure: float, sort: Sort) -> Decision:
    if sort in ("service", "opposite"):
        return sort
    return _decision(sure) if sort == "rumour" else "none"


def _decision(sure: float) -> Decision:
    return "answer" if sure >= ANSWER else "offer" if sure >= OFFER else "none"


def _phrasings(rumours: Mapping[str, Rumour]) -> list[Phrasing]:
    return [Phrasing(entry, text) for entry, rumour in rumours.items() for text in _ways(rumour)]
