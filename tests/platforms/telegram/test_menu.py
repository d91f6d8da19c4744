"""The menus and descriptions that people see before they write."""

import json
import re
from collections.abc import AsyncIterator

import pytest

from bot.app import Content, repertoire
from bot.platforms.telegram.menu import publish
from bot.talk.repertoire import Repertoire
from tests.platforms.telegram.booth import Booth, booth
from tests.platforms.telegram.server import BotServer
from tests.platforms.telegram.spec import units

CHANGES = ("setMyCommands", "setMyDescription", "setMyShortDescription")
SHARED = {"quiet", "bye"}


@pytest.fixture
async def hall(content: Content) -> AsyncIterator[Booth]:
    async with booth(content) as opened:
        yield opened


@pytest.fixture
def known(hall: Booth) -> Repertoire:
    return hall.app.assistant.repertoire


def changes(server: BotServer) -> int:
    return sum(len(server.calls_of(method)) for method in CHANGES)


def menu(server: BotServer, scope: str, language: str) -> list[str]:
    return [command["command"] for command in server.commands[json.dumps({"type": scope}), language]]


def described(server: BotServer, sort: str, language: str) -> str:
    """Return what somebody with that language reads."""
    return server.words.get((sort, language)) or server.words[sort, ""]


async def test_every_scope_and_language_has_its_menu(hall: Booth, known: Repertoire) -> None:
    assert await publish(hall.telegram.bot, known) == changes(hall.server)
    for language in ("", *known.languages):
        private = set(menu(hall.server, "default", language))
        groups = set(menu(hall.server, "all_group_chats", language))
        runners = set(menu(hall.server, "all_chat_administrators", language))
        assert groups < runners
        assert private < runners
        assert not private <= groups
    assert menu(hall.server, "default", "")[0] == "rumour"
    assert "rumores" in menu(hall.server, "default", "es")
    assert set(menu(hall.server, "all_chat_administrators", "")) >= SHARED
    assert not SHARED & set(menu(hall.server, "default", ""))


async def test_whatever_stands_in_a_menu_is_understood(hall: Booth, known: Repertoire) -> None:
    await publish(hall.telegram.bot, known)
    named = {command["command"] for commands in hall.server.commands.values() for command in commands}
    assert {name for name in named if known.command(name) is None} == set()


async def test_menus_are_published_only_when_they_changed(hall: Booth, known: Repertoire) -> None:
    await publish(hall.telegram.bot, known)
    published = changes(hall.server)
    assert await publish(hall.telegram.bot, known) == 0
    assert changes(hall.server) == published
    hall.server.commands[json.dumps({"type": "default"}), "es"].pop()
    hall.server.words["description", "es"] = "Something old"
    assert await publish(hall.telegram.bot, known) == 2


async def test_descriptions_are_worded_in_every_language(hall: Booth, known: Repertoire) -> None:
    await publish(hall.telegram.bot, known)
    for language in ("", *known.languages):
        say = known.say_in(language or known.language)
        assert described(hall.server, "description", language) == say("telegram.description")
        assert described(hall.server, "short_description", language) == say("telegram.short")


def test_every_language_keeps_to_what_menus_may_hold(content: Content) -> None:
    known = repertoire(content)
    for language in known.languages:
        say = known.say_in(language)
        assert re.fullmatch("[a-z]{2}", language)
        assert units(say("telegram.description")) <= 512
        assert units(say("telegram.short")) <= 120
        names = [say(f"name.{command.name}") for command in known.menu(shared=True)]
        assert len(set(names)) == len(names) <= 100
        assert all(re.fullmatch("[a-z0-9_]{1,32}", name) for name in names)
        assert all(1 <= units(say(f"describe.{command.name}")) <= 256 for command in known.menu(shared=True))
        assert units(say("telegram.open")) <= 34
