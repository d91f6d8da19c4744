"""What coordinators do, in a chat or at the command line: functions of a transaction and a planned town."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Literal

from sqlalchemy import Connection

from bot.core.message import Address
from bot.features.campaigns.approval import approvers, is_approved
from bot.features.campaigns.campaign import Campaign, Variant
from bot.features.campaigns.due import over
from bot.features.campaigns.planned import ids
from bot.features.campaigns.town import Edits, Town, as_edits, digest, lacking
from bot.storage import audit, coordinators, invites, occurrences, outcomes, runs
from bot.storage.audit import Act
from bot.storage.coordinators import Coordinator
from bot.storage.runs import COMMAND_LINE, Approval, Edit, Kept, Key
from bot.talk.feature import Telling

NAME = "coordinating"
FARTHEST = timedelta(days=30)  # that a day may be moved
YEARS = range(-1, 3)  # around this one, in which the next date is looked for

# As a run's, and `out` where the town does not take part.
State = Literal["on", "skipped", "paused", "stopped", "out"]

GOING: tuple[State, ...] = ("on", "paused")

Verb = Literal["join", "leave", "skip", "pause", "resume", "stop"]
# In which states each can be done.
FROM: Mapping[Verb, tuple[State, ...]] = {
    "join": ("out", "skipped", "stopped"),
    "leave": ("on", "paused", "skipped", "stopped"),
    "skip": ("on",),
    "pause": ("on",),
    "resume": ("paused",),
    "stop": ("on", "paused"),
}

TO: Mapping[Verb, State] = {
    "join": "on",
    "leave": "skipped",
    "skip": "skipped",
    "pause": "paused",
    "resume": "on",
    "stop": "stopped",
}

# Which text: of which message, in which language and variant.
Spot = tuple[str, str, Variant]

Moved = Literal["moved", "moved_back", "past", "far", "not_on"]
Approved = Literal["approved", "half", "already", "changed", "not_on"]


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, by a coordinator's number in their town, and when."""

    number: int
    now: datetime

    @property
    def who(self) -> str:
        """The number as the audit holds it, "" for the command line."""
        return "" if self.number == COMMAND_LINE else str(self.number)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a town stands with a campaign in the year to come: its date here, its own date, what was changed."""

    key: Key
    campaign: Campaign
    day: date
    own_day: date
    state: State
    since: datetime | None
    edits: tuple[Edit, ...]
    digest: str
    approvers: frozenset[int]
    approved: bool
    lacking: tuple[tuple[str, str], ...]
    begun: bool

    @property
    def id(self) -> str:
        """The campaign's id."""
        return self.key.campaign

    @property
    def said(self) -> Edits:
        """What the town says this year in place of texts."""
        return as_edits(self.edits)


def standing(tx: Connection, town: Town, name: str, now: datetime) -> Standing | None:
    """Return where a town stands with a campaign; None where there is none, or no date of it is known."""
    parts = {kept.key.year: kept for kept in runs.of_city(tx, town.id) if kept.key.campaign == name}
    return _standing(tx, town, name, parts, now)


def calendar(tx: Connection, town: Town, now: datetime) -> list[Standing]:
    """Return where a town stands with each campaign, the next first."""
    parts: dict[str, dict[int, Kept]] = {}
    for kept in runs.of_city(tx, town.id):
        parts.setdefault(kept.key.campaign, {})[kept.key.year] = kept
    found = (_standing(tx, town, name, parts.get(name, {}), now) for name in town.campaigns[town.first])
    return sorted(filter(None, found), key=lambda one: (one.day, one.id))


def _standing(tx: Connection, town: Town, name: str, parts: Mapping[int, Kept], now: datetime) -> Standing | None:
    campaign = town.campaign(name)
    coming = next(_coming(campaign, parts, town.today(now)), None) if campaign else None
    if campaign is None or coming is None:
        return None
    year, day, own_day = coming
    key, run = Key(town.id, name, year), parts.get(year)
    edits = tuple(runs.edits(tx, key)) if run else ()
    found, approvals = digest(town, name, as_edits(edits)), runs.approvals(tx, key) if run else []
    state: Any = run.state if run else "on" if name in town.planning.join else "out"
    return Standing(
        key,
        campaign,
        day,
        own_day,
        state,
        run.since if run else None,
        edits,
        found,
        frozenset(approvers(approvals, found)),
        is_approved(approvals, edits, found, two=town.planning.two_approve),
        tuple(lacking(town, name, as_edits(edits))),
        day + timedelta(days=min(prompt.day for prompt in campaign.messages.values())) <= town.today(now),
    )


def _coming(campaign: Campaign, parts: Mapping[int, Kept], now: date) -> Iterator[tuple[int, date, date]]:
    """Yield year, date and own date of what is not wholly over."""
    tail = timedelta(days=max(campaign.day.lasts - 1, *(prompt.day for prompt in campaign.messages.values())))
    for year in (now.year + offset for offset in YEARS):
        for own in campaign.day.in_year(year):
            day = (parts[year].moved if year in parts else None) or own
            if day + tail >= now:
                yield year, day, own


def ends(one: Standing) -> datetime:
    """Return the moment from which a campaign is over, with all that was done about it."""
    return over(max(one.day, one.own_day))


def note(tx: Connection, city: str, by: By, act: str, what: str, reason: str = "") -> None:
    """Write an act into the audit."""
    audit.note(tx, Act(by.now, act, what, reason, city, by.who))


def _note(tx: Connection, one: Standing, by: By, act: str, reason: str = "") -> None:
    note(tx, one.key.city, by, act, f"{one.id} {one.key.year}", reason)


def do(tx: Connection, town: Town, one: Standing, verb: Verb, by: By) -> bool:
    """Take part or no longer, skip, pause, resume or stop a campaign; False where that makes no sense as it stands.

    Taking part and leaving hold for the years to come, the rest for this year.
    """
    if one.state not in FROM[verb]:
        return False
    if verb in ("join", "leave"):
        _choose(tx, town, one.id, verb)
    if verb != "leave" or one.since:
        _begin(tx, one, by)
        runs.change(tx, one.key, state=TO[verb])
    _note(tx, one, by, verb)
    return True


def _begin(tx: Connection, one: Standing, by: By) -> None:
    """Give a campaign a row to change, where it has none."""
    runs.join(tx, one.key, by.now, ends(one))


def _choose(tx: Connection, town: Town, name: str, verb: Literal["join", "leave"]) -> None:
    """Write down that the town takes part from now on, or that it does not."""
    held = runs.settings(tx, [town.id]).get(town.id, {})
    other = "leave" if verb == "join" else "join"
    runs.set_(tx, town.id, verb, ",".join(dict.fromkeys([*ids(held.get(verb, "")), name])))
    if other in held:
        runs.set_(tx, town.id, other, ",".join(one for one in ids(held[other]) if one != name))


def move(tx: Connection, town: Town, one: Standing, day: date, by: By) -> Moved:
    """Move a campaign to another date this year: not into the past, and not far; its own date moves it back."""
    if one.state not in GOING:
        return "not_on"
    if day < town.today(by.now):
        return "past"
    if abs(day - one.own_day) > FARTHEST:
        return "far"
    _begin(tx, one, by)
    runs.change(tx, one.key, moved=None if day == one.own_day else day)
    _note(tx, one, by, "move", day.isoformat())
    return "moved_back" if day == one.own_day else "moved"


def approve(tx: Connection, town: Town, one: Standing, seen: str, by: By) -> tuple[Approved, tuple[Telling, ...]]:
    """Approve what a campaign says, `seen` being the beginning of its digest; ask the others where two are needed."""
    if one.state not in GOING:
        return "not_on", ()
    if not one.digest.startswith(seen):
        return "changed", ()
    if by.number in one.approvers:
        return ("already" if one.approved else "half"), ()
    _begin(tx, one, by)
    runs.approve(tx, one.key, Approval(by.number, one.digest, by.now), ends(one))
    _note(tx, one, by, "approve", one.digest[:12])
    found = runs.approvals(tx, one.key)
    if is_approved(found, one.edits, one.digest, two=town.planning.two_approve):
        return "approved", ()
    return "half", tuple(_ask(tx, one, by))


def _ask(tx: Connection, one: Standing, by: By) -> Iterator[Telling]:
    """Yield what the other coordinators are told: that one more is to approve."""
    for other in coordinators.of_city(tx, one.key.city):
        if other.number != by.number:
            key = f"{NAME}.{':'.join(map(str, one.key))}.{one.digest[:16]}.{by.number}.{other.number}"
            what = {"do": "approve", "city": one.key.city, "campaign": one.id, "who": by.number}
            yield Telling(other.where, NAME, what, by.now, key)


def edit(tx: Connection, one: Standing, spot: Spot, text: str, by: By) -> bool:
    """Say `text` this year in place of a text, to be approved anew; False where the town does not take part."""
    if one.state not in GOING:
        return False
    _begin(tx, one, by)
    runs.edit(tx, one.key, Edit(*spot, text, by.number), by.now, ends(one))
    _note(tx, one, by, "edit", " ".join(spot))
    return True


def unedit(tx: Connection, one: Standing, spot: Spot, by: By) -> bool:
    """Say again what the file says; False where the town said nothing else."""
    if not runs.unedit(tx, one.key, *spot):
        return False
    _note(tx, one, by, "unedit", " ".join(spot))
    return True


def hold(tx: Connection, town: Town, by: By) -> bool:
    """Hold all that a town sends of itself; False where it is held already."""
    done = runs.hold(tx, town.id, by.now)
    if done:
        note(tx, town.id, by, "hold", "")
    return done


def release(tx: Connection, town: Town, by: By) -> bool:
    """Let what a town sends go on; False where nothing was held."""
    done = runs.release(tx, town.id)
    if done:
        note(tx, town.id, by, "release", "")
    return done


def set_(tx: Connection, town: Town, name: str, value: str | None, by: By) -> None:
    """Keep how a town plans in one thing; without a value, as its pack says."""
    if value is None:
        runs.unset(tx, town.id, name)
    else:
        runs.set_(tx, town.id, name, value)
    note(tx, town.id, by, "plan", name, value or "")


def invite(tx: Connection, city: str, chance: Random, by: By) -> str:
    """Make a code by which somebody becomes a coordinator of a town."""
    code = invites.make(tx, city, chance, by.now)
    note(tx, city, by, "invite", "")
    return code


def become(tx: Connection, where: Address, code: str, language: str, now: datetime) -> Coordinator | None:
    """Make a conversation a coordinator of the town of a code, and use the code up; None where it is not good."""
    city = invites.use(tx, code, now)
    if city is None:
        return None
    found = coordinators.add(tx, where, city, language, now)
    note(tx, city, By(found.number, now), "become", "")
    return found


def leave(tx: Connection, me: Coordinator, by: By) -> None:
    """End somebody's part in preparing a town's campaigns."""
    coordinators.leave(tx, me.where, me.city)
    note(tx, me.city, by, "go", "")


@dataclass(frozen=True, slots=True)
class Result:
    """How a message went: its date, its state, and what → how many."""

    message: str
    day: date
    audience: str
    state: str
    why: str
    counts: Mapping[str, int]


def results(tx: Connection, town: Town, name: str, now: datetime) -> tuple[int, list[Result]]:
    """Return how a campaign went in the newest year that has begun, message by message; year 0 where none has."""
    for year in (town.today(now).year - offset for offset in YEARS):
        found = [one for one in occurrences.of_campaign(tx, town.id, name, year) if one.audience != "coordinators"]
        if any(one.state != "planned" for one in found):
            counts = outcomes.of(tx, [one.id for one in found])
            return year, [
                Result(one.message, one.day, one.audience, one.state, one.why, counts.get(one.id, {})) for one in found
            ]
    return 0, []
