"""Let out what is due: a few conversations at a time, in the transaction that remembers how far it came."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from sqlalchemy import Connection

from bot.core.message import Address, Choice, Reply
from bot.features.campaigns.approval import is_approved
from bot.features.campaigns.campaign import Campaign, Variant
from bot.features.campaigns.due import APPROVE, STEP, Due, Run, as_due
from bot.features.campaigns.town import Edits, Town, as_edits, digest, prompt_reply, values, written
from bot.library.template import render
from bot.storage import coordinators, occurrences, outbox, outcomes, runs, subscriptions, withdrawn
from bot.storage.moments import millis
from bot.storage.occurrences import Occurrence
from bot.storage.outbox import Bubble
from bot.storage.runs import Edit, Kept, Key
from bot.storage.subscriptions import Subscription
from bot.storage.withdrawn import Hidden

CHUNK = 400  # conversations in one transaction; half as many take a fifth more time (measured)
MONTH, WEEK = timedelta(days=30), timedelta(days=7)
A_WEEK = 2  # prompts at most, unless somebody wants them as they come
FEW = 4  # who wants so few a month hears of the days themselves only


@dataclass(frozen=True)
class Case:
    """An occurrence with all that is needed to say it."""

    of: Occurrence
    town: Town
    campaign: Campaign
    run: Run
    day: date
    changes: Sequence[Edit]
    hidden: Hidden

    @property
    def key(self) -> Key:
        """The town's part in the campaign that it belongs to."""
        return Key(self.of.city, self.of.campaign, self.of.year)

    @cached_property
    def edits(self) -> Edits:
        """What the town says otherwise."""
        return as_edits(self.changes)


def release(tx: Connection, town: Town, one: Occurrence, keeps: frozenset[str], now: datetime) -> list[Bubble]:
    """Write the bubbles of the next conversations that are to hear `one`; [] where it is over, or must wait."""
    kept, campaign = runs.of(tx, Key(one.city, one.campaign, one.year)), town.campaign(one.campaign)
    is_said = _as_due(town, one, campaign, as_run(kept)) if kept and campaign else None
    if not (kept and campaign and is_said):
        if one.state == "telling" or now >= one.until:  # else the next planning takes it away, or back
            end(tx, one, why="moved" if campaign and one.message in campaign.messages else "gone")
        return []
    if one.state == "planned":
        one = replace(one, at=is_said.at, until=is_said.until)
    if now < one.at:
        return []  # the town's clock changed; the next planning writes it down
    case = _case(tx, town, one, campaign, kept, is_said.begin)
    why = _waits(tx, case)
    if now >= one.until:
        end(tx, one, why=why or "late")
    if why or now >= one.until:
        return []
    return _remind(tx, case, keeps, now) if one.audience == "coordinators" else _prompt(tx, case, keeps, now)


def end(tx: Connection, one: Occurrence, why: str) -> None:
    """Say no more of an occurrence; one that some have heard counts as told."""
    occurrences.mark(tx, one, "skipped" if one.state == "planned" else "told", why=why)


def approved(tx: Connection, case: Case) -> bool:
    """Say whether what a campaign says now is what enough people approved."""
    said = digest(case.town, case.of.campaign, case.edits)
    return is_approved(runs.approvals(tx, case.key), case.changes, said, two=case.town.planning.two_approve)


def as_run(kept: Kept) -> Run:
    """Return a town's part in a campaign as the rules take it."""
    return Run(kept.key.campaign, kept.key.year, kept.since, kept.state, kept.moved)  # type: ignore[arg-type]  # our own


def _as_due(town: Town, one: Occurrence, campaign: Campaign, run: Run) -> Due | None:
    """Return an occurrence as it is due by now, None where it is not any more."""
    return as_due(campaign, town.steps[town.first], run, town.hours, one.message, one.day, one.audience)


def _case(tx: Connection, town: Town, one: Occurrence, campaign: Campaign, kept: Kept, begin: date) -> Case:
    return Case(one, town, campaign, as_run(kept), begin, runs.edits(tx, kept.key), withdrawn.hidden(tx, town.id))


def _waits(tx: Connection, case: Case) -> str:
    """Return why nothing may go out now, "" where it may."""
    if case.of.city in runs.held(tx):
        return "held"
    if case.run.state != "on":
        return case.run.state
    if case.of.audience != "coordinators":
        return "" if approved(tx, case) else "unapproved"
    return ""


def unwanted(case: Case, one: Subscription, now: datetime) -> str | None:
    """Return why a conversation is not to hear this prompt, "" where that is not worth counting; None if it is.

    Focus days always come; of other days, nobody hears more than two prompts a week unless they wish it.
    """
    if one.school != (case.of.audience == "schools") and case.of.audience != "all":
        return ""
    if one.topics and not {*one.topics} & {*case.campaign.topics}:
        return ""
    is_the_day = case.campaign.messages[case.of.message].day == 0
    if (case.campaign.focus and is_the_day) or not one.monthly:
        return None
    if one.monthly <= FEW and not is_the_day:
        return "quota"
    recent = _recent(one, now)
    week = [at for at in recent if now - at < WEEK]
    return "quota" if len(recent) >= one.monthly or len(week) >= A_WEEK else None


def _recent(one: Subscription, now: datetime) -> tuple[datetime, ...]:
    return tuple(at for at in one.recent if now - at < MONTH)


def _prompt(tx: Connection, case: Case, keeps: frozenset[str], now: datetime) -> list[Bubble]:
    chunk = subscriptions.after(tx, case.of.city, case.of.reached, CHUNK)
    if not chunk:
        occurrences.mark(tx, case.of, "told")
        return []
    if not occurrences.mark(tx, case.of, "telling", reached=str(chunk[-1].where)):
        return []  # another process was quicker
    say, came = _Sayings(case), Counter[str]()
    told: list[tuple[Subscription, Bubble]] = []
    for one in chunk:
        why = unwanted(case, one, now)
        language = "" if why is not None else say.language(one.language)
        if language:
            told.append((one, _bubble(case, one.where, say.reply(language, one.manner), language)))
        else:
            came["language" if why is None else why] += 1
    subscriptions.heard(tx, {one.where: (*_recent(one, now), now) for one, _ in told})
    bubbles = outbox.add_prompts(tx, [bubble for _, bubble in told], now, keeps)
    came["reached"] = sum(bubble.where.platform in keeps for bubble in bubbles)
    for what, n in came.items():
        if what and n:
            outcomes.add(tx, case.of.id, what, now, n)
    return bubbles


class _Sayings:
    """What an occurrence says, worded once for each language and manner."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._languages: dict[str, str] = {}
        self._replies: dict[tuple[str, str], Reply] = {}

    def language(self, wanted: str) -> str:
        """Return the language to say it in for who reads `wanted`; "" where it is not to be said at all."""
        if wanted not in self._languages:
            self._languages[wanted] = self._spoken(wanted)
        return self._languages[wanted]

    def _spoken(self, wanted: str) -> str:
        town, of = self._case.town, self._case.of
        language = wanted if wanted in town.languages else town.first
        if written(town, of.campaign, of.message, language, "text", self._case.edits) is not None:
            return language
        lacks = written(town, of.campaign, of.message, town.first, "text", self._case.edits) is None
        return town.first if town.planning.any_language and not lacks else ""

    def reply(self, language: str, manner: str) -> Reply:
        """Return the prompt in a language in which it is written."""
        if (language, manner) not in self._replies:
            self._replies[language, manner] = self._worded(language, as_variant(manner))
        return self._replies[language, manner]

    def _worded(self, language: str, variant: Variant) -> Reply:
        case = self._case
        text = written(case.town, case.of.campaign, case.of.message, language, variant, case.edits) or ""
        reply = prompt_reply(case.town, case.of.campaign, case.of.message, language, text, case.day)
        return replace(reply, choices=tuple(choice for choice in reply.choices if not _opens(choice, case.hidden)))


def as_variant(manner: str) -> Variant:
    """Return the variant that a subscription names, the normal text where it names none."""
    return "short" if manner == "short" else "child" if manner == "child" else "text"


def _opens(choice: Choice, hidden: Hidden) -> bool:
    """Say whether a button opens what editors have withdrawn."""
    kind, _, entry = choice.say.removeprefix("/").partition(" ")
    return (kind, entry) in hidden


def _bubble(case: Case, where: Address, reply: Reply, language: str) -> Bubble:
    return Bubble(0, where, reply, language, prompt=case.of.id, until=millis(case.of.until))


def _remind(tx: Connection, case: Case, keeps: frozenset[str], now: datetime) -> list[Bubble]:
    """Tell all coordinators of a step, or of an approval that lacks; where there is none, it waits for the first."""
    told = coordinators.of_city(tx, case.of.city)
    if not told:
        return []
    is_done = case.of.message.startswith(APPROVE) and approved(tx, case)
    if not occurrences.mark(tx, case.of, "skipped" if is_done else "told", why="done" if is_done else "") or is_done:
        return []
    bubbles = [_bubble(case, one.where, reminder(case, one.language), one.language) for one in told]
    return outbox.add_prompts(tx, bubbles, now, keeps)


def reminder(case: Case, language: str) -> Reply:
    """Return a step of the timeline, or the request to approve, as coordinators read it."""
    town = case.town
    spoken = language if language in town.languages else town.first
    say, name = town.say_in(spoken), case.of.campaign
    given = values(town, name, spoken, case.day)
    step = _step(town, name, case.of.message.removeprefix(STEP), spoken) if case.of.message.startswith(STEP) else None
    text = render(step, given) if step else say("campaigns.approve_soon")
    head = say("campaigns.reminder", name=given["name"], date=given["date"])
    card = Choice(say("campaigns.open"), f"/campaigns {name}")
    return Reply(f"{head}\n\n{text}", (card,), broadcast=True)


def _step(town: Town, name: str, step: str, language: str) -> str | None:
    kit = town.campaigns[language][name].kit
    found = (kit.steps if kit else {}).get(step) or town.steps[language].get(step)
    return found.do if found else None
