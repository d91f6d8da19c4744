"""What a term's file holds."""

from typing import Annotated

from pydantic import Field, StringConstraints

from bot.library.common import OwnProvenance
from bot.library.load import Kind
from bot.library.shape import Entry, Phrase, Ref, Text, Words

Name = Annotated[str, Words(), StringConstraints(min_length=1, max_length=60)]


class Term(Entry):
    """A word and what it means."""

    name: Name = Field(description="The term as it stands in a dictionary")
    aliases: list[Phrase] = Field([], description="Other words for it")
    forms: list[Phrase] = Field([], description="Inflections and other spellings")
    definition: Annotated[str, Words(most=45), StringConstraints(min_length=1)] = Field(
        description="What it means, in at most 45 words"
    )
    example: Text | None = Field(None, description="One sentence from daily life")
    instead: Text | None = Field(None, description="Which word to prefer, and why")
    related: list[Annotated[str, Ref("term")]] = Field([], description="Ids of related terms")
    names: dict[str, str] = Field({}, description="The word in languages that have no file yet")
    sources: list[Annotated[str, Ref("source")]] = Field(
        [], description="Ids of sources; none where it is general usage"
    )
    provenance: OwnProvenance = Field(description="Who wrote this file, and who has read it; each translation's own")


TERMS = Kind("term", "glossary", Term, command="term")
