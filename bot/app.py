"""The only place where the parts meet."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache, partial
from pathlib import Path, PurePosixPath
from random import Random, SystemRandom
from typing import Any, NamedTuple

from bot import qr
from bot.broadcast import Broadcast
from bot.core.platform import Platform
from bot.core.sheet import Booklet
from bot.delivery import Delivery
from bot.features import about, basics, campaigns, care, feedback, glossary, quizzes, reports, rumours, techniques
from bot.features import city as city_choice
from bot.features.campaigns import coordinating, showing, subscribing
from bot.features.campaigns.town import Gaps, Town
from bot.features.quizzes.booklet import booklet
from bot.features.reports.naming import Names, names
from bot.features.reports.words import refusal
from bot.features.rumours.entry import RUMOURS
from bot.features.rumours.find import Finder
from bot.features.techniques.entry import TECHNIQUES
from bot.kept import kept
from bot.library import common, support
from bot.library.check import Register
from bot.library.city import NO_CITY, CityLoader, Shared, folders, same_names
from bot.library.load import E, Kind, Library, Loader, Pack, stale
from bot.library.pairs import Pair
from bot.library.phrases import Phrases, Written, load_over, load_phrases
from bot.library.problem import ContentError, Problem
from bot.library.slips import slips
from bot.library.source import At
from bot.library.style import STYLE
from bot.library.support import SUPPORT, Routes, Support
from bot.matching import semantic
from bot.matching.care import CARE, Care
from bot.matching.index import Phrasing
from bot.matching.semantic import Model, ModelError, Voice
from bot.matching.told import TOLD, Ear
from bot.matching.tongue import TYPING, Tongue, Typing
from bot.platforms import limits
from bot.settings import Settings, SettingsError
from bot.storage.store import Store
from bot.storage.versions import Name
from bot.talk.assistant import Assistant
from bot.talk.repertoire import Repertoire, Repertoires

log = logging.getLogger(__name__)

KINDS: tuple[Kind[Any], ...] = (
    *common.KINDS,
    *support.KINDS,
    STYLE,
    TYPING,
    CARE,
    TOLD,
    *techniques.KINDS,
    *glossary.KINDS,
    *rumours.KINDS,
    *quizzes.KINDS,
    *campaigns.KINDS,
    *reports.KINDS,
)


CITY_KINDS = tuple(kind for kind in KINDS if kind not in (STYLE, TYPING, CARE, TOLD, *reports.KINDS))
"""What a city may change or add; how a language is typed, and who is hurt, is the same everywhere."""

FIRST_ZONE = timezone(timedelta(hours=14))
"""Where a day begins first: what somebody wrote today is in nobody's future."""


@dataclass(frozen=True)
class Content:
    """A sound content folder: its library and phrases, what translations lack, how many files it has.

    `cities` holds each sound city's own, laid over it; `broken` the problems of the others; `texts` every file as it
    was read, by kind, entry and language. `learn` makes what judges by meaning, where the operator has a model.
    """

    library: Library
    phrases: Phrases
    missing: list[tuple[str, str, At]]
    files: int
    cities: Mapping[str, "Content"] = field(default_factory=dict)
    broken: Mapping[str, list[Problem]] = field(default_factory=dict)
    texts: Mapping[tuple[str, str, str], str] = field(default_factory=dict, repr=False)
    learn: rumours.Learn | None = field(default=None, repr=False)

    @property
    def keeps(self) -> bool:
        """Whether words that nobody knows are kept here or in any city; who chose none yet may choose that one."""
        return any(part.library.pack.keep_unmatched for part in (self, *self.cities.values()))

    def live(self) -> dict[Name, str]:
        """Return the text of every file that people are answered from, the cities' own included."""
        parts = {"": self, **self.cities}
        return {Name(city, *name): text for city, part in parts.items() for name, text in part.texts.items()}


def load_content(
    root: Path, roots: Mapping[str, Path] | None = None, cities: Path | None = None, today: date | None = None
) -> Content:
    """Return the content of `root` and the other `roots`, and of each folder in `cities`, as it may be on `today`.

    Raises `ContentError` with the problems of all shared files; a city's problems stop only that city.
    """
    today = today or utc_now().astimezone(FIRST_ZONE).date()
    read = _load_shared(root, roots, today)
    shared = Shared(read.content.library, read.loader.trees, read.register)
    return _with_cities(read.content, shared, cities, today) if cities else read.content


class _Read(NamedTuple):
    """The shared content, and what it was read with."""

    content: Content
    loader: Loader
    written: Written
    register: Register


def _load_shared(root: Path, roots: Mapping[str, Path] | None, today: date) -> _Read:
    loader = Loader(root, KINDS, roots, today)
    pack = loader.load_pack()
    written = load_phrases(root, list(pack.languages))
    library, register = loader.load(pack, written.described)
    written.check_links(register)
    if problems := loader.problems + written.problems:
        raise ContentError(problems)
    missing = loader.missing + written.missing
    texts = _texts(loader, written, pack)
    content = Content(library, written.phrases, missing, loader.files + written.files, texts=texts)
    return _Read(content, loader, written, register)


def load_pairs(
    root: Path, roots: Mapping[str, Path] | None = None, cities: Path | None = None, today: date | None = None
) -> tuple[Content, Mapping[str, list[Pair]]]:
    """Return what `load_content` does, and for each language all that is translated, with its original.

    Of the original's own language no translation is there. Raises `ContentError`, as `load_content` does.
    """
    today = today or utc_now().astimezone(FIRST_ZONE).date()
    read = _load_shared(root, roots, today)
    codes = list(read.content.library.pack.languages)
    pairs = {code: [read.written.pair(root, codes[0], code), *read.loader.pairs(code)] for code in codes}
    shared = Shared(read.content.library, read.loader.trees, read.register)
    return _with_cities(read.content, shared, cities, today) if cities else read.content, pairs


def slips_of(content: Content, pairs: Mapping[str, list[Pair]]) -> list[Problem]:
    """Return what translators got wrong that breaks nothing."""
    original, *others = content.library.pack.languages
    styles = content.library.all(STYLE, original)
    return sorted(slip for code in others for pair in pairs[code] for slip in slips(pair, styles, original))


def content_of(settings: Settings) -> Content:
    """Return all the content of an installation, games and towns included. Raises `ContentError`."""
    content = load_content(settings.content, settings.roots, settings.cities)
    return replace(content, learn=learner(settings.semantic))


def learner(folder: Path | None) -> rumours.Learn | None:
    """Return what makes a judge of meaning with the model in `folder`; None where none is named.

    It raises `SettingsError` where the folder holds no model.
    """

    def learn(phrasings: Sequence[Phrasing]) -> Voice | None:
        try:
            return sentence_model(folder or Path()).voice(phrasings)
        except ModelError as error:
            raise SettingsError(f"HEARSAY_SEMANTIC={folder} cannot be used: {error}.") from error

    return learn if folder else None


@cache
def sentence_model(folder: Path) -> Model:
    """Return the model in `folder`, opened once for all reloads. Raises `ModelError`."""
    return semantic.load(folder)


def _with_cities(content: Content, shared: Shared, root: Path, today: date) -> Content:
    paths, broken = folders(root)
    found: dict[str, Content] = {}
    for path in paths:
        try:
            found[path.name] = _load_city(path, shared, content.phrases, today)
        except ContentError as error:
            broken[path.name] = list(error.problems)
    broken |= same_names({city: loaded.library.pack for city, loaded in found.items()}, root)
    return replace(content, cities={city: own for city, own in found.items() if city not in broken}, broken=broken)


def _load_city(root: Path, shared: Shared, phrases: Phrases, today: date) -> Content:
    loader = CityLoader(root, CITY_KINDS, shared, today)
    pack = loader.load_city()
    written = load_over(root, list(pack.languages), phrases)
    library, register = loader.load_over(pack)
    written.check_links(register)
    if problems := loader.problems + written.problems:
        raise ContentError(problems)
    texts = _texts(loader, written, pack)
    return Content(library, written.phrases, loader.missing, loader.files + written.files, texts=texts)


def _texts(loader: Loader, written: Written, pack: Pack) -> Mapping[tuple[str, str, str], str]:
    phrases = {("phrases", "phrases", code): source.text for code, source in written.sources.items()}
    return loader.texts(next(iter(pack.languages))) | phrases


def old_sources(library: Library, today: datetime) -> list[str]:
    """Return the ids of sources that nobody has opened for a year."""
    sources = library.only(common.SOURCES, next(iter(library.pack.languages))).sources
    return [name for name, source in sources.items() if stale(source.checked, today.date())]


def tongues(library: Library) -> Mapping[str, Tongue]:
    """Return how each language of the pack is typed."""
    typing = library.all(TYPING, next(iter(library.pack.languages)))
    return {language: Tongue(typing.get(language, Typing())) for language in library.pack.languages}


def rumour_finder(content: Content, spoken: Mapping[str, Tongue]) -> Finder:
    """Return what finds the rumours of all cities by how they are said; `spoken` is how each language is typed."""
    cities = {city: own.library for city, own in content.cities.items()}
    return rumours.finder(content.library, spoken, cities, kept, content.learn)


def phrasing_warnings(content: Content, *, every: bool) -> Iterator[str]:
    """Yield what editors may mend in how the shared rumours are said; `every` phrasing that finds another one, too."""
    yield from rumours.phrasing_warnings(content.library, tongues(content.library), kept, every=every)


def carer(library: Library, finder: Finder) -> Care:
    """Return what recognises, in every language of the pack, who is hurt or in danger; `finder` knows the rumours."""
    original = next(iter(library.pack.languages))
    ear = Ear(library.all(TOLD, original).values(), (*finder.phrases, *_practised(library)), kept)
    return Care(library.all(CARE, original), ear, lambda text: finder.find(text).decision == "answer")


def _practised(library: Library) -> Iterator[str]:
    """Yield the names of techniques and what is said in their examples: nobody tells it of themselves."""
    for language in library.pack.languages:
        for technique in library.all(TECHNIQUES, language).values():
            yield technique.name
            yield from (part for line in technique.example for part in (line.them, line.you, line.note) if part)


def judged(library: Library) -> Mapping[str, Collection[str]]:
    """Return what people may call useful or not: kind → ids."""
    language = next(iter(library.pack.languages))
    kinds: tuple[Kind[Any], ...] = (RUMOURS, TECHNIQUES)
    return {kind.name: library.all(kind, language).keys() for kind in kinds}


def no_doors(_: str) -> Mapping[str, str]:
    """Return no links."""
    return {}


def repertoires(content: Content, default: str = "", doors: quizzes.Doors = no_doors) -> Repertoires:
    """Return all that Hearsay can do with `content`, for each city; a conversation without one is in `default`.

    `doors` knows by platform the link that says a command.

    Where no default is set and there is one city only, that is it. Raises `SettingsError` for a default that is none.
    """
    if default and default not in {NO_CITY, *content.cities, *content.broken}:
        known = ", ".join(content.cities) or "none, for HEARSAY_CITIES is not set"
        raise SettingsError(f"HEARSAY_CITY={default} is no city. The cities are: {known}.")
    spoken, cities = tongues(content.library), content.cities
    finder, named = rumour_finder(content, spoken), names(content.library)
    parts = Parts(spoken, carer(content.library, finder), finder, named, content, doors, towns(content))
    by_city = {city: _repertoire(parts, city) for city in ("", *cities)}
    only = next(iter(cities)) if len(cities) == 1 and not content.broken else ""
    return Repertoires(by_city, default or only)


@dataclass(frozen=True)
class Parts:
    """What all cities share: how each language is typed, who is heard as hurt, what finds a rumour or a name; towns."""

    tongues: Mapping[str, Tongue]
    care: Care
    finder: Finder
    names: Names
    content: Content
    doors: quizzes.Doors
    towns: Mapping[str, Town]

    def unhurt(self, text: str) -> bool:
        """Say whether words attack, insult and hurt nobody."""
        return self.care.recognise(text) is None

    def may_keep(self, text: str) -> bool:
        """Say whether words may be kept without asking: they lead to nobody, and hurt and attack nobody."""
        return refusal(text, self.names) is None and self.unhurt(text)

    def attacks(self, text: str) -> bool:
        """Say whether words attack people, and are not to be shown again."""
        return self.care.recognise(text) in ("attack", "insult")


def repertoire(content: Content) -> Repertoire:
    """Return all that Hearsay can do where no city is chosen."""
    return repertoires(content).by_city[""]


def _repertoire(parts: Parts, city: str) -> Repertoire:
    """Return all that Hearsay can do in `city`; the order of features is the order of the menus."""
    content = parts.content.cities[city] if city else parts.content
    library = content.library
    routes = Routes(_support(library), _support(parts.content.library), library.pack.city)
    features = (
        rumours.feature(
            library,
            partial(parts.finder.find, city=city),
            techniques.names(library),
            routes,
            parts.may_keep if library.pack.keep_unmatched else None,
        ),
        techniques.feature(library),
        glossary.feature(library, parts.tongues),
        reports.feature(parts.names, rumours.names(library), parts.attacks, library.pack.districts),
        *quizzes.features(library, techniques.names(library), parts.unhurt, parts.doors, qr.painted),
        showing.feature(parts.towns[city], parts.tongues),
        subscribing.feature(parts.towns[city]),
        care.feature(parts.care, routes),
        feedback.feature(judged(library)),
        city_choice.feature({name: own.library.pack.city or name for name, own in parts.content.cities.items()}),
        coordinating.feature(
            parts.towns[city],
            {name: town.name for name, town in parts.towns.items()},
            limits.BY_NAME,
            parts.doors,
            rumours.names(library),
        ),
        about.feature(library.pack),
        basics.feature(library.pack.languages, parts.tongues, keeps=library.pack.keep_unmatched),
    )
    phrases = content.phrases.candid(keeps=parts.content.keeps)
    return Repertoire(features, phrases.say_in, library.pack.languages, city)


def _support(library: Library) -> Mapping[str, Support]:
    return {language: library.only(SUPPORT, language) for language in library.pack.languages}


def printed(content: Content, quiz: str, language: str) -> Booklet | None:
    """Return the game `quiz` on paper; None where there is no such game."""
    found = content.library.all(quizzes.QUIZZES, language).get(quiz)
    if found is None:
        return None
    sources = content.library.only(common.SOURCES, language).sources
    return booklet(found, sources, content.phrases.say_in(language), language)


def hosted(content: Content, language: str) -> Mapping[str, str]:
    """Return the titles of the games that have notes for a host, by id."""
    found = content.library.all(quizzes.QUIZZES, language)
    return {name: quiz.title for name, quiz in found.items() if quiz.facilitator}


def towns(content: Content) -> Mapping[str, Town]:
    """Return every city's campaigns by its id, and under "" those of the shared pack, as packs say."""
    shared, known = _gaps(content), content.library.all(campaigns.CAMPAIGNS, next(iter(content.library.pack.languages)))
    own = {
        city: {(language, name): at for (language, name), at in _gaps(part).items() if name not in known}
        for city, part in content.cities.items()
    }
    parts = {"": content, **content.cities}
    return {city: _town(city, part, {**shared, **own.get(city, {})}) for city, part in parts.items()}


def _gaps(content: Content) -> Gaps:
    """Return what translations of campaigns lack, by language and campaign."""
    found: dict[tuple[str, str], set[At]] = {}
    for language, path, at in content.missing:
        file = PurePosixPath(path)
        if file.name.startswith(f"{campaigns.CAMPAIGNS.name}."):
            found.setdefault((language, file.parent.name), set()).add(at)
    return {key: frozenset(spots) for key, spots in found.items()}


def _town(city: str, content: Content, gaps: Gaps) -> Town:
    library, pack = content.library, content.library.pack

    def by_language(kind: Kind[E]) -> Mapping[str, Mapping[str, E]]:
        return {language: library.all(kind, language) for language in pack.languages}

    return Town(
        city,
        pack.city or city,
        pack.languages,
        pack.zone,
        pack.planning,
        content.phrases.say_in,
        by_language(campaigns.CAMPAIGNS),
        by_language(campaigns.STEPS),
        by_language(campaigns.CHECKLISTS),
        by_language(campaigns.TOPICS),
        gaps,
    )


def utc_now() -> datetime:
    """Return this moment."""
    return datetime.now(UTC)


class App:
    """A running Hearsay: a store, an assistant, its platforms, what carries bubbles to them, and what is due by itself.

    `towns` are those whose campaigns go on now.
    """

    def __init__(
        self,
        store: Store,
        content: Content,
        platforms: Mapping[str, Platform],
        clock: Callable[[], datetime] = utc_now,
        chance: Random | None = None,
        city: str = "",
        doors: quizzes.Doors = no_doors,
    ) -> None:
        self.store = store
        self.clock = clock
        self.delivery = Delivery(store, platforms, clock)
        keeps = frozenset(name for name, platform in platforms.items() if platform.pulls)
        self.assistant = Assistant(
            store,
            repertoires(content, city, doors),
            clock,
            chance or SystemRandom(),  # the codes of games are drawn from it
            made=self.delivery.made,
            part=self.delivery.part,
            keeps=keeps,
        )
        self.towns = towns(content)
        self.broadcast = Broadcast(store, lambda: self.towns, self.delivery, clock, keeps)
