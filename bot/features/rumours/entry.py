"""What a rumour's file holds."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.library.check import Found
from bot.library.common import Fact, OwnProvenance, fact_problems
from bot.library.load import Kind
from bot.library.shape import Entry, Phrase, Ref, Text, Title, Words


class Local(Entry):
    """The town's own figure, as a fact in a city's pack; until then what is missing, and who has it."""

    need: Text = Field(description="The town's figure that is missing, as a noun phrase")
    who: Text = Field(description="Who has it")
    fact: Fact | None = Field(None, description="In a city's pack: the town's figure, with its year and source")


class Rumour(Entry):
    """A rumour and what helps against it. The claim and the ways of saying it are for matching and never shown."""

    name: Title = Field(description="A neutral title: what it is about, never what is claimed")
    claim: Phrase = Field(description="The rumour in one sentence, for editors and matching; never shown")
    heard_as: list[Phrase] = Field(
        min_length=6, description="At least six, better ten, ways people really say it; for matching only"
    )
    blocked: list[Phrase] = Field([], description="Dehumanising ways of saying it: recognised, never repeated")
    needs: list[str] = Field(
        [], description="Concepts of matching/ that stand for the group it is about: without one of them, never offered"
    )
    sensitivity: Literal["normal", "high"] = Field("normal", description="high where it attacks a group's dignity")
    contested: bool = Field(False, description="true where research disagrees")
    truth: Annotated[str, Words(most=25), StringConstraints(min_length=1)] = Field(
        description="The true sentence, first on the card: at most 25 words, no figure"
    )
    say: Annotated[str, Words(most=20), StringConstraints(min_length=1)] = Field(
        description="One sentence to say now, out loud: at most 20 words, no figure"
    )
    ask: list[Text] = Field(min_length=1, max_length=4, description="Short open questions, the best first")
    feeling: Text = Field(description="The feeling behind it, and what to do with it")
    kernel: Text = Field(description="What is true in it")
    facts: dict[str, Fact] = Field({}, description="Checked facts; the first is on the card")
    no_figure: Text | None = Field(None, description="Instead of facts: why there is none, and who would know")
    caution: Text = Field(description="What not to claim: limits, age, what differs")
    local: Local = Field(description="The town's own figure")
    support: Text | None = Field(None, description="Where help may be found, if somebody may be in danger")
    techniques: list[Annotated[str, Ref("technique")]] = Field(
        min_length=1, description="Ids of two to four techniques"
    )
    terms: list[Annotated[str, Ref("term")]] = Field([], description="Ids of one to four terms")
    provenance: OwnProvenance = Field(description="Who wrote this file, and who has read it; each translation's own")


def check(rumour: Rumour) -> Iterator[Found]:
    """Yield what no single field shows."""
    if not rumour.facts and not rumour.no_figure:
        yield (), "has neither 'facts' nor 'no_figure'", "give a fact with its source, or say why there is none"
    if rumour.facts and rumour.no_figure:
        yield ("no_figure",), "has both 'facts' and 'no_figure'", "keep one of them"
    for name, fact in rumour.facts.items():
        yield from fact_problems(fact, ("facts", name))
    if rumour.local.fact:
        yield from fact_problems(rumour.local.fact, ("local", "fact"))


RUMOURS = Kind("rumour", "rumours/*", Rumour, check, command="rumour", distinct=("name", "claim", "truth"))
