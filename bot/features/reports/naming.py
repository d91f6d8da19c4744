"""How persons are named in a language, so that what names one is not kept: `naming/<language>.yaml`."""

import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

from babel import Locale
from pydantic import BaseModel, Field

from bot.library.load import Kind, Library
from bot.library.shape import Entry, Words
from bot.matching.tongue import spoken
from bot.talk.words import folded

Typed = Annotated[str, Words(typed=True)]


class Naming(Entry):
    """`naming/<language>.yaml`: what stands before a person's name, and what has capitals and names nobody."""

    titles: Typed = Field("", description="What only a name follows: mr mrs")
    people: Typed = Field("", description="Who may be named next, with a capital: neighbour teacher")
    given: Typed = Field("", description="Given names that are no other word and no place, however they are typed")
    joins: Typed = Field("", description="What joins the parts of a name: de van al")
    places: Typed = Field("", description="What makes the capitals beside it a place: street, bar")
    before: Typed = Field("", description="What stands before capitals that are no person's: in at the")
    known: Typed = Field("", description="Written with a capital and nobody's name: peoples, towns, offices, brands")


NAMING = Kind("naming", "naming", Naming, translated=False)


class Names:
    """What every language of a pack knows of names, together: people mix languages."""

    def __init__(
        self, namings: Iterable[Naming] = (), ordinary: Iterable[str] = (), countries: Iterable[str] = ()
    ) -> None:
        all_ = list(namings)
        self.titles = _words(naming.titles for naming in all_)
        self.people = _words(naming.people for naming in all_)
        self.given = _words(naming.given for naming in all_)
        self.joins = _words(naming.joins for naming in all_)
        self.places = _words(naming.places for naming in all_)
        self.before = _words(naming.before for naming in all_)
        self.known = _words(naming.known for naming in all_) | frozenset(ordinary)
        self.countries = frozenset(countries)


def names(library: Library) -> Names:
    """Return what `library` knows of names."""
    namings = library.all(NAMING, next(iter(library.pack.languages))).values()
    return Names(namings, _ordinary(library), _places(library.pack.languages))


def _words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in folded(text).split())


def _ordinary(library: Library) -> Iterator[str]:
    """Yield the words that the library writes without a capital anywhere, and those of its facts' places."""
    kinds = ("theme", "rumour", "technique", "term")  # authors are persons, and games and examples are full of them
    entries = [entry for kind in kinds for found in library.entries[kind].values() for entry in found.values()]
    words = {word for entry in entries for text in _texts(entry) for word in text.split() if word.islower()}
    yield from map(folded, words)
    for where in {fact.where for entry in entries for fact in getattr(entry, "facts", {}).values()}:
        yield from spoken(where)


def _texts(tree: object) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
        return
    if isinstance(tree, BaseModel):
        tree = vars(tree)
    for child in tree.values() if isinstance(tree, Mapping) else tree if isinstance(tree, list) else ():
        yield from _texts(child)


def _places(languages: Iterable[str]) -> Iterator[str]:
    """Yield the words of countries and languages, as each language calls them, and of the great towns."""
    for code in languages:
        locale = Locale.parse(code)
        for name in (*locale.territories.values(), *locale.languages.values()):
            yield from spoken(name)
    for zone in zoneinfo.available_timezones():
        yield from spoken(zone.rpartition("/")[2].replace("_", " "))
