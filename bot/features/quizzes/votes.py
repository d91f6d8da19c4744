"""How a team decides together; pure, and nobody's vote is shown before."""

from collections import Counter
from collections.abc import Mapping
from typing import Literal

Mode = Literal["first", "majority", "captain"]


def decision(votes: Mapping[str, str], mode: Mode, here: int, captain: str | None = None) -> str | None:
    """Return what is decided by `votes` (voter → what they said, in the order they came), None while it is open.

    The first vote decides, or more than half of those `here`, or the `captain`. Once everybody has voted, the most
    votes decide, the earliest among equals. Without a captain the majority does.
    """
    if not votes:
        return None
    if mode == "first":
        return next(iter(votes.values()))
    if mode == "captain" and captain is not None:
        return votes.get(captain)
    (leading, count), *_ = Counter(votes.values()).most_common(1)  # among equals, whichever came first
    return leading if count * 2 > here or len(votes) >= here else None
