"""The only place where the parts meet."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from bot.core.platform import Platform
from bot.delivery import Delivery
from bot.features import about, basics, care, glossary, rumours, techniques
from bot.library import common
from bot.library.load import Kind, Library, Loader, stale
from bot.library.phrases import Phrases, load_phrases
from bot.library.problem import ContentError
from bot.library.source import At
from bot.matching.care import CARE, Care
from bot.matching.tongue import TYPING, Tongue, Typing
from bot.storage.store import Store
from bot.talk.assistant import Assistant
from bot.talk.repertoire import Repertoire

log = logging.getLogger(__name__)

KINDS: tuple[Kind[Any], ...] = (
    *common.KINDS,
    TYPING,
    CARE,
    *techniques.KINDS,
    *glossary.KINDS,
    *rumours.KINDS,
)


@dataclass(frozen=True)
class Content:
    """A sound content folder: its library and phrases, what translations lack, how many files it has."""

    library: Library
    phrases: Phrases
    missing: list[tuple[str, str, At]]
    files: int


def load_content(root: Path) -> Content:
    """Return the content of `root`. Raises `ContentError` with the problems of all its files."""
    loader = Loader(root, KINDS)
    pack = loader.load_pack()
    written = load_phrases(root, list(pack.languages))
    library, register = loader.load(pack, written.described)
    written.check_links(register)
    if problems := loader.problems + written.problems:
        raise ContentError(problems)
    return Content(library, written.phrases, loader.missing + written.missing, loader.files + written.files)


def old_sources(library: Library, today: datetime) -> list[str]:
    """Return the ids of sources that nobody has opened for a year."""
    sources = library.only(common.SOURCES, next(iter(library.pack.languages))).sources
    return [name for name, source in sources.items() if stale(source.checked, today.date())]


def tongues(library: Library) -> Mapping[str, Tongue]:
    """Return how each language of the pack is typed."""
    typing = library.all(TYPING, next(iter(library.pack.languages)))
    return {language: Tongue(typing.get(language, Typing())) for language in library.pack.languages}


def carer(library: Library) -> Care:
    """Return what recognises, in every language of the pack, who is hurt or in danger."""
    return Care(library.all(CARE, next(iter(library.pack.languages))))


def repertoire(content: Content) -> Repertoire:
    """Return all that Hearsay can do with `content`; the order of features is the order of the menus."""
    library, spoken = content.library, tongues(content.library)
    features = (
        rumours.feature(library, spoken, techniques.names(library)),
        techniques.feature(library),
        glossary.feature(library, spoken),
        care.feature(carer(library)),
        about.feature(library.pack),
        basics.feature(library.pack.languages, spoken),
    )
    return Repertoire(features, content.phrases.say_in, library.pack.languages)


def utc_now() -> datetime:
    """Return this moment."""
    return datetime.now(UTC)


class App:
    """A running Hearsay: a store, an assistant, its platforms and what carries bubbles to them."""

    def __init__(
        self,
        store: Store,
        content: Content,
        platforms: Mapping[str, Platform],
        clock: Callable[[], datetime] = utc_now,
        chance: Random | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.delivery = Delivery(store, platforms, clock)
        keeps = frozenset(name for name, platform in platforms.items() if platform.pulls)
        self.assistant = Assistant(
            store,
            repertoire(content),
            clock,
            chance or Random(),
            made=self.delivery.made,
            part=self.delivery.part,
            keeps=keeps,
        )
