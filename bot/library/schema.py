"""JSON Schema for editors, from the same models that check the files."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bot.library.city import CityPack
from bot.library.load import Kind, Pack
from bot.library.shape import Own, field_type, has_words, unwrap

FOLDER = "schema"
_WHOLE = {"required", "minProperties"}
_LOOSER = {"oneOf": "anyOf"}
DRAFT = "http://json-schema.org/draft-07/schema#"  # the newest that YAML editors read


def write_schemas(root: Path, kinds: Iterable[Kind[Any]]) -> Iterator[Path]:
    """Write a schema for each kind, and one for its translations; yield the files written."""
    folder = root / FOLDER
    folder.mkdir(exist_ok=True)
    for name, schema in schemas(kinds):
        path = folder / f"{name}.json"
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        yield path


def schemas(kinds: Iterable[Kind[Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (name, schema): `rumour` for originals, `rumour.words` for translations, `pack`, `city` for pack.yaml."""
    yield "pack", {"$schema": DRAFT, **_draft7(Pack.model_json_schema())}
    yield "city", {"$schema": DRAFT, **_draft7(CityPack.model_json_schema())}
    for kind in kinds:
        whole = _draft7(kind.model.model_json_schema())
        yield kind.name, {"$schema": DRAFT, **whole}
        if kind.translated:
            model: Any = kind.model
            words = {name for name in model.model_fields if _is_translated(field_type(model, name))}
            yield f"{kind.name}.words", {"$schema": DRAFT, **_words_only(whole, words)}


def _is_translated(kind: Any) -> bool:
    return has_words(kind) or isinstance(unwrap(kind)[1], Own)


def _draft7(schema: Any) -> Any:
    """Return `schema` with the one keyword that draft 7 names otherwise."""
    text = json.dumps(schema).replace('"#/$defs/', '"#/definitions/').replace('"$defs":', '"definitions":')
    return json.loads(text)


def _words_only(schema: dict[str, Any], words: set[str]) -> dict[str, Any]:
    """Return a schema in which only words stand and nothing is required."""
    properties = {name: part for name, part in schema["properties"].items() if name in words}
    inner = {name: _optional(part) for name, part in schema.get("definitions", {}).items()}
    return _optional(schema) | {"properties": properties, "definitions": inner}


def _optional(schema: dict[str, Any]) -> dict[str, Any]:
    return {_LOOSER.get(name, name): _looser(part) for name, part in schema.items() if name not in _WHOLE}


def _looser(part: Any) -> Any:
    """Return what stands below a schema of words: a mapping may be a part, and nothing says of which kind it is."""
    if isinstance(part, list):
        return [_looser(child) for child in part]
    if not isinstance(part, dict):
        return part
    return {
        _LOOSER.get(name, name): _looser(child)
        for name, child in part.items()
        if not (name == "minProperties" and isinstance(child, int))
    }
