"""What people see before they write: the menus of commands and the bot's descriptions, in every language."""

import logging

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeDefault,
)

from bot.talk.repertoire import Repertoire

log = logging.getLogger(__name__)


async def publish(bot: Bot, repertoire: Repertoire) -> int:
    """Bring Telegram's menus and descriptions up to date; return how many had changed."""
    changed = 0
    for code in ("", *repertoire.languages):  # "": whoever's language the pack does not speak
        language = code or repertoire.language
        changed += await _describe(bot, repertoire, code, language)
        for scope, commands in _menus(repertoire, language):
            if list(await bot.get_my_commands(scope, code)) != commands:
                await bot.set_my_commands(commands, scope, code)
                changed += 1
    log.info("menus up to date changed=%s", changed)
    return changed


async def _describe(bot: Bot, repertoire: Repertoire, code: str, language: str) -> int:
    say, changed = repertoire.say_in(language), 0
    if (long := say("telegram.description")) != (await bot.get_my_description(code)).description:
        changed += await bot.set_my_description(long, code)
    if (short := say("telegram.short")) != (await bot.get_my_short_description(code)).short_description:
        changed += await bot.set_my_short_description(short, code)
    return changed


def _menus(repertoire: Repertoire, language: str) -> list[tuple[BotCommandScope, list[BotCommand]]]:
    """Return the menu of private chats, of groups, and of those who run a group."""
    say, whole = repertoire.say_in(language), repertoire.menu(shared=True)
    drawn = {c.name: BotCommand(say(f"name.{c.name}"), say(f"describe.{c.name}")) for c in whole}
    return [
        (BotCommandScopeDefault(), [drawn[command.name] for command in repertoire.menu()]),
        (BotCommandScopeAllGroupChats(), [drawn[command.name] for command in whole if not command.admin]),
        (BotCommandScopeAllChatAdministrators(), list(drawn.values())),
    ]
