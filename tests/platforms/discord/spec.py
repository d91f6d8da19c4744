"""Checks what is asked of Discord, and what our server answers, against Discord's own OpenAPI file."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

SHARED = Path(__file__).parents[3] / ".." / "shared" / "specs"
FILE = SHARED / "discord.openapi.json"
ABSENT = "Discord's OpenAPI file is not beside this checkout"

CONTENT, EMBEDS, ROWS, WIDTH, OPTIONS, CHOICES = 2000, 6000, 5, 5, 25, 25
CUSTOM_ID, LABEL, COMMAND = 100, 80, 8000
_ROW, _BUTTON, _SELECTS, _LINK = 1, 2, {3, 5, 6, 7, 8}, 5
_LAYOUT_FLAG = 1 << 15  # such a message has components of another kind, and no content
_COMMAND_NAME = re.compile(r"[-_'\w]{1,32}")
_BOOLEANS = {"0", "1", "true", "false", "True", "False"}
_CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"
_CREATE = ("POST", "/channels/{channel_id}/messages")
_FOLLOW_UP = ("POST", "/webhooks/{webhook_id}/{webhook_token}")
_MESSAGES = {
    _CREATE,
    _FOLLOW_UP,
    ("PATCH", "/channels/{channel_id}/messages/{message_id}"),
    ("PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/@original"),
    ("PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"),
}
_MORE_FIELDS = {  # what discord.py sends beyond the file, and Discord takes
    "RichEmbed": {"flags": {"type": "integer"}},
    "MessageEditRequestPartial": {"tts": {"type": "boolean"}},
    "IncomingWebhookUpdateRequestPartial": {"tts": {"type": "boolean"}},
    "IncomingWebhookUpdateForInteractionCallbackRequestPartial": {"tts": {"type": "boolean"}},
}
_MORE_FIELDS |= {f"ApplicationCommand{kind}Request": {"nsfw": {"type": "boolean"}} for kind in ("Create", "Update")}
_MORE_QUERY = {("PUT", "/guilds/{guild_id}/bans/{user_id}"): {"delete_message_seconds"}}


@dataclass(frozen=True)
class Operation:
    """One method of one path of the file."""

    method: str
    template: str
    pattern: re.Pattern[str]
    raw: Mapping[str, Any]
    parameters: tuple[Mapping[str, Any], ...]


class Api:
    """Discord's HTTP API as its own file describes it, with the limits that the file leaves out."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self._operations = sorted(_operations(raw), key=lambda operation: operation.template.count("{"))
        documents = {"asked": _tolerant(_closed(raw)), "answered": _closed(raw)}
        resources = [(f"{name}:", DRAFT202012.create_resource(text)) for name, text in documents.items()]
        self._registry: Registry[Any] = Registry().with_resources(resources)
        self._validators: dict[str, Draft202012Validator] = {}

    @staticmethod
    def load() -> "Api | None":
        """Return the file's API, None where the file is absent; where CI runs it must be there."""
        raw = _read()
        if raw is None and os.environ.get("CI") == "true":
            raise AssertionError(ABSENT)
        return None if raw is None else _api()

    def operation(self, method: str, path: str) -> Operation | None:
        """Return the operation that serves `path`, that with the fewest parameters first."""
        fitting = (known for known in self._operations if known.method == method and known.pattern.fullmatch(path))
        return next(fitting, None)

    def check_request(
        self, method: str, path: str, query: Mapping[str, str], body: Any, content_type: str = "application/json"
    ) -> list[str]:
        """Return whatever Discord, or we ourselves, would object to; `body` is parsed JSON (of `payload_json`)."""
        operation = self.operation(method, path)
        if operation is None:
            return [f"no such request: {method} {path}"]
        found = [*self._check_path(operation, path), *_check_query(operation, query)]
        found += self._check_body(operation, body, content_type)
        found = found or list(_check_rules(operation, body, content_type))  # rules may trust the types
        return [f"{method} {operation.template}: {what}" for what in found]

    def check_response(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """Return how the answer differs from what the file says Discord answers."""
        operation = self.operation(method, path)
        if operation is None:
            return [] if status == 404 else [f"an answer to no request: {method} {path}"]
        pointer, described = self._described(operation, status)
        if described is None:
            return [f"{method} {operation.template}: {status} is never answered"]
        if "content" not in described:
            return [] if body is None else [f"{method} {operation.template}: {status} has no body"]
        found = self._invalid("answered", f"{pointer}/content/application~1json/schema", body)
        return [f"answer {status} to {method} {operation.template}: {what}" for what in found]

    def _described(self, operation: Operation, status: int) -> tuple[str, Mapping[str, Any] | None]:
        answers = operation.raw["responses"]
        key = str(status) if str(status) in answers else f"{status // 100}XX"
        described = answers.get(key)
        if described and "$ref" in described:
            name = described["$ref"].rsplit("/", 1)[-1]
            return f"/components/responses/{name}", self._raw["components"]["responses"][name]
        return f"{_pointer(operation)}/responses/{key}", described

    def _check_path(self, operation: Operation, path: str) -> Iterator[str]:
        match = operation.pattern.fullmatch(path)
        for name, value in match.groupdict().items() if match else ():
            if name.endswith("_id") and not value.isdecimal():
                yield f"{name} is no snowflake: {value!r}"

    def _check_body(self, operation: Operation, body: Any, content_type: str) -> list[str]:
        described = operation.raw.get("requestBody")
        if described is None:
            return [] if body in (None, {}) else ["takes no body"]
        if body is None:
            return ["lacks its body"] if described.get("required") else []
        kind = content_type.partition(";")[0]
        if kind not in described["content"]:
            return [f"does not take {content_type}"]
        content = described["content"].get("application/json", {}).get("schema", {})
        return self._invalid("asked", self._branch(operation, content, body), body)

    def _branch(self, operation: Operation, schema: Mapping[str, Any], body: Any) -> str:
        """Point at the schema of a body; of a callback, at that of its type."""
        whole = f"{_pointer(operation)}/requestBody/content/application~1json/schema"
        if operation.template != _CALLBACK or not isinstance(body, dict):
            return whole
        for branch in schema["anyOf"]:
            name = branch["$ref"].rsplit("/", 1)[-1]
            kinds = self._raw["components"]["schemas"][name]["properties"]["type"]["enum"]
            if body.get("type") in kinds:
                return f"/components/schemas/{name}"
        return whole

    def _invalid(self, document: str, pointer: str, value: Any) -> list[str]:
        target = f"{document}:#{pointer}"
        if target not in self._validators:
            self._validators[target] = Draft202012Validator({"$ref": target}, registry=self._registry)
        return [_explain(error) for error in self._validators[target].iter_errors(value)]


@cache
def _api() -> Api:
    return Api(_read())


@cache
def _read() -> Any:
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else None


def _operations(raw: Mapping[str, Any]) -> Iterator[Operation]:
    for template, methods in raw["paths"].items():
        pattern = re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template)))
        shared = methods.get("parameters", [])
        for method, operation in methods.items():
            if method != "parameters":
                parameters = (*shared, *operation.get("parameters", []))
                yield Operation(method.upper(), template, pattern, operation, parameters)


def _pointer(operation: Operation) -> str:
    """Return the JSON pointer to an operation, fit for the fragment of a URI."""
    path = operation.template.replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
    return f"/paths/{path}/{operation.method.lower()}"


def _closed(raw: Mapping[str, Any]) -> Any:
    """Return the file such that every unknown field is an error."""
    strict = _strict(raw)
    schemas = strict["components"]["schemas"]
    for name in set(_parts(schemas)):
        schemas[name].pop("additionalProperties", None)
    return strict


def _parts(node: Any) -> Iterator[str]:
    """Yield the names of schemas that others are composed of."""
    if isinstance(node, dict):
        for part in node["allOf"] if isinstance(node.get("allOf"), list) else ():
            if "$ref" in part:
                yield part["$ref"].rsplit("/", 1)[-1]
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _parts(child)


def _strict(node: Any, *, part: bool = False) -> Any:
    """Return a schema whose objects take no field that it does not name; a part of a whole may not say so alone."""
    if isinstance(node, list):
        return [_strict(child) for child in node]
    if not isinstance(node, dict):
        return node
    strict = {key: _strict_parts(child) if key == "allOf" else _strict(child) for key, child in node.items()}
    composed = isinstance(node.get("allOf"), list)
    if node.get("type") == "object" and (composed or isinstance(node.get("properties"), dict)) and not part:
        strict.setdefault("additionalProperties" if not composed else "unevaluatedProperties", False)
    return strict


def _strict_parts(parts: Any) -> Any:
    return [_strict(part, part=True) for part in parts] if isinstance(parts, list) else _strict(parts)


def _tolerant(strict: Any) -> Any:
    """Take what discord.py sends although the file has it differently."""
    schemas = strict["components"]["schemas"]
    schemas["SnowflakeType"] = {"anyOf": [schemas["SnowflakeType"], {"type": "integer", "minimum": 0}]}
    for name, fields in _MORE_FIELDS.items():
        schemas[name]["properties"] |= fields
    return strict


def _explain(error: ValidationError) -> str:
    """Say what is wrong where it is wrong, in the branch that is meant."""
    while error.context:
        branches: dict[Any, list[ValidationError]] = {}
        for inner in error.context:
            branches.setdefault(inner.schema_path[0], []).append(inner)
        meant = [errors for errors in branches.values() if not any(map(_mistyped, errors))]
        error = min(meant or branches.values(), key=len)[0]
    place = "/".join(str(step) for step in error.absolute_path)
    return f"{place or 'body'}: {error.message[-300:]}"


def _mistyped(error: ValidationError) -> bool:
    """Tell whether another branch is meant: one of another `type`, or one for null."""
    return list(error.relative_path) == ["type"] or (not error.relative_path and error.validator == "type")


def _check_query(operation: Operation, query: Mapping[str, str]) -> Iterator[str]:
    known = {parameter["name"]: parameter for parameter in operation.parameters if parameter["in"] == "query"}
    more = _MORE_QUERY.get((operation.method, operation.template), set())
    for name, parameter in known.items():
        if parameter.get("required") and name not in query:
            yield f"lacks the query {name}"
    for name, value in query.items():
        if name not in known:
            if name not in more:
                yield f"knows no query {name}"
        elif known[name]["schema"].get("type") == "boolean" and value not in _BOOLEANS:
            yield f"query {name} is no boolean: {value!r}"
        elif known[name]["schema"].get("type") == "integer" and not value.lstrip("-").isdecimal():
            yield f"query {name} is no number: {value!r}"


def _check_rules(operation: Operation, body: Any, content_type: str) -> Iterator[str]:
    """Yield what the file does not say, but Discord's documentation or our own promises do."""
    key = operation.method, operation.template
    if operation.template.endswith("/commands") and operation.method in ("PUT", "POST"):
        for command in body if isinstance(body, list) else [body]:
            yield from _check_command(command)
    if not isinstance(body, dict):
        return
    if operation.template == _CALLBACK:
        yield from _check_callback(body, content_type)
    elif key in _MESSAGES:
        yield from _check_message(body)
    if key in (_CREATE, _FOLLOW_UP) and not content_type.startswith("multipart") and _is_empty(body):
        yield "an empty message"
    if key == _CREATE and not (body.get("nonce") and body.get("enforce_nonce") is True):
        yield "lacks a nonce that is enforced"


def _check_callback(body: Mapping[str, Any], content_type: str) -> Iterator[str]:
    data = body.get("data") or {}
    if body.get("type") == 4 and not content_type.startswith("multipart") and _is_empty(data):
        yield "an empty message"
    if body.get("type") in (4, 7) and isinstance(data, dict):
        yield from _check_message(data)
    if body.get("type") == 8 and len(data.get("choices") or ()) > CHOICES:
        yield f"more than {CHOICES} choices"
    if body.get("type") == 9 and len(data.get("components") or ()) > ROWS:
        yield f"more than {ROWS} rows in a modal"


def _is_empty(body: Mapping[str, Any]) -> bool:
    return not any(body.get(part) for part in ("content", "embeds", "components", "sticker_ids", "poll"))


def _check_message(body: Mapping[str, Any]) -> Iterator[str]:
    if len(body.get("content") or "") > CONTENT:
        yield f"content of more than {CONTENT} characters"
    if sum(_embed_length(embed) for embed in body.get("embeds") or ()) > EMBEDS:
        yield f"embeds of more than {EMBEDS} characters"
    mentions = body.get("allowed_mentions")
    if not isinstance(mentions, dict) or mentions.get("parse") != []:
        yield "allowed_mentions lacks `parse: []`"
    if not (body.get("flags") or 0) & _LAYOUT_FLAG:
        yield from _check_rows(body.get("components") or ())


def _embed_length(embed: Mapping[str, Any]) -> int:
    texts = [embed.get("title"), embed.get("description")]
    texts += [(embed.get("footer") or {}).get("text"), (embed.get("author") or {}).get("name")]
    texts += [field.get(part) for field in embed.get("fields") or () for part in ("name", "value")]
    return sum(len(text or "") for text in texts)


def _check_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    rows = list(rows)
    if len(rows) > ROWS:
        yield f"more than {ROWS} rows"
    for row in rows:
        yield from _check_row(row)
    names = [item.get("custom_id") for row in rows for item in row.get("components") or ()]
    named = [name for name in names if name]
    if len(named) != len(set(named)):
        yield "a custom_id stands twice"


def _check_row(row: Mapping[str, Any]) -> Iterator[str]:
    items = row.get("components") or ()
    if row.get("type") != _ROW:
        yield "a component outside of a row"
    if len(items) > WIDTH or (len(items) > 1 and any(item.get("type") in _SELECTS for item in items)):
        yield f"a row is too full: {WIDTH} buttons or one select"
    for item in items:
        yield from _check_item(item)


def _check_item(item: Mapping[str, Any]) -> Iterator[str]:
    if len(item.get("custom_id") or "") > CUSTOM_ID:
        yield f"custom_id of more than {CUSTOM_ID} characters"
    if len(item.get("options") or ()) > OPTIONS:
        yield f"more than {OPTIONS} options"
    if item.get("type") != _BUTTON:
        return
    if len(item.get("label") or "") > LABEL:
        yield f"label of more than {LABEL} characters"
    if not (item.get("label") or item.get("emoji")):
        yield "a button without label and emoji"
    if bool(item.get("url")) == bool(item.get("custom_id")) or bool(item.get("url")) != (item.get("style") == _LINK):
        yield "a button has either a url and the style of a link, or a custom_id"


def _check_command(command: Any) -> Iterator[str]:
    if not isinstance(command, dict) or (command.get("type") or 1) != 1:
        return
    if not command.get("description"):
        yield "a slash command without description"
    yield from _check_named(command)
    if _command_length(command) > COMMAND:
        yield f"a command of more than {COMMAND} characters"


def _check_named(named: Mapping[str, Any]) -> Iterator[str]:
    names = [named.get("name") or "", *(named.get("name_localizations") or {}).values()]
    for name in names:
        if not _COMMAND_NAME.fullmatch(name) or name != name.lower():
            yield f"not a command's name: {name!r}"
    options = named.get("options") or ()
    needed = [bool(option.get("required")) for option in options]
    if needed != sorted(needed, reverse=True):
        yield "a required option stands after one that is not"
    for option in options:
        yield from _check_named(option)


def _command_length(named: Mapping[str, Any]) -> int:
    """Count as Discord does: of each text only its longest translation."""
    own = sum(
        max(len(text) for text in (named.get(field) or "", *(named.get(f"{field}_localizations") or {}).values()))
        for field in ("name", "description")
    )
    chosen = sum(len(choice["name"]) + len(str(choice["value"])) for choice in named.get("choices") or ())
    return own + chosen + sum(_command_length(option) for option in named.get("options") or ())
