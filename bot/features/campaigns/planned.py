"""How a town plans: what its pack says, with what its coordinators changed in the chat laid over it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from pydantic import ValidationError
from sqlalchemy import Connection

from bot.features.campaigns.town import Town
from bot.library.planning import FOCUS, Planning
from bot.storage import runs

ON, OFF = "true", "false"
# What coordinators may set; what the town takes part in stands under `join` and `leave`, ids by comma.
SETTINGS = ("zone", "quiet", "holidays", "two_approve", "any_language")


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Return the names of all time zones."""
    return frozenset(available_timezones())


def ids(joined: str) -> list[str]:
    """Return the ids that stand in a setting."""
    return [name for name in joined.split(",") if name]


def planned(town: Town, settings: Mapping[str, str]) -> Town:
    """Return the town as its coordinators set it; `planning.join` then holds plain ids of campaigns that there are.

    A setting that makes no sense any more, as a zone that went, leaves what the pack says.
    """
    zone = settings.get("zone", "")
    planning = town.planning
    for name, read in _READ.items():
        if name in settings:
            planning = _with(planning, name, read(settings[name]))
    joined = _joined(town, planning.join, settings)
    return replace(town, zone=zone if zone in zones() else town.zone, planning=_with(planning, "join", joined))


def at_present(tx: Connection, town: Town) -> Town:
    """Return the town as its coordinators have set it by now."""
    return planned(town, runs.settings(tx, [town.id]).get(town.id, {}))


def _with(planning: Planning, name: str, value: Any) -> Planning:
    try:
        return Planning.model_validate({**planning.model_dump(), name: value})
    except ValidationError:
        return planning


def _joined(town: Town, own: list[str], settings: Mapping[str, str]) -> list[str]:
    wanted, left = {*own, *ids(settings.get("join", ""))}, set(ids(settings.get("leave", "")))
    known = town.campaigns[town.first]
    return [
        name
        for name, campaign in known.items()
        if name not in left and (name in wanted or (campaign.focus and FOCUS in wanted))
    ]


_READ: Mapping[str, Callable[[str], Any]] = {
    "quiet": str,
    "holidays": ids,
    "two_approve": lambda value: value == ON,
    "any_language": lambda value: value == ON,
}
