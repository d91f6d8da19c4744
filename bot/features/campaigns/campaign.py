"""What the files of a campaign hold: the day, what is said to subscribers, the kit for whoever prepares it."""

import re
from collections.abc import Iterator
from datetime import time
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from bot.features.campaigns.days import Day
from bot.library.check import Found
from bot.library.common import OwnProvenance
from bot.library.load import ID
from bot.library.shape import Entry, Leaf, Opens, Ref, Title, Words, leaves
from bot.library.source import At
from bot.library.template import template_problem

LONGEST_ID = 24
EARLIEST, LATEST = -90, 30  # days from the day itself
Variant = Literal["text", "short", "child"]
VARIANTS: tuple[Variant, ...] = ("text", "short", "child")
# What a text may name; `city` is empty where no town is known, `slogan` and `hashtags` where there are none.
VALUES = frozenset({"city", "date", "name", "slogan", "hashtags"})

_AT = r"^([01]\d|2[0-3]):[0-5]\d$"
_EMOJI = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")


def _as_id(name: str) -> str:
    if not ID.fullmatch(name) or len(name) > LONGEST_ID:
        raise ValueError(
            f"'{name}' is not an id; use lower-case words joined by hyphens, at most {LONGEST_ID} characters"
        )
    return name


Id = Annotated[str, AfterValidator(_as_id)]
Said = Annotated[str, Words(), StringConstraints(min_length=1, max_length=600)]
Offset = Annotated[int, Field(ge=EARLIEST, le=LATEST)]


class Topic(Entry):
    """What campaigns are about, for people to choose from."""

    name: Title = Field(description="At most 34 characters")


class Checklist(Entry):
    """What to look after in every campaign."""

    name: Title = Field(description="What it is about")
    points: list[Said] = Field(min_length=1, description="One thing to check a line")


class Step(Entry):
    """Something that whoever prepares a campaign is reminded of."""

    day: Offset = Field(description="Days from the day itself: -30 is thirty days before")
    do: Annotated[str, Words(), StringConstraints(min_length=1, max_length=400)] = Field(
        description="What to do now, in one to three sentences; {{ name }} and {{ date }} may stand in it"
    )


class Basis(Entry):
    """Where a day comes from."""

    by: Annotated[str, Words(), StringConstraints(min_length=1, max_length=200)] = Field(
        description="Who proclaimed it, or how it came about, without numbers"
    )
    document: str | None = Field(None, max_length=80, description="Such as A/RES/55/76, as it is written")
    since: int | None = Field(None, ge=1800, le=2100, description="The year of the first one, or of the document")
    checked: bool = Field(True, description="false where nobody opened the source yet")


class Way(Entry):
    """A button under a prompt."""

    label: Title = Field(description="What the button says, at most 34 characters")
    opens: Annotated[str, Opens(), StringConstraints(pattern=r"^/[a-z]+( [a-z0-9-]+)?$")] = Field(
        description="A command: /quiz lido, /rumour jobs, /term bias, /day refugee-day"
    )


class Prompt(Entry):
    """Something that subscribers hear, as a normal text, and where they wish a short one or one for children."""

    day: Offset = Field(0, description="Days from the day itself: -7 is a week before, 1 the day after")
    at: Annotated[str, StringConstraints(pattern=_AT)] = Field("09:00", description="The hour in the town's own time")
    text: Annotated[str, Words(), StringConstraints(min_length=1, max_length=600)] = Field(
        description="At most 600 characters; {{ city }}, {{ date }}, {{ name }}, {{ slogan }}, {{ hashtags }} may stand"
    )
    short: Annotated[str, Words(), StringConstraints(min_length=1, max_length=280)] | None = Field(
        None, description="At most 280 characters"
    )
    child: Annotated[str, Words(), StringConstraints(min_length=1, max_length=400)] | None = Field(
        None, description="For children of about ten, at most 400 characters"
    )
    ways: dict[Id, Way] = Field(min_length=1, max_length=4, description="Where it leads, by id")

    @property
    def hour(self) -> time:
        """The hour in the town's own time."""
        return time.fromisoformat(self.at)


class Concept(Entry):
    """The concept note, a page for a meeting."""

    question: Said = Field(description="The one question of the day")
    message: Said = Field(description="The one message, in a sentence")
    here: Said = Field(description="Why here: what to look for in one's own town")
    audience: Said = Field(description="For whom: mostly the many who are undecided")
    partners: list[Said] = Field(min_length=2, description="Whom to ask in")
    risks: list[Said] = Field(min_length=2, description="What may go wrong, and what to do about it")
    measures: list[Said] = Field(min_length=2, description="How to see whether it helped")


class Kit(Entry):
    """What whoever prepares the day gets beside the common steps and checklists."""

    concept: Concept = Field(description="The concept note")
    calls: list[Said] = Field(min_length=2, description="Calls to action for posters and posts, one a line")
    hashtags: list[Annotated[str, Words(), StringConstraints(pattern=r"^#\w+$", max_length=40)]] = Field(
        min_length=1, max_length=5, description="Three to five, each word with a capital: #WithRefugees"
    )
    steps: dict[Id, Step] = Field({}, description="Steps of this day alone; one called as a common step replaces it")
    history: Said | None = Field(None, description="What towns did together on this day, told as history")


class Campaign(Entry):
    """An international day and what is said on it."""

    name: Title = Field(description="The day's name, at most 34 characters")
    full: Annotated[str, Words(), StringConstraints(min_length=1, max_length=160)] | None = Field(
        None, description="The whole official name, where it is longer"
    )
    day: Day = Field(description="When it is")
    basis: Basis = Field(description="Where it comes from")
    why: Said = Field(description="Why it matters for a town of many origins")
    topics: list[Annotated[str, Ref("topic")]] = Field(min_length=1, max_length=3, description="Ids in topics/")
    focus: bool = Field(False, description="true for the days on which the towns of the network act together")
    sober: bool = Field(False, description="true for remembrance: no games, no jokes, no emoji")
    slogan: Annotated[str, Words(), StringConstraints(min_length=1, max_length=80)] | None = Field(
        None, description="Our own, never somebody's trade mark"
    )
    talk: list[Said] = Field(
        min_length=2, max_length=5, description="Questions for the table; none asks for a personal story"
    )
    messages: dict[Id, Prompt] = Field(min_length=1, description="What subscribers hear, by id: soon, today, thanks")
    kit: Kit | None = Field(None, description="For whoever prepares it")
    provenance: OwnProvenance = Field(description="Who wrote this file, and who has read it; each translation's own")


def check(campaign: Campaign) -> Iterator[Found]:
    """Yield what no single field shows: templates, what a kit needs, what remembrance forbids."""
    for leaf in leaves(Campaign, campaign.model_dump(mode="json", exclude_none=True)):
        if isinstance(leaf.mark, Words):
            yield from _template_problems(leaf)
            yield from _sober_problems(leaf) if campaign.sober else ()
    if campaign.kit:
        yield from _kit_problems(campaign)
    if campaign.sober:
        yield from _game_problems(campaign)


def _template_problems(leaf: Leaf) -> Iterator[Found]:
    if found := template_problem(leaf.value, VALUES):
        yield leaf.at, *found


def _sober_problems(leaf: Leaf) -> Iterator[Found]:
    if _EMOJI.search(leaf.value) or "!" in leaf.value:
        yield leaf.at, "is not sober", "a day of remembrance has no emoji and no exclamation marks"


def _game_problems(campaign: Campaign) -> Iterator[Found]:
    for name, way, at in _ways(campaign):
        if way.opens.startswith("/quiz"):
            yield (
                (*at, "opens"),
                f"'{name}' leads to a game",
                "a day of remembrance has no points; lead to a term or a card",
            )


def _ways(campaign: Campaign) -> Iterator[tuple[str, Way, At]]:
    for message, prompt in campaign.messages.items():
        for name, way in prompt.ways.items():
            yield name, way, ("messages", message, "ways", name)


def _kit_problems(campaign: Campaign) -> Iterator[Found]:
    for name in ("soon", "today", "thanks"):
        prompt = campaign.messages.get(name)
        if prompt is None:
            yield ("messages",), f"lacks '{name}'", "a campaign with a kit has soon, today and thanks"
            continue
        for variant in ("short", "child"):
            if not getattr(prompt, variant):
                yield ("messages", name), f"lacks '{variant}'", "a campaign with a kit has all three variants"
