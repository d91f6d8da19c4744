"""How a town plans its campaigns, as its pack says it; its coordinators may change it in the chat."""

from datetime import date, time
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from bot.library.shape import Entry

_HOURS = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"
FOCUS = "focus"
"""In place of a campaign's id: every day on which the towns act together."""


def _as_span(text: str) -> str:
    first, last = span(text)
    if last < first:
        raise ValueError(f"'{text}' ends before it begins; write 2026-12-23..2027-01-07")
    return text


def span(text: str) -> tuple[date, date]:
    """Return the first and the last day of `2026-12-23..2027-01-07`, or of one day. Raises `ValueError`."""
    first, _, last = text.partition("..")
    try:
        return date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        raise ValueError(f"'{text}' is no span of days; write 2026-12-23..2027-01-07") from None


Hours = Annotated[str, StringConstraints(pattern=_HOURS)]
Days = Annotated[str, AfterValidator(_as_span)]


class Planning(Entry):
    """`planning:` in a pack: what the town takes part in, when it is quiet, who approves."""

    join: list[str] = Field(["focus"], description="Ids of campaigns that it takes part in; focus means all focus days")
    quiet: Hours = Field("20:00-09:00", description="When nothing is sent, in the town's own time")
    holidays: list[Days] = Field([], description="School holidays, such as 2026-12-23..2027-01-07")
    two_approve: bool = Field(False, description="true: two people approve; whoever edited the text counts as one")
    any_language: bool = Field(
        False, description="true: who reads a language that a prompt lacks gets it in the town's first one"
    )

    @property
    def silent(self) -> tuple[time, time]:
        """When quiet hours begin and end."""
        first, last = self.quiet.split("-")
        return time.fromisoformat(first), time.fromisoformat(last)

    @property
    def free_days(self) -> tuple[tuple[date, date], ...]:
        """The first and last day of each of the school's holidays."""
        return tuple(span(text) for text in self.holidays)
