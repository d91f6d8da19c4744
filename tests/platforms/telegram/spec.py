"""Judges requests and updates by a description of the Bot API and by aiogram's models: neither is ours."""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

import aiogram.methods
from aiogram.client.default import Default
from aiogram.types import BufferedInputFile, Update
from pydantic import BaseModel, ValidationError

SPEC = Path(__file__).parents[3] / ".." / "shared" / "specs" / "telegram-bot-api.api.json"
NEWER = {"can_send_welcome_messages"}  # aiogram's models are of Bot API 10.3, the description is of 10.1
Json = dict[str, Any]

_LENGTH = re.compile(r"\b(\d+)-(\d+) (characters|bytes)", re.IGNORECASE)
_RANGE = re.compile(r"(?:between|,|;) (\d+)-(\d+)\b(?! characters| bytes)")
_COUNT = re.compile(r"(?:list of|include) (\d+)-(\d+) ")
_MOST = re.compile(r"(?:At most|No more than) (\d+) ")
_ONE_OF = re.compile(r'(?:must be|must be one of|must be either|can be|can be either|always|one of) "', re.IGNORECASE)
_CONSTANT = re.compile(r", must be (\w+)$")
_QUOTED = re.compile(r'"([^"]+)"')
_SECRET = re.compile(r"[A-Za-z0-9_-]+")
_COMMAND = re.compile(r"[a-z0-9_]+")
_ACTION = re.compile(r"\b(?:typing|choose_sticker|find_location|(?:upload|record)_[a-z_]+)\b")
_ATTACHED = "attach://"
_SCALARS: dict[str, Callable[[Any], bool]] = {
    "String": lambda value: isinstance(value, str),
    "Integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "Float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "Boolean": lambda value: isinstance(value, bool),
}
_BUTTON_KINDS = {"url", "callback_data", "web_app", "login_url", "copy_text", "callback_game", "pay"} | {
    f"switch_inline_query{where}" for where in ("", "_current_chat", "_chosen_chat")
}
_NEEDS = {"text_link": "url", "text_mention": "user", "custom_emoji": "custom_emoji_id"}


@dataclass(frozen=True)
class Upload:
    """A file that came with a request."""

    name: str
    filename: str
    data: bytes


class BotApi:
    """What the Bot API allows; without its description, only what aiogram and our own rules know."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._known = bool(spec)
        self._methods: dict[str, Json] = {name: _by_name(it) for name, it in spec.get("methods", {}).items()}
        self._types: dict[str, Json] = {name: _by_name(it) for name, it in spec.get("types", {}).items()}
        self._subtypes = {name: it["subtypes"] for name, it in spec.get("types", {}).items() if it.get("subtypes")}
        self._returns = {name: it["returns"] for name, it in spec.get("methods", {}).items()}

    @classmethod
    def load(cls) -> "BotApi | None":
        """Return what the description beside the checkout says; None where there is none."""
        return _load()

    def knows(self, method: str) -> bool:
        """Return whether the Bot API has `method`."""
        return method in self._methods if self._known else _model(method) is not None

    def decode(self, method: str, fields: Mapping[str, Any]) -> Json:
        """Return form `fields` as the values they stand for."""
        return {name: self._decoded(method, name, value) for name, value in fields.items()}

    def check_request(
        self, method: str, fields: Mapping[str, Any], files: Mapping[str, Upload] | None = None
    ) -> list[str]:
        """Return what is wrong with a request; `files` are those it attaches."""
        if not self.knows(method):
            return [f"{method}: no such method"]
        values = self.decode(method, fields)
        found = self._object(method, self._methods[method], values) if self._known else []
        return [
            *found,
            *_own_rules(method, values),
            *_attachments(method, values, files or {}),
            *_aiogram_request(method, values, files or {}),
        ]

    def check_update(self, update: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with an update."""
        found = self._object("Update", self._types["Update"], update) if self._known else []
        if len(update) != 2:
            found.append(f"Update: {sorted(update)} is not an id and one more")
        found += [wrong for where, value in _objects("Update", update) for wrong in _entities(where, value)]
        return found + _aiogram_complaints("Update", Update, update)

    def check_result(self, method: str, result: Any) -> list[str]:
        """Return what is wrong with what a server answers to `method`."""
        if not self._known or method not in self._returns:
            return []
        return self._any(f"answer to {method}", self._returns[method], result)

    def _decoded(self, method: str, name: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        types = self._methods.get(method, {}).get(name, {"types": ["String"]})["types"] if self._known else None
        if types is None:
            types = _aiogram_types(method, name)
        return value if types == ["String"] else _unpacked(value, loose="String" in types)

    def _object(self, where: str, wanted: Mapping[str, Json], value: Mapping[str, Any]) -> list[str]:
        found = [f"{where}.{name}: unknown" for name in value if name not in wanted]
        found += [f"{where}.{name}: missing" for name, it in wanted.items() if it["required"] and name not in value]
        for name, held in value.items():
            if name in wanted:
                found += self._field(f"{where}.{name}", wanted[name], held)
        return found

    def _field(self, where: str, wanted: Json, value: Any) -> list[str]:
        return self._any(where, wanted["types"], value) or _by_prose(where, wanted, value)

    def _any(self, where: str, types: Sequence[str], value: Any) -> list[str]:
        """Return nothing if `value` is of any of the `types`, else what is wrong with it as the nearest of them."""
        nearest: list[str] | None = None
        for kind in types:
            found = self._as(where, kind, value)
            if not found:
                return []
            if nearest is None or len(found) < len(nearest):
                nearest = found
        return nearest or []

    def _as(self, where: str, kind: str, value: Any) -> list[str]:
        if kind.startswith("Array of "):
            return self._array(where, kind.removeprefix("Array of "), value)
        if kind in _SCALARS:
            return [] if _SCALARS[kind](value) else [f"{where}: {value!r:.60} is not {kind}"]
        if kind == "InputFile":
            return [] if isinstance(value, Upload) else [f"{where}: not a file"]
        if kind in self._subtypes:
            return self._any(where, self._subtypes[kind], value)
        if not isinstance(value, dict):
            return [f"{where}: {value!r:.60} is not {kind}"]
        return self._object(f"{where}:{kind}", self._types[kind], value)

    def _array(self, where: str, kind: str, value: Any) -> list[str]:
        if not isinstance(value, list):
            return [f"{where}: {value!r:.60} is not an array"]
        return [wrong for number, item in enumerate(value) for wrong in self._as(f"{where}[{number}]", kind, item)]


def units(text: str) -> int:
    """Return the length of `text` as Telegram counts it: in UTF-16 units."""
    return len(text) + sum(char > "\uffff" for char in text)


def must_have_spec() -> bool:
    """Return whether this run may not do without the description."""
    return os.environ.get("CI", "").lower() == "true"


@cache
def _load() -> BotApi | None:
    return BotApi(json.loads(SPEC.read_text("utf-8"))) if SPEC.exists() else None


def _by_name(described: Json) -> Json:
    return {field["name"]: field for field in described.get("fields", [])}


def _unpacked(value: str, *, loose: bool) -> Any:
    """Return JSON as its value; text as it is, where numbers and objects may be meant but text is allowed too."""
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return value if loose and isinstance(found, str | float | bool | None) else found


def _by_prose(where: str, wanted: Json, value: Any) -> list[str]:
    """Return where a value breaks what only the description's words say."""
    said = wanted["description"]
    if isinstance(value, str):
        return [*_length(where, said, value), *_choice(where, wanted, value)]
    if isinstance(value, list):
        return _size(where, said, value)
    limits = _RANGE.search(said) if wanted["types"][0] in ("Integer", "Float") else None
    if limits and not int(limits[1]) <= value <= int(limits[2]):
        return [f"{where}: {value} is not {limits[1]}-{limits[2]}"]
    return []


def _length(where: str, said: str, value: str) -> list[str]:
    limits = _LENGTH.search(said)
    if not limits:
        return []
    length = len(value.encode("utf-8", "surrogatepass")) if limits[3].lower() == "bytes" else units(value)
    return [] if int(limits[1]) <= length <= int(limits[2]) else [f"{where}: length {length} is not {limits[0]}"]


def _choice(where: str, wanted: Json, value: str) -> list[str]:
    said = wanted["description"]
    constant = _CONSTANT.search(said)
    allowed = [constant[1]] if constant else _QUOTED.findall(said) if _ONE_OF.search(said) else []
    if "String" in wanted["types"] and len(wanted["types"]) == 1 and allowed and value not in allowed:
        return [f"{where}: {value!r} is none of {allowed}"]
    return []


def _size(where: str, said: str, value: Sequence[Any]) -> list[str]:
    limits, most = _COUNT.search(said), _MOST.search(said)
    low, high = (int(limits[1]), int(limits[2])) if limits else (0, int(most[1]) if most else len(value))
    return [] if low <= len(value) <= high else [f"{where}: {len(value)} items are not {low}-{high}"]


def _objects(where: str, value: Any) -> Iterator[tuple[str, Json]]:
    """Walk through every object in `value`, the outermost first."""
    if isinstance(value, dict):
        yield where, value
        for name, inner in value.items():
            yield from _objects(f"{where}.{name}", inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _objects(f"{where}[{number}]", inner)


def _own_rules(method: str, values: Json) -> list[str]:
    """Return where a request breaks what stands in no description: alphabets, entities, kinds of buttons."""
    found: list[str] = []
    if not _SECRET.fullmatch(str(values.get("secret_token", "_"))):
        found.append(f"{method}.secret_token: a character that is not allowed")
    if method == "sendChatAction" and not _ACTION.fullmatch(str(values.get("action"))):
        found.append(f"{method}.action: {values.get('action')!r} is no action")
    if method == "answerInlineQuery" and len(values.get("results", [])) > 50:
        found.append(f"{method}.results: more than 50")
    for where, value in _objects(method, values):
        found += [f"{where}.{name}: entities are to be used" for name in value if name.endswith("parse_mode")]
        found += _entities(where, value) + _button(where, value)
        if "description" in value and not _COMMAND.fullmatch(str(value.get("command", "_"))):
            found.append(f"{where}.command: a character that is not allowed")
    return found


def _entities(where: str, value: Json) -> list[str]:
    """Return which entities in `value` do not lie within their text, or cut a character."""
    found: list[str] = []
    for name, entities in value.items():
        if name == "entities" or name.endswith("_entities"):
            text = _text_of(value, name)
            for entity in entities if isinstance(entities, list) else []:
                found += [f"{where}.{name}: {wrong}" for wrong in _entity(text, entity)]
    return found


def _text_of(value: Json, name: str) -> str:
    names = (name.removesuffix("_entities"),) if name != "entities" else ("text", "message_text")
    return next((value[it] for it in names if isinstance(value.get(it), str)), "")


def _entity(text: str, entity: Any) -> list[str]:
    try:
        start, length, kind = int(entity["offset"]), int(entity["length"]), entity["type"]
    except (TypeError, KeyError, ValueError):
        return [f"{entity!r:.80} is no entity"]
    found = []
    edges = _edges(text)
    if length < 1 or start < 0 or start + length > max(edges):
        found.append(f"{kind} {start}+{length} is outside of the {max(edges)} units of its text")
    elif start not in edges or start + length not in edges:
        found.append(f"{kind} {start}+{length} cuts a surrogate pair")
    if (needed := _NEEDS.get(kind)) and not entity.get(needed):
        found.append(f"{kind} without {needed}")
    return found


def _edges(text: str) -> set[int]:
    """Return the places between the characters of `text`, in UTF-16 units."""
    place, edges = 0, {0}
    for char in text:
        place += units(char)
        edges.add(place)
    return edges


def _button(where: str, value: Json) -> list[str]:
    rows = value.get("inline_keyboard")
    if not isinstance(rows, list):
        return []
    found: list[str] = []
    for row in rows:
        for button in row if isinstance(row, list) else []:
            kinds = _BUTTON_KINDS & set(button) if isinstance(button, dict) else set()
            if len(kinds) != 1:
                found.append(f"{where}: a button needs exactly one kind, this has {sorted(kinds)}")
            elif not button.get("text"):
                found.append(f"{where}: a button without text")
    return found


def _attachments(method: str, values: Json, files: Mapping[str, Upload]) -> list[str]:
    """Return which files are named but not sent, and which are sent but not named."""
    named = {
        held.removeprefix(_ATTACHED)
        for _, value in _objects(method, values)
        for held in value.values()
        if isinstance(held, str) and held.startswith(_ATTACHED)
    }
    used = {value.name for value in values.values() if isinstance(value, Upload)}
    missing = [f"{method}: nothing is attached as {name!r}" for name in named - set(files)]
    return missing + [f"{method}: the file {name!r} is used nowhere" for name in set(files) - named - used]


def _model(method: str) -> type[BaseModel] | None:
    found = getattr(aiogram.methods, method[:1].upper() + method[1:], None)
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def _aiogram_types(method: str, name: str) -> list[str]:
    """Return what a parameter may be as far as aiogram tells: text only, or text and more."""
    model = _model(method)
    known = model.model_fields.get(name) if model else None
    kinds = set(get_args(known.annotation) or [known.annotation]) if known else {str}
    other = kinds - {str, Default, type(None)}
    return ["Other", *(["String"] if str in kinds else [])] if other else ["String"]


def _aiogram_request(method: str, values: Json, files: Mapping[str, Upload]) -> list[str]:
    model = _model(method)
    if model is None:
        return []
    found = [f"{method}.{name}: unknown to aiogram" for name in values if name not in model.model_fields]
    return found + _aiogram_complaints(method, model, _with_files(values, files))


def _with_files(value: Any, files: Mapping[str, Upload]) -> Any:
    if isinstance(value, Upload):
        return BufferedInputFile(value.data, value.filename)
    if isinstance(value, dict):
        return {name: _with_files(inner, files) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_files(inner, files) for inner in value]
    if isinstance(value, str) and (sent := files.get(value.removeprefix(_ATTACHED))) and value.startswith(_ATTACHED):
        return BufferedInputFile(sent.data, sent.filename)
    return value


def _aiogram_complaints(where: str, model: type[BaseModel], value: Mapping[str, Any]) -> list[str]:
    try:
        model.model_validate(value)
    except ValidationError as error:
        found = [it for it in error.errors(include_url=False, include_context=False) if not _newer(it)]
        return [f"{where}.{'.'.join(map(str, it['loc']))}: aiogram: {it['msg']}" for it in found[:1]]
    return []


def _newer(complaint: Mapping[str, Any]) -> bool:
    return complaint["type"] == "missing" and complaint["loc"][-1] in NEWER
