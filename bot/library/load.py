"""Load every content file, check all references at once, collect every problem."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import Field, ValidationError

from bot.core import markup
from bot.library import complain, translate
from bot.library.problem import ContentError, Problem, did_you_mean
from bot.library.shape import Entry, Leaf, Ref, Words, leaves
from bot.library.source import At, Source, Tree, read

E = TypeVar("E", bound=Entry)
Found = tuple[At, str, str]
"""A problem before it has a place: address, what, fix."""

ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_ID = 30
_NAME = re.compile(r"(?P<id>[^.]+)(\.(?P<language>[a-z]{2,3}))?\.yaml")
_PLACE = re.compile(r"\{\w+\}")
_LINK_TARGET = re.compile(r"\]\([^)]*\)")


class Pack(Entry):
    """`pack.yaml`: what the pack is called, its languages by their own names (the first is the original), its zone."""

    name: str = Field(description="What this installation calls itself")
    languages: dict[str, str] = Field(
        description="Language codes with the languages' own names; the first is the original"
    )
    zone: str = Field(description="Time zone, for example Europe/Madrid")


@dataclass(frozen=True)
class Kind(Generic[E]):
    """A sort of entry: its name, where its files lie, its model, what else to check of one, the command that shows it.

    `place` is a folder (`glossary`, one file an entry), a folder of folders (`rumours/*`), or one file
    (`situations.yaml`), whose only entry is then called like the kind.
    """

    name: str
    place: str
    model: type[E]
    check: Callable[[E], Iterator[Found]] | None = None
    command: str | None = None
    translated: bool = True


@dataclass(frozen=True)
class Library:
    """Every sound entry, in every language of the pack, a missing translation filled from the original."""

    pack: Pack
    entries: Mapping[str, Mapping[str, Mapping[str, Any]]]
    written: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    folders: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def all(self, kind: Kind[E], language: str) -> Mapping[str, E]:
        """Return the entries of `kind` by id, in the order of their files' names."""
        return self.entries[kind.name][language]

    def only(self, kind: Kind[E], language: str) -> E:
        """Return the one entry of a kind that is a single file."""
        entry: E = self.entries[kind.name][language][kind.name]
        return entry

    def has_words(self, kind: Kind[E], entry: str, language: str) -> bool:
        """Say whether the entry has a file of its own in `language`."""
        return language in self.written.get(kind.name, {}).get(entry, frozenset())


class _File(NamedTuple):
    """A file found: the entry's id, its language (None: the original), its folder, and its source."""

    entry: str
    language: str | None
    folder: str
    source: Source


class Loader:
    """Loads one content folder. `problems` and `missing` (language, path, address) tell what it met."""

    def __init__(self, root: Path, kinds: tuple[Kind[Any], ...]) -> None:
        self.root = root
        self.kinds = kinds
        self.problems: list[Problem] = []
        self.missing: list[tuple[str, str, At]] = []
        self.files = 0
        self._sources: dict[tuple[str, str, str | None], Source] = {}
        self._folders: dict[tuple[str, str], str] = {}

    def load(self) -> Library:
        """Return the library. Raises `ContentError` with every problem of every file."""
        pack = self._load_pack()
        original, *others = pack.languages
        found = {kind.name: self._load_kind(kind, original, others) for kind in self.kinds}
        trees = {kind.name: trees for kind, trees in zip(self.kinds, found.values(), strict=True)}
        entries = {kind.name: self._validate(kind, trees[kind.name], original) for kind in self.kinds}
        self._check_references(trees, original)
        if self.problems:
            raise ContentError(self.problems)
        written = {
            kind.name: {
                entry: frozenset(self._languages(kind, entry, original)) for entry in trees[kind.name][original]
            }
            for kind in self.kinds
        }
        return Library(pack, entries, written, dict(self._folders))

    def _load_pack(self) -> Pack:
        if not self.root.is_dir():
            place = str(self.root)
            raise ContentError(
                [Problem(place, 1, 1, "there is no such folder", "set HEARSAY_CONTENT to the pack's folder")]
            )
        source = self._read(self.root / "pack.yaml")
        if source is None:
            raise ContentError(self.problems)
        try:
            return Pack.model_validate(source.tree)
        except ValidationError as error:
            raise ContentError([*self.problems, *complain.problems(error, Pack, source)]) from error

    def _read(self, path: Path) -> Source | None:
        self.files += 1
        found = read(path, path.relative_to(self.root.parent).as_posix())
        if isinstance(found, Problem):
            self.problems.append(found)
            return None
        return found

    def _load_kind(self, kind: Kind[Any], original: str, others: list[str]) -> dict[str, dict[str, Tree]]:
        """Return language → id → tree, translations laid over their originals."""
        files = [file for path in self._paths(kind) if (file := self._open(kind, path, others))]
        originals = {file.entry: file for file in files if file.language is None}
        trees: dict[str, dict[str, Tree]] = {original: {entry: file.source.tree for entry, file in originals.items()}}
        for file in originals.values():
            self._sources[kind.name, file.entry, None] = file.source
            self._folders[kind.name, file.entry] = file.folder
        for language in others:
            words = {file.entry: file for file in files if file.language == language}
            trees[language] = self._lay(kind, language, originals, words)
        return trees

    def _lay(
        self, kind: Kind[Any], language: str, originals: dict[str, _File], words: dict[str, _File]
    ) -> dict[str, Tree]:
        for entry in words.keys() - originals.keys():
            path = words[entry].source.path
            self.problems.append(
                Problem(path, 1, 1, f"there is no original '{entry}.yaml'", "write that first, or rename")
            )
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
        if kind.place.endswith(".yaml"):
            stem = kind.place.removesuffix(".yaml")
            return [*self.root.glob(kind.place), *sorted(self.root.glob(f"{stem}.*.yaml"))]
        return sorted(self.root.glob(f"{kind.place}/*.yaml"))

    def _open(self, kind: Kind[Any], path: Path, others: list[str]) -> _File | None:
        source = self._read(path)
        named = _NAME.fullmatch(path.name)
        if source is None:
            return None
        if not named or not ID.fullmatch(named["id"]) or len(named["id"]) > LONGEST_ID:
            fix = f"use lower-case words joined by hyphens, at most {LONGEST_ID} characters: my-entry.es.yaml"
            self.problems.append(Problem(source.path, 1, 1, "the file's name is not an id", fix))
            return None
        language = named["language"]
        if language and language not in others:
            fix = f"add '{language}: …' under 'languages:' in pack.yaml, or rename the file"
            self.problems.append(Problem(source.path, 1, 1, f"'{language}' is not a language of the pack", fix))
            return None
        entry = kind.name if kind.place.endswith(".yaml") else named["id"]
        folder = path.parent.name if kind.place.endswith("/*") else ""
        return _File(entry, language, folder, source)

    def _languages(self, kind: Kind[Any], entry: str, original: str) -> Iterator[str]:
        return (language or original for name, of, language in self._sources if (name, of) == (kind.name, entry))

    def _validate(self, kind: Kind[Any], trees: dict[str, dict[str, Tree]], original: str) -> dict[str, dict[str, Any]]:
        entries: dict[str, dict[str, Any]] = {}
        for language, by_id in trees.items():
            entries[language] = {}
            for entry, tree in by_id.items():
                own = self._sources.get((kind.name, entry, language))
                if language != original and own is None:
                    if entry in entries[original]:
                        entries[language][entry] = entries[original][entry]
                    continue
                checked = self._check(kind, tree, *filter(None, (own, self._sources[kind.name, entry, None])))
                if checked is not None:
                    entries[language][entry] = checked
        return entries

    def _check(self, kind: Kind[Any], tree: Tree, *sources: Source) -> Any:
        try:
            entry = kind.model.model_validate(tree)
        except ValidationError as error:
            new = [p for p in complain.problems(error, kind.model, *sources) if p not in self.problems]
            self.problems.extend(new)
            return None
        for leaf in leaves(kind.model, tree):
            if sources[0].has(leaf.at):
                self._report(sources, prose_problems(leaf))
        if kind.check:
            self._report(sources, kind.check(entry))
        return entry

    def _report(self, sources: tuple[Source, ...], found: Iterator[Found]) -> None:
        for at, what, fix in found:
            source = next((source for source in sources if source.has(at)), sources[0])
            problem = source.problem(at, what, fix)
            if problem not in self.problems:
                self.problems.append(problem)

    def _check_references(self, trees: dict[str, dict[str, dict[str, Tree]]], original: str) -> None:
        ids = {name: set(by_language[original]) for name, by_language in trees.items()}
        ids["source"] = {name for tree in trees["sources"][original].values() for name in _register(tree)}
        commands = {kind.command: kind.name for kind in self.kinds if kind.command}
        for (name, entry, language), source in self._sources.items():
            kind = next(kind for kind in self.kinds if kind.name == name)
            for leaf in leaves(kind.model, source.tree):
                if isinstance(leaf.mark, Ref) and language is None and leaf.value not in ids[leaf.mark.kind]:
                    what = f"no {leaf.mark.kind} is called '{leaf.value}'"
                    self.problems.append(source.problem(leaf.at, what, did_you_mean(leaf.value, ids[leaf.mark.kind])))
                elif isinstance(leaf.mark, Words) and "](" in leaf.value:
                    self._report((source,), link_problems(leaf, commands, ids))
            if (name, entry) in self._folders and kind.place.endswith("/*") and language is None:
                self._check_folder(source, self._folders[name, entry], ids)

    def _check_folder(self, source: Source, folder: str, ids: dict[str, set[str]]) -> None:
        if folder not in ids["theme"]:
            fix = did_you_mean(folder, ids["theme"]) or f"write themes/{folder}.yaml"
            self.problems.append(source.problem((), f"its folder '{folder}' is not a theme", fix))


def _register(tree: Tree) -> Tree:
    return tree.get("sources", {}) if isinstance(tree, dict) else {}


def prose_problems(leaf: Leaf) -> Iterator[Found]:
    """Yield what is wrong with a piece of prose: digits, length, something unfinished."""
    if not isinstance(leaf.mark, Words):
        return
    prose = _LINK_TARGET.sub("]", _PLACE.sub("", leaf.value))
    if not leaf.mark.digits and any(character.isdigit() for character in prose):
        yield leaf.at, "a number stands in the sentence", "put it under 'figures:' and take it by name: {share}"
    words = len(leaf.value.split())
    if leaf.mark.most and words > leaf.mark.most:
        yield leaf.at, f"is {words} words long", f"say it in at most {leaf.mark.most}"
    if not leaf.mark.digits and "TODO" in leaf.value:
        yield leaf.at, "is not written yet", "write it, or remove the line"


def link_problems(leaf: Leaf, commands: dict[str, str], ids: dict[str, set[str]]) -> Iterator[Found]:
    """Yield links to commands that lead nowhere."""
    for target in markup.links(leaf.value):
        if not target.startswith("/"):
            continue
        command, _, argument = target[1:].partition(" ")
        if command not in commands:
            yield leaf.at, f"no command is called '/{command}'", did_you_mean(command, commands)
        elif argument and argument not in ids[commands[command]]:
            yield (
                leaf.at,
                f"no {commands[command]} is called '{argument}'",
                did_you_mean(argument, ids[commands[command]]),
            )


def stale(checked: date, today: date) -> bool:
    """Say whether a source was last opened more than a year ago."""
    return (today - checked).days > 365
