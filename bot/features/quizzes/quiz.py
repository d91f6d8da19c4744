"""What a quiz's file holds."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, WithJsonSchema

from bot.features.quizzes.puzzles import AnyPuzzle
from bot.features.quizzes.puzzles.puzzle import Ground, Id, Picture, Said
from bot.library.common import OwnProvenance
from bot.library.figures import Figure
from bot.library.shape import Entry, Title, Words
from bot.library.source import At

ESCAPED, LATE, LEAKED = "escaped", "late", "leaked"
STEPS = ("happened", "sure", "hurt", "met", "next", "word")  # what every debrief asks


class Meter(Entry):
    """The leak meter: it rises when the rumour gets out."""

    name: Title = Field(description="What the meter is called")
    full: int = Field(ge=1, le=99, description="At this many the game ends with 'leaked'")
    text: Said = Field(description="A plain sentence said when it rises")


class Trick(Entry):
    """A trick that `spot` asks for."""

    name: Title = Field(description="What the button says")
    about: Said = Field(description="What the trick is")


class Cut(Entry):
    """A shorter way of playing, for a host to choose."""

    name: Title = Field(description="What it is called")
    minutes: int = Field(ge=1, le=240, description="Of play")
    without: list[str] = Field(min_length=1, description="Puzzles left out, as room.puzzle")
    limit: int | None = Field(None, ge=60, description="Seconds of play; else the quiz's limit in proportion")


class Key(Entry):
    """What a room gives when it is left: a letter or digit for a puzzle of kind meta."""

    value: Annotated[
        str,
        Words(typed=True),
        StringConstraints(min_length=1, max_length=20),
        WithJsonSchema({"type": ["string", "number"], "minLength": 1, "maxLength": 20}),
    ] = Field(description="The letter, word or number")
    text: Said = Field(description="How it is found")


class Room(Entry):
    """A place with puzzles, which leads to another or to an ending."""

    name: Title = Field(description="What the room is called")
    text: Said = Field(description="What one sees on entering")
    image: Picture | None = Field(None, description="A picture")
    puzzles: dict[Id, AnyPuzzle] = Field({}, description="Puzzles by id, in order")
    key: Key | None = Field(None, description="Given when the room is done")
    then: Id | None = Field(None, description="The room or ending that it leads to")


class Ending(Entry):
    """How it ends."""

    name: Title = Field(description="The ending in a few words")
    text: Said = Field(description="What becomes of the story")


class Debrief(Entry):
    """The last room, always played."""

    steps: dict[Id, Said] = Field(description="Questions by id, in order; the six of the format are all needed")
    text: Said = Field(description="Closing words; a line that is only a link to a command is a button")


class Boosters(Entry):
    """Three questions each, to be asked when much is forgotten."""

    week: dict[Id, AnyPuzzle] = Field(description="After seven days")
    fortnight: dict[Id, AnyPuzzle] = Field(description="After fourteen days")


class Timing(Entry):
    """The schedule of a session, a line each."""

    short: list[Said] = Field(min_length=1, description="In thirty minutes")
    normal: list[Said] = Field(min_length=1, description="In an hour")
    long: list[Said] = Field(min_length=1, description="In an hour and a half")


class Facilitator(Entry):
    """What only the host sees."""

    aim: Said = Field(description="What it is for")
    before: list[Said] = Field(min_length=1, description="Set-up, and what to test")
    timing: Timing = Field(description="The schedule")
    rules: list[Said] = Field(min_length=1, description="Rules of the room")
    safeguarding: Said = Field(description="Nobody speaks for 'their' group; a quiet exit; disclosures")
    adapt: Said = Field(description="How to work in rumours heard in town")


class Quiz(Entry):
    """An escape game against rumours."""

    title: Title = Field(description="At most 34 characters")
    about: Annotated[str, Words(figures=True), StringConstraints(min_length=1, max_length=300)] = Field(
        description="What happens and what to do, in one or two sentences"
    )
    minutes: int = Field(ge=1, le=240, description="Of play, without briefing and debrief")
    ages: int = Field(ge=6, le=99, description="From which age")
    players: Literal["team", "pair", "solo"] = Field(description="Who plays: team, pair or solo")
    scored: bool = Field(True, description="false for remembrance: no points")
    limit: int | None = Field(None, ge=60, le=14_400, description="Seconds of play; then the ending 'late'")
    leak: Meter | None = Field(None, description="The leak meter")
    provenance: OwnProvenance = Field(description="Who wrote this file, and who has read it; each translation's own")
    tricks: dict[Id, Trick] = Field({}, description="Tricks by id, for puzzles of kind spot")
    cuts: dict[Id, Cut] = Field({}, description="Shorter ways of playing, by id")
    rooms: dict[Id, Room] = Field(min_length=1, description="Rooms by id; the first is the entrance")
    endings: dict[Id, Ending] = Field(description="Endings by id: escaped; late with a limit; leaked with a meter")
    debrief: Debrief = Field(description="The last room, always played")
    boosters: Boosters | None = Field(None, description="Three questions after a week, three after a fortnight")
    facilitator: Facilitator | None = Field(None, description="What only the host sees; may be left out where solo")
    figures: dict[str, Figure] = Field({}, description="The numbers that any text takes by name")

    @cached_property
    def ground(self) -> Ground:
        """What puzzles take from the quiz."""
        keys = {name: room.key.value for name, room in self.rooms.items() if room.key}
        return Ground(self.figures, {name: trick.name for name, trick in self.tricks.items()}, keys)

    def all_puzzles(self) -> Iterator[tuple[At, AnyPuzzle]]:
        """Yield every puzzle with its address, those of boosters included."""
        for name, room in self.rooms.items():
            yield from _placed(room.puzzles, ("rooms", name, "puzzles"))
        if self.boosters:
            yield from _placed(self.boosters.week, ("boosters", "week"))
            yield from _placed(self.boosters.fortnight, ("boosters", "fortnight"))

    def booster(self, name: str) -> Mapping[str, AnyPuzzle]:
        """Return the questions of `week` or `fortnight`; none where there are no boosters."""
        questions: Mapping[str, AnyPuzzle] = getattr(self.boosters, name, {})
        return questions


def _placed(puzzles: Mapping[str, AnyPuzzle], at: At) -> Iterator[tuple[At, AnyPuzzle]]:
    for name, puzzle in puzzles.items():
        yield (*at, name), puzzle
