"""What happens in a play: ids and counts for whoever words them, never words."""

from dataclasses import dataclass
from typing import Literal

# How a puzzle went: at the first try, after a hint that costs, after talking (a later try), not; or no puzzle.
Outcome = Literal["first", "hint", "talk", "unsolved", "fork"]


@dataclass(frozen=True, slots=True)
class RoomEntered:
    """A room is entered; `again` where one comes back to it."""

    room: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class PuzzleAsked:
    """A puzzle is asked; `again` where it was left open before; `seconds` is the time for it."""

    room: str
    puzzle: str
    seconds: int | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Picked:
    """Something was picked or taken back; `picked` is what is picked now (pairs flat: this, that, this …)."""

    room: str
    puzzle: str
    option: str | None
    picked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """What was said is no answer to this puzzle; it costs nothing."""

    room: str
    puzzle: str


@dataclass(frozen=True, slots=True)
class AnswerRight:
    """It is right; `option` says which, where something was chosen."""

    room: str
    puzzle: str
    option: str | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class AnswerWrong:
    """It is wrong: `left` tries remain (None: any number), `fits` of `of` were right; `again` cost no try."""

    room: str
    puzzle: str
    option: str | None
    left: int | None
    fits: int | None = None
    of: int | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class AnswerNear:
    """It is nearly right; `solved` where it was the last try, and so counts."""

    room: str
    puzzle: str
    option: str | None
    left: int | None
    fits: int | None = None
    of: int | None = None
    solved: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class WayTaken:
    """An option was chosen that leads elsewhere and is neither right nor wrong."""

    room: str
    puzzle: str
    option: str


@dataclass(frozen=True, slots=True)
class HintGiven:
    """Hint `number` from 1 is given, `left` remain; `free` says that it costs nothing, `again` that it was there."""

    room: str
    puzzle: str
    number: int
    left: int
    free: bool
    again: bool = False


@dataclass(frozen=True, slots=True)
class NoHint:
    """There is none for this puzzle."""

    room: str
    puzzle: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """The puzzle was given up."""

    room: str
    puzzle: str


@dataclass(frozen=True, slots=True)
class TriesUsed:
    """That was the last try for this puzzle."""

    room: str
    puzzle: str


@dataclass(frozen=True, slots=True)
class TimeUp:
    """The time for this puzzle is over."""

    room: str
    puzzle: str


@dataclass(frozen=True, slots=True)
class KeyGiven:
    """The key of a room is found."""

    room: str


@dataclass(frozen=True, slots=True)
class LeakRose:
    """The leak meter rose by `by` to `level` of `full`."""

    by: int
    level: int
    full: int


@dataclass(frozen=True, slots=True)
class Paused:
    """The clock stands still."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The clock goes on; `seconds` were not counted."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NotNow:
    """Nothing was done, because the play is paused, in its debrief, closed, or not what it was said to."""

    why: Literal["paused", "running", "playing", "debrief", "closed"]


@dataclass(frozen=True, slots=True)
class EndingReached:
    """The game is over; None where a host ended it."""

    ending: str | None


@dataclass(frozen=True, slots=True)
class DebriefAsked:
    """Question `number` of `of` of the debrief is asked."""

    step: str
    number: int
    of: int


@dataclass(frozen=True, slots=True)
class Closed:
    """The last question is over, and the play with it."""


Event = (
    RoomEntered
    | PuzzleAsked
    | Picked
    | NotUnderstood
    | AnswerRight
    | AnswerWrong
    | AnswerNear
    | WayTaken
    | HintGiven
    | NoHint
    | Skipped
    | TriesUsed
    | TimeUp
    | KeyGiven
    | LeakRose
    | Paused
    | Resumed
    | NotNow
    | EndingReached
    | DebriefAsked
    | Closed
)
Events = tuple[Event, ...]
