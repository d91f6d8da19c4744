"""How much may be left for the city: a few rumours a day from one conversation, so many a minute from all."""

from typing import Literal

A_DAY = 5
A_MINUTE = 60

Enough = Literal["today", "now"]


def enough(today: int, minute: int) -> Enough | None:
    """Return which limit is reached by `today` of one conversation, or by `minute` of all; None where there is room."""
    if today >= A_DAY:
        return "today"
    return "now" if minute >= A_MINUTE else None
