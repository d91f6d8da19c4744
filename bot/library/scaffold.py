"""`hearsay new`: a commented file to fill in, from the model's own descriptions."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from bot.library.check import UNWRITTEN
from bot.library.load import ID, Kind
from bot.library.shape import unwrap


class NewEntryError(Exception):
    """The entry cannot be begun; the message says why."""


def write_new(root: Path, kind: Kind[Any], entry: str, folder: str | None) -> Path:
    """Write an empty entry of `kind` and return its file. Raises `NewEntryError`."""
    _check_id(kind, entry)
    place = root / _folder(root, kind, folder)
    path = place / f"{entry}.yaml"
    if next(root.glob(f"{kind.place}/{entry}.yaml"), None):
        raise NewEntryError(f"there is already a {kind.name} called '{entry}'")
    place.mkdir(parents=True, exist_ok=True)
    path.write_text(blank(kind, "../" * len(path.relative_to(root).parents[:-1])), encoding="utf-8")
    return path


def write_sample(root: Path, content: Path, kind: Kind[Any], entry: str) -> Path:
    """Write an entry that is a folder of its own, small but whole, and return its file. Raises `NewEntryError`."""
    _check_id(kind, entry)
    path = root / kind.place.replace("*", entry)
    if path.parent.exists():
        raise NewEntryError(f"there is already a {kind.name} called '{entry}'")
    path.parent.mkdir(parents=True)
    schema = Path(os.path.relpath(content / f"schema/{kind.name}.json", path.parent)).as_posix()
    sample = kind.sample.read_text(encoding="utf-8") if kind.sample else ""
    path.write_text(f"{_schema_line(schema)}\n{sample}", encoding="utf-8")
    return path


def _check_id(kind: Kind[Any], entry: str) -> None:
    if not ID.fullmatch(entry) or len(entry) > kind.longest:
        raise NewEntryError(f"'{entry}' is not an id: use lower-case words joined by hyphens, at most {kind.longest}")


def _schema_line(path: str) -> str:
    return f"# yaml-language-server: $schema={path}"


def _folder(root: Path, kind: Kind[Any], folder: str | None) -> str:
    if not kind.place.endswith("/*"):
        return kind.place
    place = kind.place.removesuffix("/*")
    themes = sorted(path.stem for path in (root / "themes").glob("*.yaml") if "." not in path.stem)
    if folder not in themes:
        raise NewEntryError(f"say which folder it belongs in: --theme {' | '.join(themes)}")
    return f"{place}/{folder}"


def blank(kind: Kind[Any], up: str) -> str:
    """Return the commented text of an empty entry; `up` leads from it to the content folder."""
    head = [_schema_line(f"{up}schema/{kind.name}.json")]
    return "\n".join([*head, *_fields(kind.model, "")]) + "\n"


def _fields(model: type[BaseModel], indent: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        annotation: Any = field.annotation
        inner, _ = unwrap(annotation)
        needed = "" if field.is_required() else " (may be left out)"
        if field.description:
            yield f"{indent}# {field.description}{needed}"
        mark = "" if field.is_required() else "# "
        yield from (f"{indent}{mark}{line}" for line in _value(name, inner))


def _value(name: str, inner: Any) -> Iterator[str]:
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        yield f"{name}:"
        yield from _fields(inner, "  ")
    elif get_origin(inner) is dict:
        yield f"{name}:"
        part, _ = unwrap(get_args(inner)[1])
        if isinstance(part, type) and issubclass(part, BaseModel):
            yield "  first:"
            yield from _fields(part, "    ")
    elif get_origin(inner) is list:
        yield f"{name}:"
        yield f"  - {UNWRITTEN}"
    else:
        yield f"{name}: {UNWRITTEN}"
