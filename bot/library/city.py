"""A city's pack: a folder of the shared one's shape, laid over it. What it says replaces, what it leaves out stays."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError

from bot.library import complain, translate
from bot.library.check import Register
from bot.library.common import PROVENANCE, lesser
from bot.library.load import ID, Contact, Kind, Language, Library, Line, Link, Loader, Pack, Zone
from bot.library.planning import Planning
from bot.library.problem import ContentError, Problem, did_you_mean
from bot.library.shape import Entry, Words, field_type, has_words, leaves, unwrap
from bot.library.source import Source, Tree

LONGEST_CITY = 24
NO_CITY = "none"
"""What a conversation says that wants the shared pack; no city may be called so."""

Trees = Mapping[str, Mapping[str, Mapping[str, Tree]]]
"""Kind → language → id → tree."""


class CityPack(Entry):
    """`pack.yaml` of a city: its name, its languages (the first is that of its files), who answers for it.

    What it leaves out is as in the shared pack, save who answers for it: that is nobody until it is written. What is
    not known is kept only where the city itself says so.
    """

    name: Line = Field(description="The town's name, as its people write it")
    languages: list[Language] = Field(
        [], description="Codes among the shared pack's; the first is that of files without a code; empty means all"
    )
    zone: Zone | None = Field(None, description="Time zone, for example Europe/Madrid")
    operator: Line | None = Field(None, description="Who runs it for this town and answers for it")
    contact: Contact | None = Field(
        None, description="Where people reach the operator: an e-mail address or https link"
    )
    funder: Line | None = Field(None, description="Who pays for it; if nobody does, say so")
    licence: Line | None = Field(None, description="Licence of the town's own texts; the shared pack's where left out")
    accessibility: Link | None = Field(None, description="https address of the accessibility statement")
    districts: list[Line] = Field([], max_length=40, description="Coarse districts that a report may name")
    planning: Planning | None = Field(None, description="How it plans international days")
    keep_unmatched: bool = Field(
        False, description="true keeps what nobody knows for editors, 90 days, without who wrote it; people are told"
    )


@dataclass(frozen=True)
class Shared:
    """What every city's pack is laid over."""

    library: Library
    trees: Trees
    register: Register


def folders(root: Path) -> tuple[list[Path], dict[str, list[Problem]]]:
    """Return the cities' folders in order, and the problems of what should be one and is none, by its name."""
    if not root.is_dir():
        fix = "set HEARSAY_CITIES to the folder in which each city has its own"
        raise ContentError([Problem(str(root), 1, 1, "there is no such folder", fix)])
    found = [path for path in sorted(root.iterdir()) if not path.name.startswith((".", "_", "README"))]
    problems = {path.name: [problem] for path in found if (problem := _folder_problem(root, path))}
    return [path for path in found if path.name not in problems], problems


def _folder_problem(root: Path, path: Path) -> Problem | None:
    name = f"{root.name}/{path.name}"
    if not path.is_dir():
        return Problem(name, 1, 1, "is a file, and not a city's folder", "make a folder with a pack.yaml in it")
    if not ID.fullmatch(path.name) or len(path.name) > LONGEST_CITY or path.name == NO_CITY:
        fix = f"use lower-case words joined by hyphens, at most {LONGEST_CITY} characters, and not '{NO_CITY}'"
        return Problem(name, 1, 1, "the folder's name is not an id", fix)
    return None


class CityLoader(Loader):
    """Loads one city's folder over the shared pack."""

    def __init__(self, root: Path, kinds: tuple[Kind[Any], ...], shared: Shared, today: date | None = None) -> None:
        super().__init__(root, kinds, {kind.root: root / kind.root for kind in kinds if kind.root}, today)
        self.shared = shared
        self._read_paths: set[Path] = set()

    def load_city(self) -> Pack:
        """Return the shared pack as this city has it. Raises `ContentError`."""
        source = self.pack_source = self._read(self.root / "pack.yaml", self.root)
        if source is None:
            raise ContentError(self.problems)
        try:
            own = CityPack.model_validate(source.tree)
        except ValidationError as error:
            raise ContentError(complain.problems(error, CityPack, source)) from error
        known = self.shared.library.pack.languages
        for number, code in enumerate(own.languages):
            if code not in known:
                what = f"the shared pack has no '{code}'"
                self.problems.append(source.problem(("languages", number), what, did_you_mean(code, known)))
        if self.problems:
            raise ContentError(self.problems)
        return _as_pack(own, self.shared.library.pack)

    def load_over(self, pack: Pack) -> tuple[Library, Register]:
        """Return the shared library as this city has it, and its register; `problems` says whether it is sound."""
        for kind in self.kinds:
            self.trees[kind.name] = self._load_kind(kind, *_first_and_others(pack))
        shared = self.shared.library.entries
        entries = {
            kind: {language: by_language[language] for language in pack.languages}
            for kind, by_language in shared.items()
        }
        for kind in self.kinds:
            own = self._validate_all(kind)
            entries[kind.name] = {code: {**entries[kind.name][code], **own[code]} for code in pack.languages}
        register = self._all_known(pack_language(pack))
        self._check_references(register, self.trees, pack_language(pack))
        self._complain_of_unread()
        return Library(pack, entries, {**self.shared.library.folders, **self._folders}), register

    def _read(self, path: Path, root: Path) -> Source | None:  # noqa: ARG002  # a city's files are all named alike
        self._read_paths.add(path)
        return super()._read(path, self.root.parent)

    def _load_kind(self, kind: Kind[Any], original: str, others: list[str]) -> dict[str, dict[str, Tree]]:
        """Return language → id → tree for what this city adds or changes."""
        files = [file for path in self._paths(kind) if (file := self._open(kind, path, others))]
        known = self.shared.trees[kind.name]
        plain = self._originals(kind, files)
        new = {entry: file for entry, file in plain.items() if not _knows(known, entry)}
        trees: dict[str, dict[str, Tree]] = {original: {entry: file.source.tree for entry, file in new.items()}}
        for language in others:
            words = {file.entry: file for file in files if file.language == language}
            changed = {entry: words.pop(entry) for entry in list(words) if _knows(known, entry)}
            trees[language] = self._lay(kind, language, new, words)
            for entry, file in changed.items():
                self._sources[kind.name, entry, language] = file.source
                self._folders.setdefault((kind.name, entry), file.folder)
        changes = {entry for name, entry, _ in self._sources if name == kind.name and _knows(known, entry)}
        for language in (original, *others):
            for entry in sorted(changes):
                trees[language][entry] = self._over(kind, entry, language, original)
        return trees

    def _over(self, kind: Kind[Any], entry: str, language: str, original: str) -> Tree:
        """Return a shared entry with what this city says instead: the rules for every language, words for their own."""
        known = self.shared.trees[kind.name]
        tree = known[language].get(entry, next(iter(known.values()))[entry])
        plain = self._sources.get((kind.name, entry, None))
        words = self._sources.get((kind.name, entry, language))
        if plain:
            tree = self._laid(tree, plain, kind, words=language == original)
            if language != original:
                gaps = translate.missing(plain, words or plain, kind.model) if words else _worded(plain, kind)
                self.missing.extend((language, plain.path, at) for at in gaps)
        return self._laid(tree, words, kind, words=True) if words else tree

    def _laid(self, base: Tree, over: Source, kind: Kind[Any], *, words: bool) -> Tree:
        """Return `base` with what a file says instead; of both provenances the one that claims less holds for all."""
        tree = laid(base, over.tree, kind.model, words=words)
        if PROVENANCE not in kind.model.model_fields or not isinstance(tree, dict) or not isinstance(base, dict):
            return tree
        own = over.tree.get(PROVENANCE) if isinstance(over.tree, dict) else None
        rest = {name: part for name, part in tree.items() if name != PROVENANCE}
        return rest if own is None else {**rest, PROVENANCE: lesser(base.get(PROVENANCE), own, self.today)}

    def _validate_all(self, kind: Kind[Any]) -> dict[str, dict[str, Any]]:
        entries: dict[str, dict[str, Any]] = {language: {} for language in self.trees[kind.name]}
        for language, by_id in self.trees[kind.name].items():
            for entry, tree in by_id.items():
                own = (
                    self._sources.get((kind.name, entry, code)) for code in dict.fromkeys((language, None, *entries))
                )
                checked = self._check(kind, tree, *filter(None, own))
                if checked is not None:
                    entries[language][entry] = checked
        return entries

    def _all_known(self, original: str) -> Register:
        own = self._register(self.trees, original, {})
        shared = self.shared.register
        ids = {name: shared.ids.get(name, set()) | own.ids.get(name, set()) for name in {*shared.ids, *own.ids}}
        return Register(ids, {**shared.commands, **own.commands})

    def _complain_of_unread(self) -> None:
        known = {self.root / "phrases" / f"{language}.yaml" for language in self.shared.library.pack.languages}
        for path in sorted({*self.root.rglob("*.yaml"), *self.root.rglob("*.yml")} - self._read_paths - known):
            what = "nothing here is read from this file"
            self.problems.append(
                Problem(self._name(path, self.root.parent), 1, 1, what, "name and place it as in the shared pack")
            )


def pack_language(pack: Pack) -> str:
    """Return the language of files without a code."""
    return next(iter(pack.languages))


def _first_and_others(pack: Pack) -> tuple[str, list[str]]:
    first, *others = pack.languages
    return first, others


def _as_pack(own: CityPack, shared: Pack) -> Pack:
    codes = list(dict.fromkeys(own.languages)) or list(shared.languages)
    return Pack(
        name=shared.name,
        languages={code: shared.languages[code] for code in codes},
        zone=own.zone or shared.zone,
        operator=own.operator,
        contact=own.contact,
        funder=own.funder,
        licence=own.licence or shared.licence,
        accessibility=own.accessibility,
        source=shared.source,
        city=own.name,
        districts=own.districts,
        planning=own.planning or shared.planning,
        keep_unmatched=own.keep_unmatched,
    )


def laid(base: Tree | None, over: Tree, kind: Any, *, words: bool) -> Tree:
    """Return `base` with what `over` says instead; words of another language (not `words`) only fill gaps."""
    if isinstance(over, dict) and isinstance(base, dict):
        changed = {name: laid(base.get(name), part, _inner(kind, name), words=words) for name, part in over.items()}
        return {**base, **changed}
    if words or base is None or not has_words(kind):
        return over
    return base


def _inner(kind: Any, name: str) -> Any:
    inner, _ = unwrap(kind)
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return field_type(inner, name)
    return get_args(inner)[1] if get_origin(inner) is dict else None


def _knows(trees: Mapping[str, Mapping[str, Tree]], entry: str) -> bool:
    return any(entry in by_id for by_id in trees.values())


def _worded(plain: Source, kind: Kind[Any]) -> Iterable[tuple[str | int, ...]]:
    """Return the file as a whole where it holds any words, which then lack a translation."""
    return [()] if any(isinstance(leaf.mark, Words) for leaf in leaves(kind.model, plain.tree)) else []


def same_names(packs: Mapping[str, Pack], root: Path) -> dict[str, list[Problem]]:
    """Return the problem of every city that is called like one before it."""
    seen: dict[str, str] = {}
    problems: dict[str, list[Problem]] = {}
    for city, pack in packs.items():
        first = seen.setdefault((pack.city or "").casefold(), city)
        if first != city:
            what = f"the city '{first}' has the same name"
            spot = Problem(f"{root.name}/{city}/pack.yaml", 1, 1, what, "add what tells them apart, such as the region")
            problems[city] = [spot]
    return problems
