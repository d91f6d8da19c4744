"""Content that several features read: themes, sources, facts."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.library.check import Found
from bot.library.figures import Figure, Year, places
from bot.library.load import Kind
from bot.library.problem import did_you_mean
from bot.library.shape import Entry, Own, Ref, Title, Words
from bot.library.source import At


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
    """Who wrote a file, and who has read it since; a translation says it of itself."""

    status: Literal["draft", "read", "native-read"] = Field(
        description="draft: read by nobody else yet; read: by somebody else; native-read: by one who grew up with it"
    )
    drafted: Literal["people", "machine"] = Field(description="Who wrote the first version: people or machine")
    read_by: Annotated[str, StringConstraints(min_length=1, max_length=80)] | None = Field(
        None, description="Who read it: a role or an organisation rather than a name"
    )
    read_on: date | None = Field(None, description="The day it was read, for example 2026-11-20")


OwnProvenance = Annotated[Provenance, Own()]
"""The provenance of the very file it stands in."""


THEMES = Kind("theme", "themes", Theme, command="rumours")
SOURCES = Kind("sources", "sources.yaml", Register, translated=False, offers={"source": "sources"})
KINDS = (THEMES, SOURCES)
