"""Load every content file, check all references at once, collect every problem."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from babel import localedata
from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from bot.library import complain, translate
from bot.library.check import UNWRITTEN, Found, Register, named, prose_problems
from bot.library.pairs import Pair
from bot.library.planning import Planning
from bot.library.problem import ContentError, Problem, did_you_mean
from bot.library.shape import Entry, File, Leaf, leaves
from bot.library.source import At, Source, Tree, read
from bot.talk.words import folded

E = TypeVar("E", bound=Entry)

ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_ID = 30
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_SECURE = r"^https://[\w-]+(\.[\w-]+)+(:[0-9]+)?([/?#][^\s<>\\]*)?$"  # nobody's name before an @; markup cannot end it
_NAME = re.compile(r"(?P<id>[^.]+)(\.(?P<language>[a-z]{2,3}))?\.yaml")


def _as_language(code: str) -> str:
    if not _LANGUAGE.fullmatch(code) or not localedata.exists(code):
        raise ValueError(f"no language is called '{code}'; use a code such as 'es'")
    return code


def _as_written(text: str) -> str:
    if UNWRITTEN in text:
        raise ValueError("is not written yet; write it, or remove the line")
    return " ".join(text.split())


def _as_contact(text: str) -> str:
    if not _MAIL.fullmatch(text) and not re.fullmatch(_SECURE, text):
        example = "write one such as rumours@town.example or https://town.example/contact"
        raise ValueError(f"'{text}' is neither an e-mail address nor an https link; {example}")
    return text


def _as_zone(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (KeyError, OSError, ValueError) as error:  # unknown; a folder of zones; no name for a file
        raise ValueError(f"no time zone is called '{zone}'; write one such as Europe/Madrid") from error
    return zone


Zone = Annotated[str, AfterValidator(_as_zone)]
Language = Annotated[str, AfterValidator(_as_language)]
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=160), AfterValidator(_as_written)
]
Contact = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300), AfterValidator(_as_contact)
]
Link = Annotated[str, StringConstraints(pattern=_SECURE, min_length=1, max_length=300)]


class Pack(Entry):
    """`pack.yaml`: the pack's name, languages by their own names (the first is the original), zone, who answers for it.

    Whoever runs it fills in the rest; `/about` says which of it is missing.
    """

    name: str = Field(description="What this installation calls itself")
    languages: dict[Language, str] = Field(
        min_length=1, description="Language codes with the languages' own names; the first is the original"
    )
    zone: Zone = Field(description="Time zone, for example Europe/Madrid")
    operator: Line | None = Field(None, description="Who runs this installation and answers for it")
    contact: Contact | None = Field(
        None, description="Where people reach the operator: an e-mail address or https link"
    )
    funder: Line | None = Field(None, description="Who pays for it; if nobody does, say so")
    licence: Line | None = Field(None, description="Licence of the pack's texts, for example CC BY 4.0")
    accessibility: Link | None = Field(None, description="https address of the accessibility statement")
    source: Link | None = Field(None, description="https address of the source code")
    city: Line | None = Field(None, description="The town, where the whole installation is for one")
    districts: list[Line] = Field([], max_length=40, description="Coarse districts that a report may name")
    planning: Planning = Field(default_factory=Planning, description="How it plans international days")
    keep_unmatched: bool = Field(
        False, description="true keeps what nobody knows for editors, 90 days, without who wrote it; people are told"
    )


@dataclass(frozen=True)
class Kind(Generic[E]):
    """A sort of entry: its name, where its files lie, its model, what else to check of one, the command that shows it.

    `place` is a folder (`glossary`, one file an entry), a folder of folders (`rumours/*`, each named for a theme), or
    one file (`situations.yaml`), whose only entry is then called like the kind; `offers` says which of its fields hold
    ids for others to refer to, by the name of the reference. Entries that need a folder of their own, named for them
    (`*/quiz.yaml`), lie in another `root`, and may be none. `sample` is a sound file to begin a new entry from.
    Of its fields those in `distinct` tell entries apart: no two may say the same there in one language.
    """

    name: str
    place: str
    model: type[E]
    check: Callable[[E], Iterator[Found]] | None = None
    command: str | None = None
    translated: bool = True
    offers: Mapping[str, str] = field(default_factory=dict)
    root: str | None = None
    longest: int = LONGEST_ID
    sample: Path | None = None
    distinct: tuple[str, ...] = ()

    @property
    def is_single(self) -> bool:
        """Say whether the kind is one file."""
        return self.place.endswith(".yaml") and not self.has_folders

    @property
    def has_folders(self) -> bool:
        """Say whether each entry is a folder, named for it."""
        return self.place.startswith("*/")

    @property
    def is_themed(self) -> bool:
        """Say whether the files lie in folders named for themes."""
        return self.place.endswith("/*")


@dataclass(frozen=True)
class Library:
    """Every sound entry, in every language of the pack, a missing translation filled from the original.

    `folders` holds by kind and id the theme's name, or the path of the folder that is the entry's own.
    """

    pack: Pack
    entries: Mapping[str, Mapping[str, Mapping[str, Any]]]
    folders: Mapping[tuple[str, str], str]

    def all(self, kind: Kind[E], language: str) -> Mapping[str, E]:
        """Return the entries of `kind` by id, in the order of their files' names."""
        return self.entries[kind.name][language]

    def only(self, kind: Kind[E], language: str) -> E:
        """Return the one entry of a kind that is a single file."""
        entry: E = self.entries[kind.name][language][kind.name]
        return entry


class _File(NamedTuple):
    """A file found: the entry's id, its language (None: the original), its folder, and its source."""

    entry: str
    language: str | None
    folder: str
    source: Source


class Loader:
    """Loads one content folder. `problems` and `missing` (language, path, address) tell what it met.

    `roots` are the other folders, by the names that kinds give them; one that is not there holds nothing. What a file
    says was done after `today` is a problem.
    """

    def __init__(
        self,
        root: Path,
        kinds: tuple[Kind[Any], ...],
        roots: Mapping[str, Path] | None = None,
        today: date | None = None,
    ) -> None:
        self.root = root
        self.today = today
        self.roots = roots or {}
        self.kinds = kinds
        self.problems: list[Problem] = []
        self.missing: list[tuple[str, str, At]] = []
        self.files = 0
        self.pack_source: Source | None = None
        self.trees: dict[str, dict[str, dict[str, Tree]]] = {}
        self._sources: dict[tuple[str, str, str | None], Source] = {}
        self._folders: dict[tuple[str, str], str] = {}
        self._unread: dict[str, set[str]] = {kind.name: set() for kind in kinds}

    def load_pack(self) -> Pack:
        """Return `pack.yaml`. Raises `ContentError`, because without it nothing else can be judged."""
        if not self.root.is_dir():
            fix = "set HEARSAY_CONTENT to the pack's folder"
            raise ContentError([Problem(str(self.root), 1, 1, "there is no such folder", fix)])
        source = self.pack_source = self._read(self.root / "pack.yaml", self.root)
        if source is None:
            raise ContentError(self.problems)
        try:
            return Pack.model_validate(source.tree)
        except ValidationError as error:
            raise ContentError(complain.problems(error, Pack, source)) from error

    def load(self, pack: Pack, commands: Mapping[str, str | None]) -> tuple[Library, Register]:
        """Return the library and what its entries can be referred to by; `problems` says whether it is sound.

        `commands` are those that a link may name; the kinds' own are added.
        """
        original, *others = pack.languages
        self.trees = {kind.name: self._load_kind(kind, original, others) for kind in self.kinds}
        entries = {kind.name: self._validate(kind, self.trees[kind.name], original) for kind in self.kinds}
        register = self._register(self.trees, original, commands)
        self._check_references(register, self.trees, original)
        self._check_distinct(original)
        return Library(pack, entries, dict(self._folders)), register

    def pairs(self, language: str) -> Iterator[Pair]:
        """Yield what is to be translated with its translation into `language`, as they were read."""
        kinds = {kind.name: kind for kind in self.kinds if kind.translated}
        for (name, entry, code), source in self._sources.items():
            if code is None and name in kinds:
                kind = kinds[name]
                path = self._beside(kind, source)
                short = path.relative_to(self._root(kind) or self.root).as_posix()
                shown = f"{kind.root}/{short}" if kind.root else short
                words = self._sources.get((name, entry, language))
                beside = path.with_suffix(f".{language}.yaml")
                yield Pair(shown, name, entry, language, kind.model, source, words, beside)

    def _beside(self, kind: Kind[Any], source: Source) -> Path:
        """Return the path of a file by its name for people."""
        return (self._root(kind) or self.root).parent / source.path

    def texts(self, original: str) -> dict[tuple[str, str, str], str]:
        """Return every file's text as it stood when it was read, by kind, entry and language."""
        pack = {("pack", "pack", ""): self.pack_source.text} if self.pack_source else {}
        own = {(kind, entry, code or original): found.text for (kind, entry, code), found in self._sources.items()}
        return pack | own

    def _read(self, path: Path, root: Path) -> Source | None:
        self.files += 1
        found = read(path, self._name(path, root))
        if isinstance(found, Problem):
            self.problems.append(found)
            return None
        return found

    def _name(self, path: Path, root: Path) -> str:
        return path.relative_to(root.parent).as_posix()

    def _root(self, kind: Kind[Any]) -> Path | None:
        return self.roots.get(kind.root) if kind.root else self.root

    def _load_kind(self, kind: Kind[Any], original: str, others: list[str]) -> dict[str, dict[str, Tree]]:
        """Return language → id → tree, translations laid over their originals."""
        paths = self._paths(kind)
        if kind.is_single and self.root / kind.place not in paths:
            name = self._name(self.root / kind.place, self.root)
            self.problems.append(Problem(name, 1, 1, "is missing", "write it; every pack needs it"))
        files = [file for path in paths if (file := self._open(kind, path, others))]
        originals = self._originals(kind, files)
        trees: dict[str, dict[str, Tree]] = {original: {entry: file.source.tree for entry, file in originals.items()}}
        for language in others:
            words = {file.entry: file for file in files if file.language == language}
            trees[language] = self._lay(kind, language, originals, words)
        return trees

    def _originals(self, kind: Kind[Any], files: list[_File]) -> dict[str, _File]:
        originals: dict[str, _File] = {}
        for file in files:
            if file.language is not None:
                continue
            if file.entry in originals:
                what = f"there is already a {kind.name} called '{file.entry}'"
                self.problems.append(Problem(file.source.path, 1, 1, what, "give one of them another name"))
                continue
            originals[file.entry] = file
            self._sources[kind.name, file.entry, None] = file.source
            self._folders[kind.name, file.entry] = file.folder
        return originals

    def _lay(
        self, kind: Kind[Any], language: str, originals: dict[str, _File], words: dict[str, _File]
    ) -> dict[str, Tree]:
        for entry in words.keys() - originals.keys() - self._unread[kind.name]:
            name = Path(kind.place).name if kind.has_folders else f"{entry}.yaml"
            what, path = f"there is no original '{name}'", words[entry].source.path
            self.problems.append(Problem(path, 1, 1, what, "write that first, or rename"))
        trees: dict[str, Tree] = {}
        for entry, file in originals.items():
            if entry not in words:
                trees[entry] = file.source.tree
                if kind.translated:
                    self.missing.append((language, file.source.path, ()))
                continue
            source = words[entry].source
            self._sources[kind.name, entry, language] = source
            trees[entry] = translate.lay(file.source, source, kind.model, self.problems)
            gaps = translate.missing(file.source, source, kind.model)
            self.missing.extend((language, source.path, at) for at in gaps)
        return trees

    def _paths(self, kind: Kind[Any]) -> list[Path]:
        root = self._root(kind)
        if root is None:
            return []
        if not kind.place.endswith(".yaml"):
            return sorted(root.glob(f"{kind.place}/*.yaml"))
        stem = kind.place.removesuffix(".yaml")
        return [*sorted(root.glob(kind.place)), *sorted(root.glob(f"{stem}.*.yaml"))]

    def _open(self, kind: Kind[Any], path: Path, others: list[str]) -> _File | None:
        source = self._read(path, self._root(kind) or self.root)
        parts = _NAME.fullmatch(path.name)
        name = path.parent.name if kind.has_folders else parts["id"] if parts else ""
        if source is None:
            if parts and not parts["language"]:  # others may refer to it: one mistake is said once
                self._unread[kind.name].add(kind.name if kind.is_single else name)
            return None
        if not parts or not ID.fullmatch(name) or len(name) > kind.longest:
            example, of = ("my-entry", "folder") if kind.has_folders else ("my-entry.es.yaml", "file")
            fix = f"use lower-case words joined by hyphens, at most {kind.longest} characters: {example}"
            self.problems.append(Problem(source.path, 1, 1, f"the {of}'s name is not an id", fix))
            return None
        language = parts["language"]
        if language and language not in others:
            fix = f"add '{language}: …' under 'languages:' in pack.yaml, or rename the file"
            self.problems.append(Problem(source.path, 1, 1, f"'{language}' is not a language of the pack", fix))
            return None
        folder = str(path.parent) if kind.has_folders else path.parent.name if kind.is_themed else ""
        return _File(kind.name if kind.is_single else name, language, folder, source)

    def _validate(self, kind: Kind[Any], trees: dict[str, dict[str, Tree]], original: str) -> dict[str, dict[str, Any]]:
        entries: dict[str, dict[str, Any]] = {language: {} for language in trees}
        for language, by_id in trees.items():
            for entry, tree in by_id.items():
                own = self._sources.get((kind.name, entry, language))
                if language != original and own is None:
                    checked = entries[original].get(entry)
                else:
                    checked = self._check(kind, tree, *filter(None, (own, self._sources[kind.name, entry, None])))
                if checked is not None:
                    entries[language][entry] = checked
        return entries

    def _check(self, kind: Kind[Any], tree: Tree, *sources: Source) -> Any:
        for leaf in leaves(kind.model, tree):
            if sources[0].has(leaf.at):
                self._report(sources, prose_problems(leaf))
        try:
            entry = kind.model.model_validate(tree, context={"today": self.today})
        except ValidationError as error:
            self._note(complain.problems(error, kind.model, *sources))
            return None
        if kind.check:
            self._report(sources, kind.check(entry))
        return entry

    def _report(self, sources: tuple[Source, ...], found: Iterator[Found]) -> None:
        for at, what, fix in found:
            source = next((source for source in sources if source.has(at)), sources[0])
            self._note([source.problem(at, what, fix, key=bool(at) and source.has_parts(at))])

    def _note(self, problems: list[Problem]) -> None:
        """Keep problems once: what is wrong with the original would be said again of each translation."""
        self.problems.extend(problem for problem in problems if problem not in self.problems)

    def _register(
        self, trees: dict[str, dict[str, dict[str, Tree]]], original: str, commands: Mapping[str, str | None]
    ) -> Register:
        ids = {name: self._unread[name] | by_language[original].keys() for name, by_language in trees.items()}
        for kind in self.kinds:
            tree = trees[kind.name][original].get(kind.name)
            ids |= {name: named(tree, inner) for name, inner in kind.offers.items()}
        own = {kind.command: kind.name for kind in self.kinds if kind.command}
        return Register(ids, {**commands, **own})

    def _check_references(
        self, register: Register, trees: dict[str, dict[str, dict[str, Tree]]], original: str
    ) -> None:
        models = {kind.name: kind for kind in self.kinds}
        for (name, entry, language), source in self._sources.items():
            for leaf in leaves(models[name].model, trees[name][language or original][entry]):
                if source.has(leaf.at):
                    self._report((source,), register.problems(leaf))
                    self._report((source,), self._file_problems(leaf, self._folders[name, entry]))
            folder = self._folders[name, entry]
            if models[name].is_themed and language is None and folder not in register.ids["theme"]:
                fix = f"write themes/{folder}.yaml, or move the file: {did_you_mean(folder, register.ids['theme'])}"
                self.problems.append(source.problem((), f"its folder '{folder}' is not a theme", fix))

    def _check_distinct(self, original: str) -> None:
        """Complain of entries that nobody can tell apart in one language."""
        for kind in self.kinds:
            for language, by_id in self.trees[kind.name].items():
                for name in kind.distinct:
                    self._check_told_apart(kind, by_id, name, None if language == original else language)

    def _check_told_apart(self, kind: Kind[Any], by_id: Mapping[str, Tree], name: str, code: str | None) -> None:
        first: dict[str, str] = {}
        for entry, tree in by_id.items():
            value = tree.get(name) if isinstance(tree, dict) else None
            source = self._sources.get((kind.name, entry, code))
            other = first.setdefault(folded(value), entry) if isinstance(value, str) else entry
            if other != entry and source and source.has((name,)):
                what = f"the {kind.name} '{other}' has the same {name}"
                self._note([source.problem((name,), what, "say what tells the two apart")])

    def _file_problems(self, leaf: Leaf, folder: str) -> Iterator[Found]:
        if isinstance(leaf.mark, File) and ".." not in leaf.value and not Path(folder, leaf.value).is_file():
            yield leaf.at, f"there is no file '{leaf.value}'", "put it beside this one, or correct the name"


def stale(checked: date, today: date) -> bool:
    """Say whether a source was last opened more than a year ago."""
    return (today - checked).days > 365
