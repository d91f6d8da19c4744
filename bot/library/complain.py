"""Pydantic's complaints in words that a volunteer can act on."""

from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from bot.library.problem import Problem, did_you_mean, unknown
from bot.library.shape import field_type, members, unwrap
from bot.library.source import At, Source

_KEY = "[key]"
"""What pydantic adds to the address of a mapping's key."""


def problems(error: ValidationError, model: type[BaseModel], *sources: Source) -> list[Problem]:
    """Return one problem for each complaint, placed in the first of `sources` that holds the spot."""
    return [_problem(complaint, model, sources) for complaint in error.errors()]


def _problem(complaint: Any, model: type[BaseModel], sources: tuple[Source, ...]) -> Problem:
    at, holder = _place(complaint["loc"], model)
    if complaint["type"] == "union_tag_invalid":
        at = (*at, "kind")
    what, fix = _words(complaint, holder, at)
    is_missing = complaint["type"] in ("missing", "union_tag_not_found")
    spot = at[:-1] if complaint["type"] == "missing" else at
    source = next((source for source in sources if source.has(spot)), sources[-1])
    of_key = is_missing or complaint["type"] == "extra_forbidden" or _KEY in complaint["loc"]
    return source.problem(spot, what, fix, key=of_key)


def _place(loc: At, model: Any) -> tuple[At, Any]:
    """Return the address in the file, without what pydantic adds to it, and the kind of the part that holds its end."""
    at: list[str | int] = []
    kind, holder = model, model
    for part in loc:
        if part == _KEY:
            continue
        kind, _ = unwrap(kind)
        if part in (choice := members(kind)):
            kind = choice[str(part)]
            continue
        at.append(part)
        holder = kind
        kind = field_type(kind, str(part)) if _is_model(kind) else get_args(kind)[-1] if get_args(kind) else None
    return tuple(at), kind if members(unwrap(kind)[0]) else holder


def _words(complaint: Any, holder: Any, at: At) -> tuple[str, str]:
    """Return what is wrong and how to mend it."""
    name = next((part for part in reversed(at) if isinstance(part, str)), "this file")
    value, extra = complaint["input"], complaint.get("ctx", {})
    shown = f"'{value}'" if isinstance(value, str) and len(value) < 60 else "this"
    if complaint["type"] == "extra_forbidden":
        return unknown(str(name), value, holder.model_fields)
    if complaint["type"].startswith("union_tag"):
        return _unknown_kind(complaint, holder)
    if complaint["type"] == "string_pattern_mismatch":
        return f"{shown} does not fit '{name}'", _pattern_fix(extra["pattern"])
    kind = next((kind for kind in _SAID if complaint["type"].startswith(kind)), None)
    if kind is None:
        what, _, fix = str(complaint["msg"]).removeprefix("Value error, ").partition("; ")
        return what, fix or "compare it with a file of the same kind that is sound"
    what, fix = _SAID[kind]
    size = len(value) if isinstance(value, str) else extra.get("actual_length")
    facts = {"most": extra.get("max_length"), "least": extra.get("min_length"), "expected": extra.get("expected")}
    return what.format(name=name, shown=shown, size=size), fix.format(name=name, **facts)


# The beginning of pydantic's error type → what is wrong, how to mend it.
_SAID = {
    "missing": ("'{name}' is missing", "add '{name}:'"),
    "literal_error": ("{shown} is not one of the words for '{name}'", "use {expected}"),
    "int_": ("'{name}' should be a whole number, not {shown}", "write digits, for example 20"),
    "date_": ("'{name}' should be a day, not {shown}", "write year-month-day, for example 2026-11-20"),
    "bool_": ("'{name}' should be true or false, not {shown}", "write true or false"),
    "string_too_long": ("'{name}' is {size} characters long", "use at most {most}"),
    "string_too_short": ("'{name}' is empty", "write it, or remove the line"),
    "string_type": ("'{name}' should be text", "write it on one line; in double quotes if it has a colon and a space"),
    "too_short": ("'{name}' has {size}", "give at least {least}"),
    "too_long": ("'{name}' has {size}", "give at most {most}"),
    "list_type": ("'{name}' should be a list", "write [one, two], or a line for each with '- ' before it"),
    "dict_type": ("'{name}' should have parts of its own", "write 'key: value' lines, indented by two spaces"),
    "model_": ("'{name}' should have parts of its own", "write 'key: value' lines, indented by two spaces"),
}


def _pattern_fix(pattern: str) -> str:
    if pattern.startswith("^https"):
        return "write an address that begins with https://"
    if pattern.startswith("^images"):
        return "write a name such as images/desk.png"
    if "year" in pattern:
        return "write a number (129 or 30.7), or a year (year 1856)"
    return "write a year (2010), years (2006-2018) or a month (2024-07)"


def _unknown_kind(complaint: Any, union: Any) -> tuple[str, str]:
    choice = members(unwrap(union)[0])
    use = f"use {', '.join(map(repr, choice))}"
    if complaint["type"] == "union_tag_not_found":
        return "'kind' is missing", f"add 'kind:'; {use}"
    family = next(iter(choice.values())).__mro__[1].__name__.lower()  # what all the models it chooses from are
    wrong = str(complaint["ctx"]["tag"])
    near = did_you_mean(wrong, choice)
    return f"'{wrong}' is not a {family} kind", f"{use}; {near}" if near.startswith("did") else use


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
