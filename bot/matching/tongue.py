"""How one language is typed: its words cut, freed of frames and stop words, stemmed, and named by concept."""

import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Annotated

import Stemmer
from pydantic import Field

from bot.library.check import Found
from bot.library.load import Kind
from bot.library.problem import did_you_mean
from bot.library.shape import Entry, Phrase, Words
from bot.talk.words import folded

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
# What cannot be seen would cut a word in two.
_UNSEEN = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]")

# How many characters are read: a rumour is said in a sentence or two. What follows would only blur the match, and
# anybody could make the search slow with a long text.
READ = 600
CONCEPT = "="  # marks a concept among stems; no word holds it
SOON = 4  # a negation reaches so many words
STEMS = 4096  # how many stems are remembered


class Typing(Entry):
    """`matching/<language>.yaml`: stop words, frames around a rumour, aliases of concepts."""

    stemmer: str | None = Field(None, description="The Snowball stemmer's name, where there is one")
    stop: Annotated[str, Words(typed=True)] = Field("", description="Words that say nothing about the matter")
    frames: list[Phrase] = Field([], description="What stands around the rumour: 'is it true that'")
    asks: list[Phrase] = Field([], description="What stands before a word that is looked up: 'what is a'")
    helps: list[Phrase] = Field([], description="What people say who want to know what this can do")
    greetings: list[Phrase] = Field([], description="What people say when they come")
    thanks: list[Phrase] = Field([], description="What people say when they are content")
    aliases: dict[str, list[Phrase]] = Field({}, description="Concept → words and slang that mean it")
    services: list[Phrase] = Field([], description="Neutral questions about a service, by which such are recognised")
    others: list[Phrase] = Field(
        [], description="Everyday sentences with words of rumours that mean nothing of the kind"
    )
    opposites: list[Phrase] = Field([], description="What people say who assert the opposite of a rumour")
    denials: list[Phrase] = Field([], description="Turns of phrase that contradict: 'just like everybody else'")
    nots: Annotated[str, Words(typed=True)] = Field("", description="Words that turn a sentence into its opposite")


def check(typing: Typing) -> Iterator[Found]:
    """Yield what no single field shows."""
    if typing.stemmer and typing.stemmer not in Stemmer.algorithms():
        fix = did_you_mean(typing.stemmer, Stemmer.algorithms())
        yield ("stemmer",), f"no stemmer is called '{typing.stemmer}'", fix


TYPING = Kind("typing", "matching", Typing, check, translated=False)


class Tongue:
    """One language as a pure function from text to terms."""

    def __init__(self, typing: Typing) -> None:
        # The stemmer's own cache holds the same once more, so it is off.
        stem = Stemmer.Stemmer(typing.stemmer, 0).stemWord if typing.stemmer else str
        self._stem = lru_cache(STEMS)(stem)
        self._stop = frozenset(_WORD.findall(folded(typing.stop)))
        frames = sorted((folded(frame) for frame in typing.frames), key=len, reverse=True)
        self._frame = re.compile(r"\b(?:" + "|".join(map(re.escape, frames)) + r")\b") if frames else None
        self._asks = tuple(sorted((folded(ask) for ask in typing.asks), key=len, reverse=True))
        self._helps = frozenset(_letters(phrase) for phrase in typing.helps)
        self._greetings = frozenset(_letters(phrase) for phrase in typing.greetings)
        self._thanks = frozenset(_letters(phrase) for phrase in typing.thanks)
        self._concepts = {
            tuple(self._stem(word) for word in _WORD.findall(folded(alias))): f"{CONCEPT}{concept}"
            for concept, aliases in typing.aliases.items()
            for alias in aliases
        }
        self._longest = max(map(len, self._concepts), default=0)
        self._nots = frozenset(_WORD.findall(folded(typing.nots)))
        self._denials = tuple(f" {_letters(denial)} " for denial in typing.denials)
        self.examples = {"service": typing.services, "other": typing.others, "opposite": typing.opposites}
        written = (phrase for phrases in (*typing.aliases.values(), *self.examples.values()) for phrase in phrases)
        self.vocabulary = self._stop.union(*(_WORD.findall(folded(phrase)) for phrase in written))

    def bare(self, text: str) -> str:
        """Return the beginning of `text`, folded and without frames; with them where nothing else would be left."""
        whole = _seen(text)
        bare = " ".join(self._frame.sub(" ", whole).split()) if self._frame else whole
        return (bare if len(_WORD.findall(bare)) >= 2 else whole)[:READ]

    def asked_for(self, text: str) -> str:
        """Return the word that "what is a …?" asks for; a text that asks nothing comes back without its marks."""
        whole = folded(text).strip(" ?¿!¡.,\"'«»“”")
        found = next((ask for ask in self._asks if whole.startswith(ask + " ")), "")
        return whole[len(found) :].strip(" \"'«»“”")

    def is_help(self, text: str) -> bool:
        """Say whether `text` only asks what this can do."""
        return _letters(text) in self._helps

    def is_greeting(self, text: str) -> bool:
        """Say whether `text` is only a greeting."""
        return _letters(text) in self._greetings

    def is_thanks(self, text: str) -> bool:
        """Say whether `text` only says thanks."""
        return _letters(text) in self._thanks

    def words(self, bare: str) -> list[str]:
        """Return every word of a bare text."""
        return _WORD.findall(bare)

    def knows(self, word: str) -> bool:
        """Say whether `word` is a stop word or names a concept."""
        return word in self._stop or (self._stem(word),) in self._concepts

    def telling(self, words: Sequence[str]) -> list[str]:
        """Return those of `words` that are no stop words; all of them where only such are left."""
        return [word for word in words if word not in self._stop] or list(words)

    def units(self, words: Sequence[str]) -> list[tuple[str, ...]]:
        """Return what `words` say, unit by unit: a telling word's stem and its concept, a run of words' concept.

        Runs may hold stop words ("before us"), because whoever wrote the alias meant them.
        """
        single = [self._named((self._stem(word),)) for word in self.telling(words)]
        stems = [self._stem(word) for word in words]
        runs = (tuple(stems[i : i + n]) for n in range(2, self._longest + 1) for i in range(len(stems) - n + 1))
        return single + [(self._concepts[run],) for run in runs if run in self._concepts]

    def terms(self, words: Sequence[str]) -> list[str]:
        """Return the stems and concepts of `words`."""
        return [term for unit in self.units(words) for term in unit]

    def stem(self, word: str) -> str:
        """Return what the forms of `word` have in common."""
        return str(self._stem(word))

    def named(self, concepts: Collection[str]) -> frozenset[str]:
        """Return those of `concepts` that this language has words for, as terms."""
        return frozenset(f"{CONCEPT}{concept}" for concept in concepts) & frozenset(self._concepts.values())

    def shape(self, words: Sequence[str]) -> list[str]:
        """Return how `words` are put, whatever they are about: concepts without their names, pairs of neighbours."""
        said = ["^", *(self._plain(word) for word in words), "$"]
        return [*said, *map(" ".join, pairwise(said)), *map(" _ ".join, zip(said, said[2:], strict=False))]

    def negates(self, text: str) -> bool:
        """Say whether a word of `text` turns what follows into its opposite: "we don't" at the end turns nothing."""
        words = _WORD.findall(_seen(text)[:READ])
        turning = (place for place, word in enumerate(words) if word in self._nots)
        return any(
            word not in self._stop and word not in self._nots for place in turning for word in words[place + 1 :][:SOON]
        )

    def denies(self, text: str) -> bool:
        """Say whether `text` holds a turn of phrase that contradicts."""
        letters = f" {_letters(text[:READ])} "
        return any(denial in letters for denial in self._denials)

    def _plain(self, word: str) -> str:
        if word in self._stop:
            return word
        stem = self._stem(word)
        return CONCEPT if (stem,) in self._concepts else stem

    def _named(self, stems: tuple[str, ...]) -> tuple[str, ...]:
        concept = self._concepts.get(stems)
        return (*stems, concept) if concept else stems


def names_concept(unit: Sequence[str]) -> bool:
    """Say whether `unit` names a concept."""
    return unit[-1].startswith(CONCEPT)


def spoken(text: str) -> list[str]:
    """Return the words that `text` begins with, in whatever language."""
    return _WORD.findall(_seen(text)[:READ])


def _seen(text: str) -> str:
    """Return the beginning of `text`, folded; twice what is read, because frames are still to go."""
    return folded(_UNSEEN.sub("", text[: 2 * READ])).replace("’", "'")[: 2 * READ]


def _letters(text: str) -> str:
    return " ".join(_WORD.findall(folded(text)))
