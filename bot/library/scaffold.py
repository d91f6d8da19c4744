"""`hearsay new`: a commented file to fill in, from the model's own descriptions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from bot.library.check import UNWRITTEN
from bot.library.load import ID, LONGEST_ID, Kind
from bot.library.shape import unwrap


class NewEntryError(Exception):
    """The entry cannot be begun; the message says why."""


def write_new(root: Path, kind: Kind[Any], entry: str, folder: str | None) -> Path:
    """Write an empty entry of `kind` and return its file. Raises `NewEntryError`."""
    if not ID.fullmatch(entry) or len(entry) > LONGEST_ID:
        raise NewEntryError(f"'{entry}' is not an id: use lower-case words joined by hyphens, at most {LONGEST_ID}")
    place = root / _folder(root, kind, folder)
    path = place / f"{entry}.yaml"
    if next(root.glob(f"{kind.place}/{entry}.yaml"), None):
        raise NewEntryError(f"there is already a {kind.name} called '{entry}'")
    place.mkdir(parents=True, exist_ok=True)
    path.write_text(blank(kind, "../" * len(path.relative_to(root).parents[:-1])), encoding="utf-8")
    return path


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
    head = [f"# yaml-language-server: $schema={up}schema/{kind.name}.json"]
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
