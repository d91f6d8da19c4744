"""The commands as Discord's menu has them: in every language, published only when they changed."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Any

import discord

from bot.talk.feature import Command, Say
from bot.talk.repertoire import Repertoire

SLASH, ON_MESSAGE, TEXT = 1, 3, 3
GUILD, DIRECT, BETWEEN_PEOPLE = 0, 1, 2
OPTION = "words"
_NAME = re.compile(r"[-_'\w]{1,32}")
_KEPT = (
    "type",
    "name",
    "name_localizations",
    "description",
    "description_localizations",
    "options",
    "autocomplete",
    "default_member_permissions",
    "integration_types",
    "contexts",
)

Payload = dict[str, Any]


def payload(repertoire: Repertoire) -> list[Payload]:
    """Return the menu as Discord's API takes it."""
    slash = [_slash(repertoire, command) for command in repertoire.menu(shared=True)]
    return [*slash, _on_message(repertoire)]


def _slash(repertoire: Repertoire, command: Command) -> Payload:
    named = _worded(repertoire, "name", lambda say: _name(say(f"name.{command.name}"), command.name))
    described = _worded(repertoire, "description", lambda say: say(f"describe.{command.name}")[:100])
    options = {"options": [_option(repertoire)]} if command.suggest else {}
    rights = {"default_member_permissions": discord.Permissions(manage_guild=True).value} if command.admin else {}
    return {"type": SLASH, **named, **described, **options, **rights, **_places(shared=command.shared)}


def _option(repertoire: Repertoire) -> Payload:
    named = _worded(repertoire, "name", lambda say: _name(say("discord.words"), OPTION))
    described = _worded(repertoire, "description", lambda say: say("discord.words_hint")[:100])
    return {"type": TEXT, **named, **described, "autocomplete": True}


def _on_message(repertoire: Repertoire) -> Payload:
    return {
        "type": ON_MESSAGE,
        **_worded(repertoire, "name", lambda say: say("discord.check")[:32]),
        **_places(shared=False),
    }


def _places(*, shared: bool) -> Payload:
    """Say where a command is offered: what concerns a shared chat only in one that invited us."""
    return {
        "integration_types": [0] if shared else [0, 1],
        "contexts": [GUILD] if shared else [GUILD, DIRECT, BETWEEN_PEOPLE],
    }


def _worded(repertoire: Repertoire, field: str, word: Callable[[Say], str]) -> Payload:
    """Return a field in the pack's language, and in every language, its own included, as Discord names them."""
    own = word(repertoire.say_in(repertoire.language))
    every = {
        place: word(repertoire.say_in(language)) for language in repertoire.languages for place in places(language)
    }
    return {field: own, f"{field}_localizations": every}


def _name(wanted: str, otherwise: str) -> str:
    """Return a name that Discord takes."""
    return wanted if _NAME.fullmatch(wanted) and wanted == wanted.lower() else otherwise


def places(language: str) -> list[str]:
    """Return Discord's locales of a language: `en-US` and `en-GB` for `en`."""
    return [locale.value for locale in discord.Locale if locale.value.partition("-")[0] == language]


def digest(commands: Iterable[Mapping[str, Any]]) -> str:
    """Return what is the same for two menus that show the same, whether ours or Discord's answer."""
    known = sorted((_kept(command) for command in commands), key=lambda command: (command["type"], command["name"]))
    return blake2b(json.dumps(known, sort_keys=True).encode(), digest_size=16).hexdigest()


def _kept(command: Mapping[str, Any]) -> Payload:
    """Return what we say about a command, in the form in which Discord and we say it alike."""
    kept = {name: command[name] for name in _KEPT if command.get(name)}
    kept |= {name: sorted(kept[name]) for name in ("contexts", "integration_types") if name in kept}
    if "options" in kept:
        kept["options"] = [_kept(option) for option in kept["options"]]
    if "default_member_permissions" in kept:
        kept["default_member_permissions"] = int(kept["default_member_permissions"])
    return kept


def mentions(repertoire: Repertoire, published: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return, for each command by its own name, what Discord shows as a command one can press."""
    ids = {known["name"]: known["id"] for known in published if known.get("type", SLASH) == SLASH}
    say = repertoire.say_in(repertoire.language)
    named = {command.name: _name(say(f"name.{command.name}"), command.name) for command in repertoire.menu(shared=True)}
    return {command: f"</{name}:{ids[name]}>" for command, name in named.items() if name in ids}
