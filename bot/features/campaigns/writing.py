"""What is wrong with a text that somebody writes for a campaign, and where: stricter than files need to be. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from rapidfuzz import fuzz, process

from bot.features.campaigns.campaign import VALUES, Variant
from bot.library.template import template_problem

LONGEST: Mapping[Variant, int] = {"text": 600, "short": 280, "child": 400}
Why = Literal["empty", "long", "unknown", "braces", "computes", "unopened", "unclosed", "sober"]

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_LOOSE = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
_VALUE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_ASKS = re.compile(r"\{%-?\s*(if|elif)\s+(?:not\s+)?([A-Za-z_]\w*)\s*-?%\}")
_TURNS = re.compile(r"\{%-?\s*(else|endif)\s*-?%\}")
_LOUD = re.compile("[!¡\u2600-\u27bf\U0001f000-\U0001faff]")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, at which line and column, counted from 1; `values` is what the sentence about it names."""

    why: Why
    line: int = 1
    column: int = 1
    values: Mapping[str, str | int] = field(default_factory=dict)


def mistake(text: str, variant: Variant, *, sober: bool) -> Mistake | None:
    """Return the first thing that is wrong with a text for a variant, None where it can be said."""
    if not text.strip():
        return Mistake("empty")
    if len(text) > LONGEST[variant]:
        return _at(text, LONGEST[variant], "long", most=LONGEST[variant], count=len(text))
    if found := next(_in_tags(text), None):
        return found
    if sober and (loud := _LOUD.search(text)):
        return _at(text, loud.start(), "sober", mark=loud[0])
    return Mistake("computes") if template_problem(text, VALUES) else None  # nothing that we know of gets here


def _in_tags(text: str) -> Iterator[Mistake]:
    opened: list[int] = []
    last = 0
    for tag in _TAG.finditer(text):
        yield from _loose(text, last, tag.start())
        last = tag.end()
        yield from _tag(text, tag, opened)
    yield from _loose(text, last, len(text))
    if opened:
        yield _at(text, opened[-1], "unclosed")


def _loose(text: str, begin: int, end: int) -> Iterator[Mistake]:
    """Yield braces that open or close nothing."""
    if found := _LOOSE.search(text, begin, end):
        yield _at(text, found.start(), "braces", mark=found[0])


def _tag(text: str, tag: re.Match[str], opened: list[int]) -> Iterator[Mistake]:
    value, asks, turns = (form.fullmatch(tag[0]) for form in (_VALUE, _ASKS, _TURNS))
    named = value[1] if value else asks[2] if asks else None
    if not (value or asks or turns):
        yield _at(text, tag.start(), "computes")
    if named and named not in VALUES:
        near = process.extractOne(named, sorted(VALUES), scorer=fuzz.ratio)
        yield _at(text, tag.start(), "unknown", name=named, near=near[0])
    if not value and not (asks and asks[1] == "if") and not opened:
        yield _at(text, tag.start(), "unopened")
    if asks and asks[1] == "if":
        opened.append(tag.start())
    elif turns and turns[1] == "endif":
        opened.pop()


def _at(text: str, offset: int, why: Why, **values: str | int) -> Mistake:
    before = text[:offset]
    return Mistake(why, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1, values)
