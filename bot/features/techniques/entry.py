"""What a technique's file holds, and the situations of `/tip`."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from bot.library.check import Found
from bot.library.common import Fact, OwnProvenance, fact_problems
from bot.library.load import Kind
from bot.library.shape import Entry, Ref, Text, Title, Words


class Line(Entry):
    """One line of an example: what they say, what you say, or a note."""

    them: Text | None = None
    you: Text | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _one(self) -> "Line":
        if sum(part is not None for part in (self.them, self.you, self.note)) != 1:
            raise ValueError("a line is one of 'them:', 'you:' or 'note:'; write a line for each")
        return self


class Suits(Entry):
    """The situations a technique is for, by the ids of `situations.yaml`; an empty list means any."""

    who: list[Annotated[str, Ref("who", "situation")]] = []
    where: list[Annotated[str, Ref("where", "situation")]] = []
    feeling: list[Annotated[str, Ref("feeling", "situation")]] = []


class Technique(Entry):
    """A way of answering."""

    name: Title = Field(description="At most 34 characters")
    gist: Annotated[str, Words(most=14), StringConstraints(min_length=1)] = Field(
        description="The tip in one line of at most 14 words"
    )
    when: Text = Field(description="When to use it")
    steps: list[Text] = Field(min_length=2, max_length=6, description="Three to five short steps")
    example: list[Line] = Field(min_length=1, description="An exchange: lines of 'them:', 'you:' or 'note:'")
    pitfall: Text = Field(description="How it goes wrong")
    evidence: Fact | None = Field(None, description="What a study found")
    sources: list[Annotated[str, Ref("source")]] = Field([], description="Ids of sources")
    suits: Suits = Field(default_factory=Suits, description="Which situations it is for")
    safe: bool = Field(False, description="true where it may be offered when people's dignity is attacked")
    first: bool = Field(False, description="true for the one tip that is given before anything is known")
    provenance: OwnProvenance = Field(description="Who wrote this file, and who has read it; each translation's own")


class Situations(Entry):
    """The three quick questions of `/tip`: labels by id."""

    who: dict[str, Title]
    where: dict[str, Title]
    feeling: dict[str, Title]


def check(technique: Technique) -> Iterator[Found]:
    """Yield what no single field shows."""
    if technique.evidence:
        yield from fact_problems(technique.evidence, ("evidence",))


TECHNIQUES = Kind("technique", "techniques", Technique, check, command="technique")
SITUATIONS = Kind(
    "situations",
    "situations.yaml",
    Situations,
    offers={"who": "who", "where": "where", "feeling": "feeling"},
)
