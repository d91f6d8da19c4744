"""What a town says in its campaigns: texts in its languages, with its own edits, as replies. Pure."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.core.markup import escape
from bot.core.message import Choice, Reply
from bot.features.campaigns.campaign import VARIANTS, Campaign, Checklist, Prompt, Step, Topic, Variant
from bot.features.campaigns.due import Hours
from bot.library.figures import draw_date
from bot.library.planning import Planning
from bot.library.source import At
from bot.library.template import render
from bot.storage.runs import Edit
from bot.talk.feature import Say

# What a town says this year in place of a text: by message, language and variant.
Edits = Mapping[tuple[str, str, str], str]


# What translations lack, by language and campaign: places in the file, `()` for all of it.
Gaps = Mapping[tuple[str, str], frozenset[At]]


@dataclass(frozen=True)
class Town:
    """A town's campaigns: its name ("" where the installation is nobody's), languages by code, zone and planning.

    The mappings hold by language what the library does. Where `gaps` are not known, a text that is the first
    language's is taken for one that lacks.
    """

    id: str
    name: str
    languages: Mapping[str, str]
    zone: str
    planning: Planning
    say_in: Callable[[str], Say]
    campaigns: Mapping[str, Mapping[str, Campaign]] = field(repr=False)
    steps: Mapping[str, Mapping[str, Step]] = field(repr=False)
    checklists: Mapping[str, Mapping[str, Checklist]] = field(repr=False)
    topics: Mapping[str, Mapping[str, Topic]] = field(repr=False)
    gaps: Gaps | None = field(default=None, repr=False)

    @property
    def hours(self) -> Hours:
        """The town's clock."""
        return Hours(ZoneInfo(self.zone), self.planning.silent, self.planning.free_days)

    def today(self, now: datetime) -> date:
        """Return the date in the town."""
        return now.astimezone(self.hours.zone).date()

    @property
    def first(self) -> str:
        """The language that the town's files are in."""
        return next(iter(self.languages))

    def campaign(self, name: str, language: str | None = None) -> Campaign | None:
        """Return a campaign in a language, the first one by default."""
        return self.campaigns[language or self.first].get(name)


def as_edits(edits: Iterable[Edit]) -> Edits:
    """Return what a town says otherwise by message, language and variant."""
    return {(edit.message, edit.language, edit.variant): edit.text for edit in edits}


def written(town: Town, name: str, message: str, language: str, variant: Variant, edits: Edits) -> str | None:
    """Return the text of a prompt; None where the language lacks it. A variant that lacks is the normal text."""
    if found := edits.get((message, language, variant)):
        return found
    text: str | None = getattr(town.campaigns[language][name].messages[message], variant)
    if text and not _is_gap(town, name, message, language, variant):
        return text
    return None if variant == "text" else written(town, name, message, language, "text", edits)


def _is_gap(town: Town, name: str, message: str, language: str, variant: Variant) -> bool:
    """Say whether a language's text is only another one's, standing in."""
    if town.gaps is not None:
        spot = ("messages", message, variant)
        return any(spot[: len(at)] == at for at in town.gaps.get((language, name), ()))
    own, first = (town.campaigns[code][name].messages[message] for code in (language, town.first))
    return language != town.first and getattr(own, variant) == getattr(first, variant)


def lacking(town: Town, name: str, edits: Edits) -> list[tuple[str, str]]:
    """Return the messages and languages in which a campaign cannot be said."""
    return [
        (message, language)
        for message in town.campaigns[town.first][name].messages
        for language in town.languages
        if written(town, name, message, language, "text", edits) is None
    ]


def values(town: Town, name: str, language: str, day: date) -> dict[str, str]:
    """Return what texts may name; `day` is the date of the day itself."""
    campaign = town.campaigns[language][name]
    hashtags = " ".join(campaign.kit.hashtags) if campaign.kit else ""
    return {
        "city": escape(town.name),
        "date": draw_date(day, language),
        "name": campaign.name,
        "slogan": campaign.slogan or "",
        "hashtags": escape(hashtags),
    }


def prompt_reply(town: Town, name: str, message: str, language: str, text: str, day: date) -> Reply:
    """Return a prompt as subscribers of `language` see it, with its ways on and the way to stop."""
    prompt: Prompt = town.campaigns[language][name].messages[message]
    choices = [Choice(way.label, way.opens) for way in prompt.ways.values()]
    stop = Choice(town.say_in(language)("campaigns.stop"), "/unsubscribe")
    return Reply(render(text, values(town, name, language, day)), (*choices, stop), broadcast=True)


def digest(town: Town, name: str, edits: Edits) -> str:
    """Return the fingerprint of all that a campaign says in a town: whoever approves, approves this."""
    said = json.dumps(list(_said(town, name, edits)), ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


def _said(town: Town, name: str, edits: Edits) -> Iterator[object]:
    for language in town.languages:
        for message, prompt in town.campaigns[language][name].messages.items():
            yield language, message, prompt.day, prompt.at
            yield [written(town, name, message, language, variant, edits) for variant in VARIANTS]
            yield [(way.label, way.opens) for way in prompt.ways.values()]
