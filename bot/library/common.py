"""Content that several features read: themes, sources, facts."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError, ValidationInfo, field_validator, model_validator

from bot.core.markup import escape
from bot.library.check import Found
from bot.library.figures import Figure, Year, draw_day, places
from bot.library.load import Kind
from bot.library.problem import did_you_mean
from bot.library.shape import Entry, Own, Ref, Title, Words
from bot.library.source import At, Tree


class Theme(Entry):
    """A neutral heading under which rumours are browsed."""

    name: Title = Field(description="A neutral heading, at most 34 characters")


class Citation(Entry):
    """Where a figure or a method was read. `via`: the original, a mirror of it, or a press report about it."""

    title: Annotated[str, StringConstraints(min_length=1)] = Field(description="The work's title, in its own language")
    by: str | None = Field(None, description="Author or institution")
    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")] = Field(description="Where it can be read")
    via: Literal["original", "mirror", "press"] = Field(description="How it was read: original, mirror or press")
    checked: date = Field(description="The day somebody last opened it, for example 2026-11-20")


class Register(Entry):
    """`sources.yaml`: every source by its id."""

    sources: dict[str, Citation] = Field(description="Sources by id")


class Fact(Entry):
    """One checked fact; its figures stand once and are taken by name."""

    say: Annotated[str, Words(most=35, figures=True), StringConstraints(min_length=1, max_length=400)] = Field(
        description="The fact in at most 35 words, figures by name: 'Across {estimates} estimates …'"
    )
    figures: dict[str, Figure] = Field({}, description="The numbers by name, for example {estimates: 129}")
    where: Annotated[str, Words(), StringConstraints(min_length=1, max_length=80)] = Field(
        description="The place that the fact is about"
    )
    year: Year = Field(description="When the data are from: 2010, 2006-2018 or 2024-07")
    source: Annotated[str, Ref("source")] = Field(description="The id of a source in sources.yaml")


def fact_problems(fact: Fact, at: At) -> Iterator[Found]:
    """Yield figures that the sentence takes and does not have, or has and does not take."""
    taken, given = places(fact.say), fact.figures.keys()
    for name in sorted(taken - given):
        yield (*at, "say"), f"no figure is called '{name}'", did_you_mean(name, given) or "write it under 'figures:'"
    for name in sorted(given - taken):
        yield (*at, "say"), f"the figure '{name}' is not used", f"write {{{name}}} where it belongs"


class Provenance(Entry):
    """Who wrote a file, and who has read it since; a translation says it of itself.

    Validated with a `today` in its context, it refuses a reading that is still to come.
    """

    status: Literal["draft", "read", "native-read"] = Field(
        description="draft: read by nobody else yet; read: by somebody else; native-read: by one who grew up with it"
    )
    drafted: Literal["people", "machine"] = Field(description="Who wrote the first version: people or machine")
    read_by: Annotated[str, StringConstraints(min_length=1, max_length=80)] | None = Field(
        None, description="Who read it: a role or an organisation rather than a name"
    )
    read_on: date | None = Field(None, description="The day it was read, for example 2026-11-20")

    @field_validator("read_on")
    @classmethod
    def _is_over(cls, day: date | None, info: ValidationInfo) -> date | None:
        today = (info.context or {}).get("today")
        if day and today and day > today:
            raise ValueError(f"'read_on' is still to come on {today}; write the day on which it was read")
        return day

    @model_validator(mode="after")
    def _as_it_was(self) -> "Provenance":
        if self.status == "draft" and (self.read_by or self.read_on):
            raise ValueError("a draft was read by nobody; say 'status: read', or leave out 'read_by' and 'read_on'")
        if self.status != "draft" and not (self.read_by and self.read_on):
            raise ValueError("who read it and when is missing; add 'read_by' and 'read_on', or say 'status: draft'")
        return self


OwnProvenance = Annotated[Provenance, Own()]
"""The provenance of the very file it stands in."""


PROVENANCE = "provenance"
"""What the field is called in every model that has it."""

_STATUSES = ("draft", "read", "native-read")


def lesser(one: Tree | None, other: Tree, today: date | None) -> Tree:
    """Return which of two provenances claims less, `other` where they claim the same or it is not sound."""
    try:
        own = Provenance.model_validate(other, context={"today": today})
        known = Provenance.model_validate(one)
    except ValidationError:
        return other
    return one if one and _STATUSES.index(known.status) < _STATUSES.index(own.status) else other


def provenance_line(say: Callable[..., str], provenance: Provenance, language: str, what: str) -> str:
    """Return in plain words how `what`, the phrase for the card or text, came about, and who has read it."""
    kind = f"{provenance.status}_{provenance.drafted}".replace("-", "_")
    if not provenance.read_on:
        return say(f"provenance.{kind}", what=what)
    day = draw_day(provenance.read_on, language)
    return say(f"provenance.{kind}", what=what, who=escape(provenance.read_by or ""), day=day)


THEMES = Kind("theme", "themes", Theme, command="rumours")
SOURCES = Kind("sources", "sources.yaml", Register, translated=False, offers={"source": "sources"})
KINDS = (THEMES, SOURCES)
