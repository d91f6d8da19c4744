"""Every original with its translation, cut into the texts that a translator meets one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, StringConstraints

from bot.library.plurals import FORMS, counted
from bot.library.shape import Words, chosen, field_type, leaves, unwrap
from bot.library.source import At, Source, Tree

PHRASES = "phrases"


class NoTextError(ValueError):
    """What a translator wrote is not of the original's shape; the message says why, after "; " how to mend it."""


@dataclass(frozen=True)
class Pair:
    """An original, its translation (None where there is no file), and where that lies or would lie.

    `kind` is the name of the kind, or `phrases`, which have no model; `entry` the id. `name` is the original's in
    any pack: `glossary/bias.yaml`.
    """

    name: str
    kind: str
    entry: str
    language: str
    model: Any
    original: Source
    words: Source | None
    path: Path

    @property
    def words_name(self) -> str:
        """The translation's name for people."""
        return f"{self.original.path.rpartition('/')[0]}/{self.path.name}"


@dataclass(frozen=True)
class Unit:
    """One text to translate: `original` has one form, or of a phrase that counts two; `words` none, one, or all forms.

    `said` is what the translation says now, as it stands in its file. A list is one unit, an item a line.
    """

    pair: Pair
    at: At
    mark: Words
    original: tuple[str, ...]
    words: tuple[str, ...]
    said: Tree | None = None

    @property
    def address(self) -> str:
        """Where it stands in its file: `facts.wages.say`."""
        return ".".join(map(str, self.at))

    @property
    def name(self) -> str:
        """What it is called among all texts: `rumours/work/jobs.yaml:facts.wages.say`."""
        return f"{self.pair.name}:{self.address}"

    @property
    def is_list(self) -> bool:
        """Whether it is a list, an item a line."""
        return isinstance(part(self.pair.original.tree, self.at), list)

    @property
    def follows(self) -> bool:
        """Whether the translation should change when the original does: ways of saying a rumour are each language's."""
        return not (self.is_list and self.mark.typed)

    def value(self, words: Sequence[str]) -> Tree:
        """Return `words`, as `words` holds them, as they are to stand in the file. Raises `NoTextError`."""
        if self.pair.kind == PHRASES:
            return _phrase(words, self)
        base = part(self.pair.original.tree, self.at)
        return items(words[0], base) if isinstance(base, list) else words[0]


def units(pair: Pair) -> Iterator[Unit]:
    """Yield every text of a pair, in the original's order."""
    if pair.kind == PHRASES:
        yield from _phrases(pair)
        return
    seen: set[At] = set()
    for leaf in leaves(pair.model, pair.original.tree):
        at = list_of(leaf.at)
        if not isinstance(leaf.mark, Words) or at in seen:
            continue
        seen.add(at)
        value = part(pair.original.tree, at)
        said = part(pair.words.tree, at) if pair.words else None
        if text := lines(value):
            told = lines(said) if isinstance(said, type(value)) else ""
            yield Unit(pair, at, leaf.mark, (text,), (told,) if told else (), said)


def list_of(at: At) -> At:
    """Return the address of the list that `at` is in, or `at` itself: a list is translated as a whole."""
    first = next((position for position, name in enumerate(at) if isinstance(name, int)), len(at))
    return at[:first]


def part(tree: Any, at: At) -> Any:
    """Return what stands at `at`; None where nothing does."""
    for name in at:
        known = range(len(tree)) if isinstance(tree, list) else tree if isinstance(tree, dict) else ()
        if name not in known:
            return None
        tree = tree[name]
    return tree


# -------------------- lists as texts


def lines(value: Any) -> str:
    """Return a list as text, an item a line; a text as it is."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not value:
        return ""
    if all(isinstance(item, str) for item in value):
        return "\n".join(_indented(item) for item in value)
    if all(_is_keyed(item) for item in value):
        return "\n".join(_indented(f"{name}: {text}") for item in value for name, text in item.items())
    return str(yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=10_000)).rstrip("\n")


def items(text: str, base: list[Any]) -> list[Any]:
    """Return the list that `text` holds, in the shape of the original's `base`. Raises `NoTextError`."""
    if all(isinstance(item, str) for item in base):
        return [_plain(line) for line in _cut(text)]
    if all(_is_keyed(item) for item in base):
        return [_keyed(_plain(line)) for line in _cut(text)]
    try:
        found = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  # strings, lists and mappings only
    except yaml.YAMLError as error:
        raise NoTextError("is not YAML; keep the original's lines, and translate after the colons") from error
    if not isinstance(found, list):
        raise NoTextError("is not a list; keep the original's dashes")
    return found


def _is_keyed(item: Any) -> bool:
    return isinstance(item, dict) and len(item) == 1 and all(isinstance(text, str) for text in item.values())


def _indented(item: str) -> str:
    return item.replace("\n", "\n  ")


def _plain(line: str) -> str:
    return line.replace("\n  ", "\n").strip()


def _cut(text: str) -> list[str]:
    """Return the items: a line each, and the lines below it that begin with two spaces."""
    found: list[str] = []
    for line in text.split("\n"):
        if line.startswith("  ") and found:
            found[-1] += f"\n{line}"
        elif line.strip():
            found.append(line)
    return found


def _keyed(line: str) -> dict[str, str]:
    name, colon, text = line.partition(":")
    if not colon or not text.strip():
        raise NoTextError(f"'{line[:40]}' does not say who speaks; begin each line as the original does: 'them: …'")
    return {name.strip(): text.strip()}


# -------------------- phrases


def _phrases(pair: Pair) -> Iterator[Unit]:
    words = dict(phrases(pair.words.tree)) if pair.words else {}
    for at, value in phrases(pair.original.tree):
        said = words.get(at)
        counts = isinstance(value, dict) or isinstance(said, dict)
        original = (_form(value, "one"), _form(value, "other")) if counts else (str(value),)
        told: tuple[str, ...] = ()
        if said:
            told = tuple(_form(said, name) for name in counted(pair.language)) if counts else (str(said),)
        yield Unit(pair, at, Words(), original, told, said)


def phrases(tree: Tree, at: At = ()) -> Iterator[tuple[At, Tree]]:
    """Yield every phrase with its address; one that counts is a mapping of its forms."""
    if isinstance(tree, dict) and not (tree and tree.keys() <= {*FORMS}):
        for name, child in tree.items():
            yield from phrases(child, (*at, name))
    elif isinstance(tree, dict | str) and at:
        yield at, tree


def _form(value: Tree, name: str) -> str:
    return str(value.get(name, value.get("other", ""))) if isinstance(value, dict) else str(value)


def _phrase(words: Sequence[str], unit: Unit) -> Tree:
    if len(unit.original) == 1:
        return words[0]
    forms = dict(zip(counted(unit.pair.language), words, strict=True))
    return {**forms, "other": forms.get("other", words[-1])}


# -------------------- what the model says of a text


@dataclass(frozen=True)
class Field:
    """What is asked of a text: its description, its longest in characters (0: none is set)."""

    description: str = ""
    longest: int = 0


def field_of(unit: Unit) -> Field:
    """Return what the model says of the place at which a text stands."""
    kind, tree, description, longest = unit.pair.model, unit.pair.original.tree, "", 0
    for name in unit.at:
        kind = chosen(unwrap(kind)[0], tree)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found = kind.model_fields.get(str(name))
            description = (found and found.description) or description
            kind = field_type(kind, str(name))
        else:
            kind = get_args(kind)[-1] if get_args(kind) else None
        longest, tree = _longest(kind) or longest, part(tree, (name,))
    return Field(description, longest)


@cache
def _longest(kind: Any) -> int:
    if get_origin(kind) is list:
        return _longest(get_args(kind)[0])
    found = [data.max_length for data in _metadata(kind) if isinstance(data, StringConstraints) and data.max_length]
    inner, _ = unwrap(kind)
    return found[0] if found else _longest(get_args(inner)[0]) if get_origin(inner) is list else 0


def _metadata(kind: Any) -> Iterator[Any]:
    yield from getattr(kind, "__metadata__", ())
    for inner in get_args(kind):
        yield from getattr(inner, "__metadata__", ())
