"""A bot to compare with: `python -m tests.bench.discord_bare API GATEWAY TOKEN`.

discord.py's Client and CommandTree as they come, with the intents that ours has, the library's own caches, and one
command that says again what it was told. It imports nothing that ours would not, so that its memory is its own.
"""

import sys

import discord
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

COMMAND, OPTION = "term", "words"


class Bare(discord.Client):
    """Publishes its command, and answers it."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True, guild_messages=True, dm_messages=True))
        self.tree = app_commands.CommandTree(self)
        self.tree.command(name=COMMAND, description="Say it again")(_echo)

    async def setup_hook(self) -> None:
        await self.tree.sync()


async def _echo(heard: discord.Interaction, words: str) -> None:
    await heard.response.send_message(words)


if __name__ == "__main__":
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = sys.argv[1], yarl.URL(sys.argv[2])
    Bare().run(sys.argv[3], log_handler=None)
