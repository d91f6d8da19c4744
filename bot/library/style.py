"""How a language is set: its quotation marks, its no-break spaces, its words for numbers."""

from typing import Annotated

from pydantic import Field, StringConstraints

from bot.library.load import Kind
from bot.library.shape import Entry

Pair = Annotated[str, StringConstraints(min_length=2, max_length=2)]
Number = Annotated[str, StringConstraints(pattern=r"^\d+$")]


class Style(Entry):
    """`style/<language>.yaml`: what `hearsay check` holds translations to; whatever is left out is not checked."""

    quotes: list[Pair] = Field(
        [], description="Pairs of quotation marks, the outer first, as CLDR has them: ['«»', '“”']"
    )
    spaced: str = Field(
        "", description="Signs with a no-break space before them: ';:!?»'; an opening quotation mark has one after it"
    )
    numbers: list[Annotated[str, StringConstraints(pattern=r"^\d+( \S+)+$")]] = Field(
        [], description="A number from three on and its words in all their forms, a line each: 20 twenty score"
    )
    own: list[Number] = Field([], description="Numbers that translations may say of their own: a country's helplines")


STYLE = Kind("style", "style", Style, translated=False)
