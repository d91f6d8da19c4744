import asyncio
import io
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord
import pytest
from aiohttp import ClientSession
from discord import app_commands
from discord.backoff import ExponentialBackoff

from tests.platforms.discord.server import APPLICATION, TOKEN, Channel, DiscordServer, Message, Person
from tests.platforms.discord.spec import ABSENT, FILE

pytestmark = pytest.mark.filterwarnings("ignore:'audioop' is deprecated:DeprecationWarning")
QUIET = discord.AllowedMentions.none()
NO_PING = discord.AllowedMentions(everyone=False, users=False, roles=False, replied_user=False)


class Vote(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"vote:(?P<what>\w+)"):
    def __init__(self, what: str) -> None:
        super().__init__(discord.ui.Button(label=what.title(), custom_id=f"vote:{what}"))
        self.what = what

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str]
    ) -> "Vote":
        return cls(match["what"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        if self.what == "form":
            await interaction.response.send_modal(Form())
        elif self.what == "slow":
            await interaction.response.defer()
            await interaction.edit_original_response(content="edited late", view=None)
        else:
            await interaction.response.edit_message(content=f"voted {self.what}", view=None)


class Form(discord.ui.Modal, title="Tell us"):
    words: discord.ui.TextInput["Form"] = discord.ui.TextInput(label="Words", custom_id="words", max_length=20)

    def __init__(self) -> None:
        super().__init__(custom_id="form")

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.send_message(f"you wrote {self.words.value}", ephemeral=True)


class Pick(discord.ui.Select[discord.ui.View]):
    def __init__(self) -> None:
        super().__init__(custom_id="pick", options=[discord.SelectOption(label="One", value="1")])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.send_message(f"picked {self.values[0]}")


class Bot(discord.Client):
    def __init__(self, **more: Any) -> None:
        super().__init__(intents=more.pop("intents", discord.Intents.default()), allowed_mentions=NO_PING, **more)
        self._connection.guild_ready_timeout = 0.05  # otherwise READY waits two seconds for more guilds
        self.tree = app_commands.CommandTree(self)
        self.heard: list[discord.Message] = []
        self.events: list[str] = []
        self.told = asyncio.Condition()

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Vote)
        self.tree.add_command(say)
        self.tree.add_command(look)
        self.tree.add_command(check)
        await self.tree.sync()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Do not wait the usual five seconds."""

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)

    async def on_socket_event_type(self, event: str) -> None:
        async with self.told:
            self.events.append(event)
            self.told.notify_all()

    async def until(self, event: str, times: int = 1) -> None:
        async with asyncio.timeout(3), self.told:
            await self.told.wait_for(lambda: self.events.count(event) >= times)


@app_commands.command(description="Say it")
async def say(interaction: discord.Interaction[Any], words: str) -> None:
    view = discord.ui.View(timeout=None)
    for what in ("yes", "form", "slow"):
        view.add_item(Vote(what))
    view.add_item(Pick())
    await interaction.response.send_message(words, view=view)


@say.autocomplete("words")
async def offer(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=current.upper(), value=current)]


@app_commands.command(description="Look it up")
async def look(interaction: discord.Interaction[Any]) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    await interaction.followup.send("found", ephemeral=True)
    second = await interaction.followup.send("and more", wait=True)
    await second.edit(content="and much more")


@app_commands.context_menu(name="Check this")
async def check(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    await interaction.response.send_message(f"checked {message.content}", ephemeral=True)


class World:
    def __init__(self, server: DiscordServer) -> None:
        self.server = server
        self.guild = server.guild()
        self.channel = self.guild.channels[0]
        self.ana = server.person("ana")
        self.bot = Bot()

    def there(self, channel: Channel | None = None) -> discord.PartialMessageable:
        return self.bot.get_partial_messageable(int((channel or self.channel).id))

    def last(self) -> Message:
        return self.server.messages(self.channel)[-1]


@asynccontextmanager
async def running(server: DiscordServer, bot: Bot) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(bot.start(TOKEN))
    try:
        await bot.until("GUILD_CREATE", len(server.guilds))
        yield task
    finally:
        await bot.close()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExponentialBackoff, "delay", lambda self: 0.0)
    logging.getLogger("discord").setLevel(logging.CRITICAL)


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        with server.point():
            yield server


@pytest.fixture
async def world(server: DiscordServer) -> AsyncIterator[World]:
    world = World(server)
    async with running(server, world.bot):
        yield world


async def test_a_command_is_given_and_its_buttons_are_pressed(world: World) -> None:
    given = await world.server.slash(world.ana, world.channel, "say", {"words": "hello"}).acknowledged()
    assert [response.type for response in given.responses] == [4]
    assert world.last().content == "hello"
    assert world.last().buttons == [("Yes", "vote:yes"), ("Form", "vote:form"), ("Slow", "vote:slow")]
    chosen = await world.server.choose(world.last(), "One").acknowledged()
    assert chosen.original is not None
    assert chosen.original.content == "picked 1"
    await world.server.press(world.server.messages(world.channel)[0], "Yes").acknowledged()
    assert world.server.messages(world.channel)[0].content == "voted yes"
    assert world.server.messages(world.channel)[0].buttons == []


async def test_a_deferred_press_edits_its_message(world: World) -> None:
    await world.server.slash(world.ana, world.channel, "say", {"words": "hello"}).acknowledged()
    pressed = await world.server.press(world.last(), "Slow").acknowledged()
    await world.server.wait_for("PATCH", "@original")
    assert [response.type for response in pressed.responses] == [6]
    assert world.last().content == "edited late"


async def test_a_form_is_opened_and_sent(world: World) -> None:
    await world.server.slash(world.ana, world.channel, "say", {"words": "hello"}).acknowledged()
    opened = await world.server.press(world.last(), "Form").acknowledged()
    assert opened.modal is not None
    assert opened.modal["title"] == "Tell us"
    sent = await world.server.submit(opened, {"words": "a rumour"}).acknowledged()
    assert sent.responses[0].ephemeral
    assert world.last().content == "you wrote a rumour"
    assert world.last().ephemeral_for is world.ana
    with pytest.raises(AssertionError, match="too long"):
        world.server.submit(opened, {"words": "x" * 21})


async def test_what_is_typed_is_completed(world: World) -> None:
    typed = await world.server.autocomplete(world.ana, world.channel, "say", "words", "hel").acknowledged()
    assert typed.choices == [{"name": "HEL", "value": "hel"}]


async def test_a_follow_up_takes_the_promised_place_and_the_next_can_be_edited(world: World) -> None:
    looked = await world.server.slash(world.ana, world.server.direct(world.ana), "look").acknowledged()
    await world.server.wait_for("PATCH", "/webhooks/")
    first, second = world.server.messages(looked.channel)
    assert (first.content, first.ephemeral_for, first.is_thinking) == ("found", world.ana, False)
    assert (second.content, second.ephemeral_for) == ("and much more", None)


async def test_a_message_has_its_menu(world: World) -> None:
    written = world.server.say(world.ana, world.channel, "they take our jobs")
    checked = await world.server.context(world.ana, "Check this", written).acknowledged()
    assert checked.responses[0].data["content"] == "checked they take our jobs"


async def test_commands_keep_their_ids(world: World) -> None:
    ids = {command["name"]: command["id"] for command in world.server.rest.commands[None]}
    await world.bot.tree.sync()
    assert {command["name"]: command["id"] for command in world.server.rest.commands[None]} == ids


async def test_messages_are_read_only_where_the_bot_may(world: World) -> None:
    direct = world.server.direct(world.ana)
    first = world.server.say(world.ana, world.channel, "not for you")
    world.server.say(world.ana, world.channel, "for you", mention=True)
    world.server.say(world.ana, world.channel, "an answer", reply_to=first)
    world.server.say(world.ana, direct, "in private")
    await world.bot.until("MESSAGE_CREATE", 4)
    assert [message.content for message in world.bot.heard] == ["", f"<@{APPLICATION}> for you", "", "in private"]
    assert world.bot.heard[2].reference is not None


async def test_the_same_nonce_gives_the_first_message(world: World) -> None:
    first = await world.there().send("once", nonce="77")
    again = await world.there().send("once", nonce="77")
    assert first.id == again.id
    world.server.advance(600)
    assert (await world.there().send("once", nonce="77")).id != first.id
    assert len(world.server.messages(world.channel)) == 2


async def test_messages_are_edited_deleted_and_carry_files(world: World) -> None:
    file = discord.File(io.BytesIO(b"png"), "card.png", description="A card")
    sent = await world.there().send("with a picture", file=file, embed=discord.Embed(title="T"))
    assert sent.attachments[0].description == "A card"
    assert world.last().files == {"files[0]": b"png"}
    await sent.edit(content="without", attachments=[], embed=None)
    assert (world.last().content, world.last().attachments, world.last().embeds) == ("without", [], [])
    with pytest.raises(discord.HTTPException, match="empty message"):
        await sent.edit(content=None)
    await sent.delete()
    assert world.server.messages(world.channel) == []
    with pytest.raises(discord.NotFound) as caught:
        await sent.edit(content="gone")
    assert caught.value.code == 10008


async def test_threads_begin_in_a_channel_and_at_a_message(world: World) -> None:
    channel = world.bot.get_channel(int(world.channel.id))
    assert isinstance(channel, discord.TextChannel)
    thread = await channel.create_thread(name="Talk", type=discord.ChannelType.public_thread)
    await thread.send("in here")
    assert world.server.messages(str(thread.id))[0].content == "in here"
    message = await channel.send("root")
    assert (await message.create_thread(name="Branch")).id == message.id
    with pytest.raises(discord.HTTPException, match="already been created"):
        await message.create_thread(name="Branch")


async def test_guilds_come_and_go_and_direct_messages_are_opened(world: World) -> None:
    world.server.guild("Others")
    world.server.thread(world.ana, world.channel, "Ours")
    await world.bot.until("THREAD_CREATE")
    assert len(world.bot.guilds) == 2
    await world.bot.guilds[1].leave()
    await world.bot.until("GUILD_DELETE")
    assert [guild.name for guild in world.bot.guilds] == ["Neighbours"]
    ana = discord.Object(int(world.ana.id))
    channel = await world.bot.create_dm(ana)
    await channel.send("hello")
    async with channel.typing():
        pass
    assert world.server.messages(world.server.direct(world.ana))[0].content == "hello"


@pytest.mark.parametrize(
    ("code", "kind"), [(50013, discord.Forbidden), (50007, discord.Forbidden), (10003, discord.NotFound)]
)
async def test_a_channel_can_be_closed_to_the_bot(world: World, code: int, kind: type[discord.HTTPException]) -> None:
    world.server.refuse(world.channel, code)
    with pytest.raises(kind) as caught:
        await world.there().send("hello")
    assert caught.value.code == code


async def test_rate_limits_are_waited_for(world: World) -> None:
    world.server.misbehave("POST", "/messages$", "limit", retry_after=0.05)
    world.server.misbehave("POST", "/messages$", "limit", retry_after=0.05, everywhere=True)
    await world.there().send("patience")
    calls = await world.server.wait_for("POST", "/messages$", 3)
    assert [call.status for call in calls] == [429, 429, 200]
    assert calls[2].at - calls[0].at > 0.09


async def test_trouble_before_does_nothing_and_trouble_after_loses_only_the_answer(world: World) -> None:
    world.server.misbehave("POST", "/messages$", "status", status=503)
    with pytest.raises(discord.DiscordServerError):
        await world.there().send("lost")
    world.server.misbehave("POST", "/messages$", "reset", after=True)
    with pytest.raises((OSError, Exception), match=r"disconnected|reset"):
        await world.there().send("kept", nonce="5")
    world.server.misbehave("POST", "/messages$", "html", status=403)
    with pytest.raises(discord.Forbidden, match="Bad gateway"):
        await world.there().send("cloudflare")
    world.server.misbehave("POST", "/messages$", "stall", seconds=0.05)
    await world.there().send("kept", nonce="5")
    assert [message.content for message in world.server.messages(world.channel)] == ["kept"]


async def callback(server: DiscordServer, given: Any, kind: int = 5) -> tuple[int, int]:
    url = f"{server.api}/interactions/{given.id}/{given.token}/callback"
    async with ClientSession() as session, session.post(url, json={"type": kind}) as answer:
        return answer.status, (await answer.json())["code"] if answer.status != 204 else 0


async def test_an_interaction_is_answered_once_in_time_and_its_token_ends(server: DiscordServer) -> None:
    server.guild()
    ana: Person = server.person("ana")
    server.rest.commands[None] = [{"id": "5", "name": "say", "type": 1}]
    given = server.slash(ana, server.direct(ana), "say")
    assert await callback(server, given) == (204, 0)
    assert await callback(server, given) == (400, 40060)
    late = server.slash(ana, server.direct(ana), "say")
    server.advance(3.1)
    assert await callback(server, late) == (404, 10062)
    url = f"{server.api}/webhooks/{APPLICATION}/{given.token}/messages/@original"
    async with ClientSession() as session:
        async with session.get(url) as answer:
            assert answer.status == 200
        server.advance(15 * 60)
        async with session.get(url) as answer:
            assert (answer.status, (await answer.json())["code"]) == (401, 50027)


async def test_a_closed_line_is_resumed_and_what_was_missed_is_told(world: World) -> None:
    world.server.wire.close_lines(4000)
    await world.server.until(lambda: not world.server.wire.lines)
    world.server.say(world.ana, world.server.direct(world.ana), "meanwhile")
    await world.bot.until("RESUMED")
    assert [message.content for message in world.bot.heard] == ["meanwhile"]
    assert len(world.server.wire.identifies) == len(world.server.wire.resumes) == 1


async def test_a_client_that_is_asked_to_come_back_resumes(world: World) -> None:
    world.server.wire.reconnect()
    await world.bot.until("RESUMED")
    world.server.wire.invalidate(resumable=True)
    await world.bot.until("RESUMED", 2)
    assert len(world.server.wire.identifies) == 1


async def test_a_session_that_is_over_begins_anew(world: World) -> None:
    world.server.wire.invalidate(resumable=False)
    await world.server.identified(2)
    await world.bot.until("GUILD_CREATE", 2)
    assert world.server.wire.resumes == []


async def test_heartbeats_are_acknowledged_and_silence_leads_to_a_new_line(server: DiscordServer) -> None:
    server.wire.interval = 0.03
    server.guild()
    async with running(server, bot := Bot(heartbeat_timeout=0.15)):
        await asyncio.sleep(0.2)
        assert server.wire.beats > 3
        assert server.wire.resumes == []
        server.wire.acks = False
        await bot.until("RESUMED")


async def test_frames_are_compressed_where_the_client_asks(world: World) -> None:
    assert world.server.wire.compressed
    async with ClientSession() as session, session.ws_connect(world.server.gateway + "?compress=zlib-stream") as line:
        frame = await line.receive_bytes(timeout=1)
        assert frame.endswith(b"\x00\x00\xff\xff")


async def test_plain_frames_are_understood_too(server: DiscordServer) -> None:
    server.wire.compresses = False
    server.guild()
    async with running(server, Bot()):
        assert not server.wire.compressed


async def test_a_request_that_is_not_served_ends_the_test(world: World) -> None:
    with pytest.raises(discord.NotFound):
        await world.bot.fetch_premium_sticker_packs()
    assert world.server.violations == ["this server does not know GET /sticker-packs"]
    world.server.violations.clear()


async def test_a_wrong_token_is_refused(server: DiscordServer) -> None:
    async with Bot() as bot:
        with pytest.raises(discord.LoginFailure):
            await bot.start("123456.another")


async def test_a_wrong_token_closes_the_line(server: DiscordServer) -> None:
    async with Bot() as bot:
        await bot.login(TOKEN)
        bot.http.token = "123456.another"
        with pytest.raises(discord.ConnectionClosed) as caught:
            await bot.connect()
        assert caught.value.code == 4004


async def test_a_privileged_intent_must_be_granted(server: DiscordServer) -> None:
    async with Bot(intents=discord.Intents.all()) as bot:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await bot.start(TOKEN)


@pytest.mark.skipif(not FILE.exists(), reason=ABSENT)
async def test_what_discord_would_refuse_ends_the_test() -> None:
    server = DiscordServer()
    async with ClientSession() as session:
        await server.__aenter__()
        channel = server.guild().channels[0]
        headers = {"Authorization": f"Bot {TOKEN}"}
        url = f"{server.api}/channels/{channel.id}/messages"
        async with session.post(url, json={"content": "hi"}, headers=headers) as answer:
            assert answer.status == 400
    with pytest.raises(AssertionError, match="allowed_mentions"):
        await server.close()


class Shards(discord.AutoShardedClient):
    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Do not wait the usual five seconds."""


async def test_a_sharded_client_asks_where_the_gateway_is() -> None:
    async with DiscordServer(validate=False, shards=2) as server:
        guild = server.guild()
        bot = Shards(intents=discord.Intents.default())
        bot._connection.guild_ready_timeout = 0.05
        with server.point():
            task = asyncio.create_task(bot.start(TOKEN))
            try:
                await server.identified(2)
                async with asyncio.timeout(2):
                    await bot.wait_until_ready()
                assert [found.id for found in bot.guilds] == [int(guild.id)]
                assert server.asked("GET", "/gateway/bot")
            finally:
                await bot.close()
                await asyncio.gather(task, return_exceptions=True)
