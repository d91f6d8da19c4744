"""A small Discord: its gateway and REST API over real sockets, and people who use it.

    async with DiscordServer() as server:
        ana, channel = server.person("ana"), server.guild().channels[0]
        with server.point():
            ...start the bot with `TOKEN`...
            await server.identified()
            await server.slash(ana, channel, "rumour", {"words": "they take our jobs"}).acknowledged()
            server.press(server.messages(channel)[-1], "More facts")

Every request and every answer is checked against Discord's own file; `close()` fails if anything was wrong. Builders
push their event at once and return what happened, so a test waits for the bot with `acknowledged` or `wait_for`.
"""

import asyncio
import json
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from types import TracebackType
from typing import Any, Self

import discord
import yarl
from aiohttp import BodyPartReader, web

from tests.platforms.discord.spec import Api

TOKEN = "123456.TEST-token-of-nobody-aaaaaaaaaaaaaaaa"
APPLICATION = "700000000000000001"
WINDOW, LIFE, NONCE_LIFE = 3.0, 15 * 60.0, 5 * 60.0
EPHEMERAL, LOADING = 64, 128
FOREVER = 1 << 30
TEXT, DIRECT, THREAD = 0, 1, 11
_GUILDS, _MEMBERS, _PRESENCES, _GUILD_MESSAGES, _DIRECT_MESSAGES, _CONTENT = (1 << bit for bit in (0, 1, 8, 9, 12, 15))
_PRIVILEGED = _MEMBERS | _PRESENCES | _CONTENT
_EVERYTHING = str((1 << 50) - 1)
_ORDINARY = str(sum(1 << bit for bit in (6, 10, 11, 14, 15, 16, 31, 35, 38)))  # read, write, threads, commands
_EPOCH = 1420070400000
_ticks = count()

REFUSALS = {
    10003: (404, "Unknown Channel"),
    10008: (404, "Unknown Message"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50027: (401, "Invalid Webhook Token"),
    50035: (400, "Invalid Form Body"),
    160004: (400, "A thread has already been created for this message"),
}


class RefusalError(Exception):
    """Discord says no."""

    def __init__(self, code: int, message: str | None = None) -> None:
        self.status, usual = REFUSALS[code]
        self.body = {"code": code, "message": message or usual}
        super().__init__(self.body["message"])


def snowflake() -> str:
    """Return a new id that says when it was made, later than every other."""
    return str(((int(time.time() * 1000) - _EPOCH) << 22) | (next(_ticks) & 0x3FFFFF))


def _now() -> str:
    return datetime.now(UTC).isoformat()


@dataclass(eq=False)
class Person:
    """Somebody with an account; an `admin` may do everything in every guild."""

    name: str
    admin: bool = False
    bot: bool = False
    locale: str = "en-US"
    id: str = field(default_factory=snowflake)

    @property
    def user(self) -> dict[str, Any]:
        """The account as Discord describes it."""
        return {
            "id": self.id,
            "username": self.name,
            "global_name": self.name.title(),
            "discriminator": "0",
            "avatar": None,
            "public_flags": 0,
            "flags": 0,
            "primary_guild": None,
            "bot": self.bot,
        }

    def member(self, guild: "Guild") -> dict[str, Any]:
        """The person as a member of `guild`, without the account."""
        return {
            "roles": [guild.admins] if self.admin else [],
            "joined_at": _now(),
            "nick": None,
            "avatar": None,
            "premium_since": None,
            "pending": False,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "communication_disabled_until": None,
        }


@dataclass(eq=False)
class Guild:
    """A server, as people call it, with channels and threads."""

    name: str
    locale: str = "en-US"
    id: str = field(default_factory=snowflake)
    admins: str = field(default_factory=snowflake)
    owner: str = field(default_factory=snowflake)
    channels: list["Channel"] = field(default_factory=list)

    def describe(self, bot: Person) -> dict[str, Any]:
        """Return the guild as GUILD_CREATE has it."""
        lists = ("emojis", "stickers", "features", "presences", "voice_states", "stage_instances", "soundboard_sounds")
        levels = ("verification_level", "default_message_notifications", "explicit_content_filter", "mfa_level")
        empty: dict[str, Any] = {name: [] for name in (*lists, "guild_scheduled_events")}
        empty |= dict.fromkeys((*levels, "nsfw_level", "premium_tier", "system_channel_flags"), 0)
        empty |= dict.fromkeys(("icon", "banner", "splash", "afk_channel_id", "system_channel_id", "description"))
        return empty | {
            "id": self.id,
            "name": self.name,
            "owner_id": self.owner,
            "preferred_locale": self.locale,
            "afk_timeout": 300,
            "joined_at": _now(),
            "member_count": 3,
            "large": False,
            "unavailable": False,
            "roles": [_role(self.id, "@everyone", _ORDINARY), _role(self.admins, "admins", _EVERYTHING)],
            "members": [bot.member(self) | {"user": bot.user}],
            "channels": [channel.describe() for channel in self.channels if channel.kind == TEXT],
            "threads": [channel.describe() for channel in self.channels if channel.kind != TEXT],
        }


def _role(number: str, name: str, permissions: str) -> dict[str, Any]:
    colors = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
    shape = {"color": 0, "colors": colors, "hoist": False, "position": 0, "managed": False, "mentionable": False}
    return {"id": number, "name": name, "permissions": permissions, "flags": 0, "icon": None} | shape


@dataclass(eq=False)
class Channel:
    """Where messages stand: a guild's channel, a thread, or one person's direct messages."""

    name: str
    kind: int = TEXT
    guild: Guild | None = None
    parent: "Channel | None" = None
    person: Person | None = None
    owner: str = ""
    auto_archive: int = 1440
    refusal: int | None = None
    id: str = field(default_factory=snowflake)
    messages: list["Message"] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """Return the channel as Discord does."""
        common: dict[str, Any] = {"id": self.id, "type": self.kind, "flags": 0, "last_message_id": None}
        if self.person:
            return common | {"recipients": [self.person.user]}
        assert self.guild is not None
        common |= {"name": self.name, "guild_id": self.guild.id, "rate_limit_per_user": 0}
        if self.parent is None:
            more = {"position": 0, "permission_overwrites": [], "nsfw": False, "topic": None, "parent_id": None}
            return common | more
        return common | self._thread(self.parent)

    def _thread(self, parent: "Channel") -> dict[str, Any]:
        archive = {"archived": False, "locked": False, "archive_timestamp": _now()}
        return {
            "parent_id": parent.id,
            "owner_id": self.owner,
            "message_count": 0,
            "member_count": 1,
            "total_message_sent": 0,
            "thread_metadata": archive | {"auto_archive_duration": self.auto_archive},
        }


@dataclass(eq=False)
class Message:
    """A message as everybody, or only `ephemeral_for`, sees it now."""

    channel: Channel
    data: dict[str, Any]
    ephemeral_for: Person | None = None
    interaction: "Interaction | None" = None
    files: dict[str, bytes] = field(default_factory=dict)
    thread: Channel | None = None

    @property
    def id(self) -> str:
        return str(self.data["id"])

    @property
    def content(self) -> str:
        return str(self.data["content"])

    @property
    def embeds(self) -> list[dict[str, Any]]:
        return list(self.data["embeds"])

    @property
    def attachments(self) -> list[dict[str, Any]]:
        return list(self.data["attachments"])

    @property
    def is_thinking(self) -> bool:
        """Tell whether an answer was only promised."""
        return bool(self.data["flags"] & LOADING)

    @property
    def items(self) -> list[dict[str, Any]]:
        """Buttons and selects in reading order."""
        return [item for row in self.data["components"] for item in row.get("components", ())]

    @property
    def buttons(self) -> list[tuple[str, str]]:
        """Each button's label, and its custom_id or URL."""
        buttons = [item for item in self.items if item["type"] == 2]
        return [(item.get("label", ""), item.get("custom_id") or item["url"]) for item in buttons]

    @property
    def selects(self) -> list[dict[str, Any]]:
        return [item for item in self.items if item["type"] == 3]


@dataclass
class Call:
    """A request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    json: Any
    headers: Mapping[str, str]
    files: dict[str, bytes]
    content_type: str
    at: float = field(default_factory=time.monotonic)
    status: int | None = None


@dataclass(frozen=True)
class Response:
    """How the bot answered an interaction."""

    type: int
    data: dict[str, Any]

    @property
    def ephemeral(self) -> bool:
        return bool((self.data.get("flags") or 0) & EPHEMERAL)


@dataclass(eq=False)
class Interaction:
    """Something a person did that awaits the bot's answer."""

    kind: int
    person: Person
    channel: Channel
    data: dict[str, Any]
    began: float
    source: Message | None = None
    locale: str = "en-US"
    id: str = field(default_factory=snowflake)
    token: str = ""
    responses: list[Response] = field(default_factory=list)
    original: Message | None = None
    follow_ups: list[Message] = field(default_factory=list)
    _answered: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.token = f"interaction-{self.id}"

    async def acknowledged(self, timeout: float = 2) -> Self:  # noqa: ASYNC109
        """Wait until the bot has answered."""
        async with asyncio.timeout(timeout):
            await self._answered.wait()
        return self

    @property
    def is_acknowledged(self) -> bool:
        return self._answered.is_set()

    def answer(self, response: Response) -> None:
        """Take the bot's first and only answer."""
        self.responses.append(response)
        self._answered.set()

    @property
    def modal(self) -> dict[str, Any] | None:
        """The form that was opened."""
        return next((response.data for response in self.responses if response.type == 9), None)

    @property
    def choices(self) -> list[dict[str, Any]]:
        """What autocomplete offers."""
        return [choice for response in self.responses if response.type == 8 for choice in response.data["choices"]]


@dataclass
class Trouble:
    """What goes wrong, and how many times more."""

    method: str
    path: re.Pattern[str]
    kind: str
    times: int
    after: bool
    args: dict[str, Any]

    def hits(self, call: Call, *, after: bool) -> bool:
        """Tell whether `call` is to go wrong, and count it."""
        fits = self.method in (call.method, "*") and self.path.search(call.path) is not None
        if not fits or self.after is not after or self.times <= 0:
            return False
        self.times -= 1
        return True


class Line:
    """One websocket: what is sent on it goes out in order."""

    def __init__(self, socket: web.WebSocketResponse, *, compressed: bool) -> None:
        self.socket = socket
        self.compressed = compressed
        self.session: Session | None = None
        self._compressor = zlib.compressobj()
        self._queue: asyncio.Queue[dict[str, Any] | int] = asyncio.Queue()
        self._writer = asyncio.create_task(self._write())

    def send(self, payload: dict[str, Any]) -> None:
        """Send `payload` after what was sent before."""
        self._queue.put_nowait(payload)

    def close(self, code: int) -> None:
        """Close with `code` after what was sent before."""
        self._queue.put_nowait(code)

    async def end(self) -> None:
        """Stop writing."""
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)

    async def _write(self) -> None:
        with suppress(ConnectionError):
            while isinstance(payload := await self._queue.get(), dict):
                text = json.dumps(payload)
                if self.compressed:
                    await self.socket.send_bytes(self._deflate(text.encode()))
                else:
                    await self.socket.send_str(text)
            await self.socket.close(code=payload)

    def _deflate(self, data: bytes) -> bytes:
        return self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)


@dataclass(eq=False)
class Session:
    """What a client that identified itself has been told, and can be told again."""

    intents: int
    shard: tuple[int, int] = (0, 1)
    id: str = field(default_factory=snowflake)
    line: Line | None = None
    told: list[dict[str, Any]] = field(default_factory=list)
    forgotten: bool = False

    def push(self, event: str, data: Mapping[str, Any]) -> None:
        """Tell of `event`, at once or when the session is resumed."""
        if not self._hears(event, data):
            return
        if event == "MESSAGE_CREATE":
            data = self._seen(data)
        payload = {"op": 0, "t": event, "s": len(self.told) + 1, "d": data}
        self.told.append(payload)
        if self.line:
            self.line.send(payload)

    def _hears(self, event: str, data: Mapping[str, Any]) -> bool:
        guild = data.get("guild_id") or (data.get("id") if event.startswith("GUILD_") else None)
        if (int(guild or 0) >> 22) % self.shard[1] != self.shard[0] and event not in ("READY", "RESUMED"):
            return False
        if event.startswith(("GUILD_", "THREAD_")):
            return bool(self.intents & _GUILDS)
        if event.startswith("MESSAGE_"):
            return bool(self.intents & (_GUILD_MESSAGES if guild else _DIRECT_MESSAGES))
        return True

    def _seen(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Leave out what is said, unless the bot may read it: its own, direct, mentioning it."""
        named = {APPLICATION} & {data["author"]["id"], *(user["id"] for user in data["mentions"])}
        if self.intents & _CONTENT or "guild_id" not in data or named:
            return data
        return {**data, "content": "", "embeds": [], "attachments": [], "components": []}


class Gateway:
    """Discord's side of the websockets."""

    def __init__(self, server: "DiscordServer") -> None:
        self._server = server
        self.interval = 41.25  # seconds between heartbeats
        self.acks = True
        self.privileged = 0  # the privileged intents that are granted
        self.compresses = True
        self.identifies: list[dict[str, Any]] = []
        self.resumes: list[dict[str, Any]] = []
        self.beats = 0
        self.sessions: list[Session] = []
        self.lines: list[Line] = []

    @property
    def compressed(self) -> bool:
        """Tell whether a client has asked for compression, and gets it."""
        return any(line.compressed for line in self.lines)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Talk with one client until either hangs up."""
        socket = web.WebSocketResponse(timeout=1, max_msg_size=0)
        await socket.prepare(request)
        asked = request.query.get("compress") == "zlib-stream"
        line = Line(socket, compressed=asked and self.compresses)
        self.lines.append(line)
        line.send({"op": 10, "d": {"heartbeat_interval": int(self.interval * 1000)}})
        try:
            async for message in socket:
                self._receive(line, json.loads(message.data))
        finally:
            self._hang_up(line)
            await line.end()
        return socket

    def push(self, event: str, data: Mapping[str, Any]) -> None:
        """Tell every session that is to hear of it."""
        for session in self.sessions:
            if not session.forgotten:
                session.push(event, data)

    def close_lines(self, code: int) -> None:
        """Close every websocket with `code`."""
        for line in self.lines:
            line.close(code)

    def reconnect(self) -> None:
        """Ask every client to come back (op 7)."""
        for line in self.lines:
            line.send({"op": 7, "d": None})

    def invalidate(self, *, resumable: bool) -> None:
        """Tell every client that its session is over (op 9)."""
        for line in self.lines:
            if line.session and not resumable:
                line.session.forgotten = True
            line.send({"op": 9, "d": resumable})

    def _hang_up(self, line: Line) -> None:
        self.lines.remove(line)
        self._server.changed()
        if line.session and line.session.line is line:
            line.session.line = None

    def _receive(self, line: Line, payload: Mapping[str, Any]) -> None:
        data = payload.get("d")
        match payload["op"]:
            case 1:
                self._beat(line)
            case 2 if isinstance(data, dict):
                self._identify(line, data)
            case 6 if isinstance(data, dict):
                self._resume(line, data)
            case 3 | 4 | 8 if line.session:
                pass
            case 3 | 4 | 8:
                line.close(4003)
            case _:
                line.close(4001)

    def _beat(self, line: Line) -> None:
        self.beats += 1
        if self.acks:
            line.send({"op": 11, "d": None})

    def _identify(self, line: Line, data: dict[str, Any]) -> None:
        self.identifies.append(data)
        if line.session:
            line.close(4005)
        elif data["token"] != TOKEN:
            line.close(4004)
        elif data["intents"] & _PRIVILEGED & ~self.privileged:
            line.close(4014)
        else:
            self._welcome(line, Session(data["intents"], tuple(data.get("shard", (0, 1)))))
            self._server.changed()

    def _welcome(self, line: Line, session: Session) -> None:
        session.line, line.session = line, session
        self.sessions.append(session)
        guilds = [guild for guild in self._server.guilds if session._hears("GUILD_CREATE", {"id": guild.id})]
        session.push("READY", self._ready(session, guilds))
        for guild in guilds:
            session.push("GUILD_CREATE", guild.describe(self._server.bot))

    def _ready(self, session: Session, guilds: Sequence[Guild]) -> dict[str, Any]:
        return {
            "v": 10,
            "user": self._server.bot.user | {"verified": True, "email": None, "mfa_enabled": True},
            "guilds": [{"id": guild.id, "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self._server.gateway,
            "shard": session.shard,
            "application": {"id": APPLICATION, "flags": 0},
        }

    def _resume(self, line: Line, data: dict[str, Any]) -> None:
        self.resumes.append(data)
        session = next((known for known in self.sessions if known.id == data["session_id"]), None)
        if data["token"] != TOKEN:
            line.close(4004)
        elif session is None or session.forgotten:
            line.send({"op": 9, "d": False})
        else:
            session.line, line.session = line, session
            for missed in session.told[data["seq"] :]:
                line.send(missed)
            session.push("RESUMED", {})
            self._server.changed()


Answer = tuple[int, Any]
Handler = Callable[..., Answer]
_ROUTES: list[tuple[str, re.Pattern[str], str]] = []


def _route(method: str, path: str) -> Callable[[Handler], Handler]:
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))

    def register(handler: Handler) -> Handler:
        _ROUTES.append((method, pattern, handler.__name__))
        return handler

    return register


class Rest:
    """Discord's REST API: what its answers are and what they change."""

    def __init__(self, server: "DiscordServer") -> None:
        self._server = server
        self.commands: dict[str | None, list[dict[str, Any]]] = {}
        self._nonces: dict[tuple[str, str], tuple[float, Message]] = {}

    def answer(self, call: Call) -> Answer:
        """Do what `call` asks for and return status and body."""
        for method, pattern, name in _ROUTES:
            if method == call.method and (match := pattern.fullmatch(call.path)):
                return self._try(getattr(self, name), call, match.groupdict())
        raise NotImplementedError(f"this server does not know {call.method} {call.path}")

    def _try(self, handler: Handler, call: Call, found: Mapping[str, str]) -> Answer:
        try:
            return handler(call, **found)
        except RefusalError as no:
            return no.status, no.body

    # who the bot is

    @_route("GET", "/users/@me")
    def own_user(self, call: Call) -> Answer:
        return 200, self._server.bot.user | {"mfa_enabled": True, "locale": "en-US", "verified": True}

    @_route("GET", "/oauth2/applications/@me")
    def oauth_application(self, call: Call) -> Answer:
        return self.application(call)

    @_route("GET", "/applications/@me")
    def application(self, call: Call) -> Answer:
        empty = dict.fromkeys(
            ("icon", "type", "interactions_endpoint_url", "role_connections_verification_url", "team")
        )
        counts = ("guild_count", "user_install_count", "user_authorization_count")
        return 200, {
            **empty,
            **{f"approximate_{name}": 1 for name in counts},
            "id": APPLICATION,
            "name": self._server.bot.name,
            "description": "",
            "verify_key": "0" * 64,
            "flags": 0,
            "flags_new": "0",
            "redirect_uris": [],
            "rpc_origins": [],
            "bot_public": True,
            "bot_require_code_grant": False,
            "owner": self._server.owner.user,
            "explicit_content_filter": 0,
            "eligible_oauth2_scopes": [],
        }

    @_route("GET", "/gateway")
    def gateway(self, call: Call) -> Answer:
        return 200, {"url": self._server.gateway}

    @_route("GET", "/gateway/bot")
    def gateway_bot(self, call: Call) -> Answer:
        limit = {"total": 1000, "remaining": 999, "reset_after": 1000, "max_concurrency": 16}
        shards = self._server.shards
        return 200, {"url": self._server.gateway, "shards": shards, "session_start_limit": limit}

    # commands

    @_route("GET", "/applications/{app}/commands")
    @_route("GET", "/applications/{app}/guilds/{guild}/commands")
    def list_commands(self, call: Call, app: str, guild: str | None = None) -> Answer:
        return 200, self.commands.get(guild, [])

    @_route("PUT", "/applications/{app}/commands")
    @_route("PUT", "/applications/{app}/guilds/{guild}/commands")
    def overwrite_commands(self, call: Call, app: str, guild: str | None = None) -> Answer:
        self.commands[guild] = [self._command(raw, guild) for raw in call.json or ()]
        return 200, self.commands[guild]

    @_route("POST", "/applications/{app}/commands")
    @_route("POST", "/applications/{app}/guilds/{guild}/commands")
    def put_command(self, call: Call, app: str, guild: str | None = None) -> Answer:
        made = self._command(call.json, guild)
        known = self.commands.setdefault(guild, [])
        new = all(command["id"] != made["id"] for command in known)
        self.commands[guild] = [*(command for command in known if command["id"] != made["id"]), made]
        return 201 if new else 200, made

    @_route("PATCH", "/applications/{app}/commands/{command}")
    @_route("PATCH", "/applications/{app}/guilds/{guild}/commands/{command}")
    def edit_command(self, call: Call, app: str, command: str, guild: str | None = None) -> Answer:
        for one in self.commands.get(guild, ()):
            if one["id"] == command:
                one.update(_filled(call.json), version=snowflake())
                return 200, one
        raise RefusalError(10063)

    @_route("DELETE", "/applications/{app}/commands/{command}")
    @_route("DELETE", "/applications/{app}/guilds/{guild}/commands/{command}")
    def delete_command(self, call: Call, app: str, command: str, guild: str | None = None) -> Answer:
        known = self.commands.get(guild, [])
        if all(one["id"] != command for one in known):
            raise RefusalError(10063)
        self.commands[guild] = [one for one in known if one["id"] != command]
        return 204, None

    def _command(self, raw: Mapping[str, Any], guild: str | None) -> dict[str, Any]:
        kind = raw.get("type") or 1
        known = (one for one in self.commands.get(guild, ()) if (one["name"], one["type"]) == (raw["name"], kind))
        identity = next((str(one["id"]) for one in known), None) or snowflake()
        allowed = raw.get("default_member_permissions")
        command: dict[str, Any] = {"id": identity, "application_id": APPLICATION, "version": snowflake()}
        command |= {"description": ""} | ({"guild_id": guild} if guild else {})
        permissions = {"default_member_permissions": None if allowed is None else str(allowed)}
        described: dict[str, Any] = _filled(raw)
        return command | described | permissions | {"type": kind}

    # channels and guilds

    @_route("GET", "/channels/{channel}")
    def get_channel(self, call: Call, channel: str) -> Answer:
        return 200, self._channel(channel).describe()

    @_route("POST", "/channels/{channel}/typing")
    def type_in(self, call: Call, channel: str) -> Answer:
        self._channel(channel, writing=True)
        return 204, None

    @_route("POST", "/users/@me/channels")
    def open_direct(self, call: Call) -> Answer:
        person = self._server.people.get(str(call.json["recipient_id"]))
        if person is None:
            raise RefusalError(50007)
        return 200, self._server.direct(person).describe()

    @_route("DELETE", "/users/@me/guilds/{guild}")
    def leave(self, call: Call, guild: str) -> Answer:
        left = next((one for one in self._server.guilds if one.id == guild), None)
        if left is None:
            raise RefusalError(50001)
        self._server.leave(left)
        return 204, None

    @_route("POST", "/channels/{channel}/threads")
    def begin_thread(self, call: Call, channel: str) -> Answer:
        return 201, self._thread(call, self._channel(channel, writing=True), call.json.get("type") or 12).describe()

    @_route("POST", "/channels/{channel}/messages/{message}/threads")
    def begin_thread_of_message(self, call: Call, channel: str, message: str) -> Answer:
        of = self._message(self._channel(channel, writing=True), message)
        if of.thread:
            raise RefusalError(160004)
        of.thread = self._thread(call, of.channel, THREAD, of.id)
        return 201, of.thread.describe()

    def _thread(self, call: Call, parent: Channel, kind: int, number: str | None = None) -> Channel:
        if parent.guild is None or parent.parent:
            raise RefusalError(50035, "Cannot execute action on this channel type")
        thread = Channel(call.json["name"], kind, parent.guild, parent, owner=APPLICATION, id=number or snowflake())
        thread.auto_archive = call.json.get("auto_archive_duration") or 1440
        self._server.open(thread)
        return thread

    def _channel(self, number: str, *, writing: bool = False) -> Channel:
        channel = self._server.channels.get(number)
        if channel is None:
            raise RefusalError(10003)
        if channel.refusal and (writing or channel.refusal not in (50007, 50013)):
            raise RefusalError(channel.refusal)
        return channel

    # messages

    @_route("GET", "/channels/{channel}/messages")
    def list_messages(self, call: Call, channel: str) -> Answer:
        public = [one.data for one in self._channel(channel).messages if not one.ephemeral_for]
        return 200, public[::-1][: int(call.query.get("limit", 50))]

    @_route("POST", "/channels/{channel}/messages")
    def create_message(self, call: Call, channel: str) -> Answer:
        where = self._channel(channel, writing=True)
        key = (channel, str(call.json.get("nonce")))
        until, first = self._nonces.get(key, (0.0, None))
        if call.json.get("enforce_nonce") and first and self._server.now() < until:
            return 200, first.data
        message = self._server.post(where, self._server.bot, call.json, call.files)
        if call.json.get("nonce"):
            message.data["nonce"] = call.json["nonce"]
            self._nonces[key] = (self._server.now() + NONCE_LIFE, message)
        self._server.announce(message)
        return 200, message.data

    @_route("GET", "/channels/{channel}/messages/{message}")
    def get_message(self, call: Call, channel: str, message: str) -> Answer:
        return 200, self._message(self._channel(channel), message).data

    @_route("PATCH", "/channels/{channel}/messages/{message}")
    def edit_message(self, call: Call, channel: str, message: str) -> Answer:
        edited = self._message(self._channel(channel, writing=True), message)
        if edited.data["author"]["id"] != APPLICATION:
            raise RefusalError(50013)
        _edit(edited, call.json, call.files)
        return 200, edited.data

    @_route("DELETE", "/channels/{channel}/messages/{message}")
    def delete_message(self, call: Call, channel: str, message: str) -> Answer:
        where = self._channel(channel)
        where.messages.remove(self._message(where, message))
        return 204, None

    def _message(self, where: Channel, number: str) -> Message:
        for message in where.messages:
            if message.id == number and not message.ephemeral_for:
                return message
        raise RefusalError(10008)

    # interactions

    @_route("POST", "/interactions/{interaction}/{token}/callback")
    def acknowledge(self, call: Call, interaction: str, token: str) -> Answer:
        deed = self._server.interactions.get(token)
        if deed is None or deed.id != interaction:
            raise RefusalError(10062)
        if deed.is_acknowledged:
            raise RefusalError(40060)
        if self._server.now() - deed.began > self._server.window:
            raise RefusalError(10062)
        response = Response(call.json["type"], call.json.get("data") or {})
        self._respond(deed, response, call)
        deed.answer(response)
        if call.query.get("with_response", "").lower() in ("1", "true"):
            return 200, _callback(deed, response)
        return 204, None

    def _respond(self, deed: Interaction, response: Response, call: Call) -> None:
        allowed = {2: {4, 5, 9}, 3: {4, 5, 6, 7, 9}, 4: {8}, 5: {4, 5} | ({6, 7} if deed.source else set())}
        if response.type not in allowed[deed.kind]:
            raise RefusalError(50035, f"an interaction of type {deed.kind} is not answered with {response.type}")
        match response.type:
            case 4:
                deed.original = self._server.post_for(deed, response.data, call.files)
            case 5:
                flags = LOADING | ((response.data.get("flags") or 0) & EPHEMERAL)
                deed.original = self._server.post_for(deed, {"flags": flags}, {})
            case 6:
                deed.original = deed.source
            case 7 if deed.source:
                deed.original = deed.source
                _edit(deed.source, response.data, call.files)

    @_route("POST", "/webhooks/{app}/{token}")
    def follow_up(self, call: Call, app: str, token: str) -> Answer:
        deed = self._deed(app, token)
        if deed.original and deed.original.is_thinking:  # what was promised comes first, as was promised
            _fill(deed.original, call)
            return 200, deed.original.data
        message = self._server.post_for(deed, call.json, call.files)
        deed.follow_ups.append(message)
        return 200, message.data

    @_route("GET", "/webhooks/{app}/{token}/messages/{message}")
    def get_follow_up(self, call: Call, app: str, token: str, message: str) -> Answer:
        return 200, self._told(app, token, message).data

    @_route("PATCH", "/webhooks/{app}/{token}/messages/{message}")
    def edit_follow_up(self, call: Call, app: str, token: str, message: str) -> Answer:
        edited = self._told(app, token, message)
        if edited.is_thinking:
            _fill(edited, call)
        else:
            _edit(edited, call.json, call.files)
        return 200, edited.data

    @_route("DELETE", "/webhooks/{app}/{token}/messages/{message}")
    def delete_follow_up(self, call: Call, app: str, token: str, message: str) -> Answer:
        deleted = self._told(app, token, message)
        deleted.channel.messages.remove(deleted)
        return 204, None

    def _deed(self, app: str, token: str) -> Interaction:
        deed = self._server.interactions.get(token)
        if app != APPLICATION or deed is None or not deed.is_acknowledged:
            raise RefusalError(10015)
        if self._server.now() - deed.began > LIFE:
            raise RefusalError(50027)
        return deed

    def _told(self, app: str, token: str, number: str) -> Message:
        deed = self._deed(app, token)
        told = [message for message in (deed.original, deed.source, *deed.follow_ups) if message]
        for message in told:
            fits = message is deed.original if number == "@original" else message.id == number
            if fits and message in message.channel.messages:
                return message
        raise RefusalError(10008)


def _callback(deed: Interaction, response: Response) -> dict[str, Any]:
    answered: dict[str, Any] = {"id": deed.id, "type": deed.kind, "channel_id": deed.channel.id}
    if deed.channel.guild:
        answered["guild_id"] = deed.channel.guild.id
    if deed.original is None:
        return {"interaction": answered}
    answered["response_message_id"] = deed.original.id
    answered["response_message_loading"] = deed.original.is_thinking
    answered["response_message_ephemeral"] = deed.original.ephemeral_for is not None
    if response.type not in (4, 7):
        return {"interaction": answered}
    return {"interaction": answered, "resource": {"type": response.type, "message": deed.original.data}}


def _filled(value: Any) -> Any:
    """Return JSON without its nulls: Discord leaves out what is not set."""
    if isinstance(value, dict):
        return {key: _filled(child) for key, child in value.items() if child is not None}
    return [_filled(child) for child in value] if isinstance(value, list) else value


def _edit(message: Message, body: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Change what `body` names and nothing else."""
    changed = {**message.data, "edited_timestamp": _now()}
    if "content" in body:
        changed["content"] = body["content"] or ""
    if "embeds" in body:
        changed["embeds"] = _embeds(body)
    if "components" in body:
        changed["components"] = _components(body)
    if "attachments" in body:
        kept = {str(one["id"]) for one in body["attachments"] or ()}
        changed["attachments"] = [one for one in message.attachments if one["id"] in kept]
    changed["attachments"] = changed["attachments"] + _attachments(body, files)
    if not any(changed[part] for part in ("content", "embeds", "components", "attachments")):
        raise RefusalError(50006)
    message.files |= files
    message.data |= changed


def _fill(message: Message, call: Call) -> None:
    """Put what was promised in the place that was kept for it."""
    _edit(message, call.json, call.files)
    message.data["flags"] &= ~LOADING
    message.data["edited_timestamp"] = None


def _embeds(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "rich", **_filled(embed)} for embed in body.get("embeds") or ()]


def _components(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    numbers = count(1)
    rows: list[dict[str, Any]] = _filled(body.get("components") or [])
    for row in rows:
        row["id"] = next(numbers)
        for item in row.get("components", ()):
            item["id"] = next(numbers)
            item.pop("required", None)  # only a form shows it
            if item["type"] != 2:
                item |= {"min_values": item.get("min_values", 1), "max_values": item.get("max_values", 1)}
    return rows


def _attachments(body: Mapping[str, Any], files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    described = {f"files[{one['id']}]": one for one in body.get("attachments") or ()}
    made = []
    for name, content in files.items():
        about = described.get(name, {})
        number, filename = snowflake(), about.get("filename") or "file"
        url = f"https://cdn.example.org/attachments/{number}/{filename}"
        one = {"id": number, "filename": filename, "size": len(content), "url": url, "proxy_url": url}
        made.append(one | ({"description": about["description"]} if about.get("description") else {}))
    return made


class DiscordServer:
    """Discord on a port of this machine."""

    def __init__(self, *, validate: bool = True, window: float = WINDOW, shards: int = 1) -> None:
        self._spec = Api.load() if validate else None
        self.window = window
        self.shards = shards
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self.bot = Person("hearsay", bot=True, id=APPLICATION)
        self.owner = Person("owner", admin=True)
        self.people: dict[str, Person] = {self.owner.id: self.owner}
        self.guilds: list[Guild] = []
        self.channels: dict[str, Channel] = {}
        self.interactions: dict[str, Interaction] = {}
        self.wire = Gateway(self)
        self.rest = Rest(self)
        self._troubles: list[Trouble] = []
        self._ahead = 0.0
        self._changed = asyncio.Condition()
        self._ending = AsyncExitStack()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    # life

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=64 << 20)
        application.router.add_get("/gateway", self.wire.serve)
        application.router.add_get("/gateway/", self.wire.serve)
        application.router.add_route("*", "/api/v10/{path:.*}", self._serve)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        self._ending.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()
        if error is None:
            self._complain()

    async def close(self) -> None:
        """Stop; raise if anything was asked or answered that Discord would not."""
        await self._stop()
        self._complain()

    async def _stop(self) -> None:
        for line in list(self.wire.lines):
            await line.end()
            await line.socket.close(code=1001)
        await self._ending.aclose()
        await asyncio.gather(*self._tasks)

    def _complain(self) -> None:
        if self.violations:
            raise AssertionError("\n".join(self.violations))

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v10"

    @property
    def gateway(self) -> str:
        return f"ws://127.0.0.1:{self.port}/gateway"

    @contextmanager
    def point(self) -> Iterator[None]:
        """Make discord.py talk to this server instead of Discord."""
        base, gateway = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
        discord.http.Route.BASE = self.api
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(self.gateway)
        try:
            yield
        finally:
            discord.http.Route.BASE = base
            discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway

    # time and waiting

    def now(self) -> float:
        """Return this server's clock in seconds."""
        return time.monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let time pass for tokens, windows and nonces."""
        self._ahead += seconds

    def changed(self) -> None:
        """Wake whoever waits for something to happen."""
        task = asyncio.create_task(self._notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, happened: Callable[[], bool], timeout: float = 2) -> None:  # noqa: ASYNC109
        """Wait until something that changes with a request or a session has `happened`."""
        async with asyncio.timeout(timeout), self._changed:
            await self._changed.wait_for(happened)

    async def identified(self, times: int = 1, timeout: float = 2) -> None:  # noqa: ASYNC109
        """Wait until that many sessions have begun."""
        await self.until(lambda: len(self.wire.sessions) >= times, timeout)

    async def wait_for(self, method: str, path: str, count: int = 1, timeout: float = 2) -> list[Call]:  # noqa: ASYNC109
        """Wait until `count` requests to paths that match `path` were answered, or begun to be; return them all."""
        await self.until(lambda: len(self.asked(method, path)) >= count, timeout)
        return self.asked(method, path)

    def asked(self, method: str, path: str) -> list[Call]:
        """Return the requests so far to paths in which `path` is found."""
        return [call for call in self.calls if call.method == method and re.search(path, call.path)]

    # trouble

    def misbehave(
        self, method: str, path: str, kind: str, times: int = 1, *, after: bool = False, **args: Any
    ) -> Trouble:
        """Let matching requests go wrong; `after` does what was asked and only loses the answer.

        Kinds: `limit` (retry_after, everywhere, via), `status` (status, code, message), `html` (status), `garbage`,
        `reset`, `stall` (seconds).
        """
        assert kind in ("limit", "status", "html", "garbage", "reset", "stall"), kind
        trouble = Trouble(method, re.compile(path), kind, times, after, args)
        self._troubles.append(trouble)
        return trouble

    def behave(self) -> None:
        """Forget all trouble."""
        self._troubles.clear()

    def refuse(self, channel: Channel, code: int | None) -> None:
        """Refuse the bot in `channel` with `code` (10003, 50001, 50007, 50013) from now on."""
        channel.refusal = code

    def _trouble(self, call: Call, *, after: bool) -> Trouble | None:
        return next((trouble for trouble in self._troubles if trouble.hits(call, after=after)), None)

    # REST

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        call = await _read(request)
        self.calls.append(call)
        self.changed()
        before = self._trouble(call, after=False)
        if before and (answer := await self._suffer(before, call, request)):
            return answer
        status, body = self._answer(call)
        after = self._trouble(call, after=True)
        if after and (answer := await self._suffer(after, call, request)):
            return answer
        call.status = status
        return _plain(status, body)

    def _answer(self, call: Call) -> Answer:
        if call.headers.get("Authorization") != f"Bot {TOKEN}" and not re.match("/(interactions|webhooks)/", call.path):
            return 401, {"code": 0, "message": "401: Unauthorized"}
        spec = self._spec
        wrong = spec.check_request(call.method, call.path, call.query, call.json, call.content_type) if spec else []
        self.violations += wrong
        if wrong:
            return 400, {"code": 50035, "message": "; ".join(wrong)}
        try:
            status, body = self.rest.answer(call)
        except NotImplementedError as error:
            self.violations.append(str(error))
            return 404, {"code": 0, "message": "404: Not Found"}
        if spec:
            self.violations += spec.check_response(call.method, call.path, status, body)
        return status, body

    async def _suffer(self, trouble: Trouble, call: Call, request: web.Request) -> web.StreamResponse | None:
        match trouble.kind:
            case "stall":
                await asyncio.sleep(trouble.args.get("seconds", 0.1))
                return None
            case "reset":
                if request.transport:
                    request.transport.abort()
                return web.Response(status=500)
        call.status, answer = self._broken(trouble, call)
        return answer

    def _broken(self, trouble: Trouble, call: Call) -> tuple[int, web.Response]:
        status = trouble.args.get("status", 429 if trouble.kind == "limit" else 500)
        if trouble.kind == "limit":
            return status, _limited(**trouble.args)
        if trouble.kind == "html":
            return status, web.Response(status=status, text="<html>Bad gateway</html>", content_type="text/html")
        if trouble.kind == "garbage":
            return 200, web.Response(text="{", content_type="text/plain")
        body = {"code": trouble.args.get("code", 0), "message": trouble.args.get("message", "Internal Server Error")}
        return status, _plain(status, body)

    # the world

    def guild(
        self, name: str = "Neighbours", *, locale: str = "en-US", channels: Sequence[str] = ("general",)
    ) -> Guild:
        """Return a guild that the bot is in, or joins now."""
        guild = Guild(name, locale)
        for channel in channels:
            self._place(Channel(channel, TEXT, guild))
        self.join(guild)
        return guild

    def person(self, name: str, *, admin: bool = False, locale: str = "en-US") -> Person:
        """Return somebody new."""
        person = Person(name, admin, locale=locale)
        self.people[person.id] = person
        return person

    def direct(self, person: Person) -> Channel:
        """Return the one channel of direct messages with `person`."""
        for channel in self.channels.values():
            if channel.person is person:
                return channel
        return self._place(Channel(person.name, DIRECT, person=person))

    def join(self, guild: Guild) -> None:
        """Let the bot be added to `guild`."""
        self.guilds.append(guild)
        self.wire.push("GUILD_CREATE", guild.describe(self.bot))

    def leave(self, guild: Guild) -> None:
        """Let the bot be taken out of `guild`."""
        self.guilds.remove(guild)
        for channel in guild.channels:
            del self.channels[channel.id]
        self.wire.push("GUILD_DELETE", {"id": guild.id})

    def outage(self, guild: Guild) -> None:
        """Let `guild` be unreachable for a while: the bot has not left it."""
        self.wire.push("GUILD_DELETE", {"id": guild.id, "unavailable": True})

    def thread(self, person: Person, parent: Channel, name: str) -> Channel:
        """Let `person` begin a thread."""
        thread = Channel(name, THREAD, parent.guild, parent, owner=person.id)
        self.open(thread)
        return thread

    def open(self, thread: Channel) -> None:
        """Tell of a new thread."""
        self._place(thread)
        self.wire.push("THREAD_CREATE", thread.describe() | {"newly_created": True})

    def _place(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        if channel.guild:
            channel.guild.channels.append(channel)
        return channel

    def messages(self, channel: Channel | str | int) -> list[Message]:
        """Return what stands in `channel`, edits applied, deletions gone."""
        where = channel if isinstance(channel, Channel) else self.channels[str(channel)]
        return list(where.messages)

    def post(self, channel: Channel, author: Person, body: Mapping[str, Any], files: Mapping[str, bytes]) -> Message:
        """Put a message into `channel`."""
        data: dict[str, Any] = {
            "id": snowflake(),
            "channel_id": channel.id,
            "type": 19 if body.get("message_reference") else 0,
            "author": author.user,
            "content": body.get("content") or "",
            "embeds": _embeds(body),
            "components": _components(body),
            "attachments": _attachments(body, files),
            "timestamp": _now(),
            "edited_timestamp": None,
            "flags": body.get("flags") or 0,
            "mentions": [],
            "mention_roles": [],
            "mention_everyone": False,
            "pinned": False,
            "tts": bool(body.get("tts")),
        }
        if reference := body.get("message_reference"):
            place = str(reference.get("channel_id") or channel.id)
            data["message_reference"] = {"type": 0, "channel_id": place, "message_id": str(reference["message_id"])}
        message = Message(channel, data, files=dict(files))
        channel.messages.append(message)
        return message

    def post_for(self, deed: Interaction, body: Mapping[str, Any], files: Mapping[str, bytes]) -> Message:
        """Put the bot's answer to `deed` where it happened, for one person where it is ephemeral."""
        message = self.post(deed.channel, self.bot, body, files)
        message.interaction = deed
        message.data |= {"webhook_id": APPLICATION, "application_id": APPLICATION}
        if deed.kind == 2 and not deed.is_acknowledged:
            message.data["type"] = 20 if deed.data["type"] == 1 else 23
        if message.data["flags"] & EPHEMERAL:
            message.ephemeral_for = deed.person
        else:
            self.announce(message)
        return message

    def announce(self, message: Message) -> None:
        """Tell of a message that everybody sees, as it is now."""
        event, guild = json.loads(json.dumps(message.data)), message.channel.guild
        if guild:
            event["guild_id"] = guild.id
            author = self.people.get(event["author"]["id"], self.bot)
            event["member"] = author.member(guild)
        self.wire.push("MESSAGE_CREATE", event)

    # what people do

    def say(
        self, person: Person, channel: Channel, text: str, *, mention: bool = False, reply_to: Message | None = None
    ) -> Message:
        """Let `person` write `text`, before it the bot's name if `mention`."""
        body: dict[str, Any] = {"content": f"<@{APPLICATION}> {text}" if mention else text}
        if reply_to:
            body["message_reference"] = {"message_id": reply_to.id, "channel_id": reply_to.channel.id}
        message = self.post(channel, person, body, {})
        mentioned = [self.bot.user] if mention else []
        if reply_to:
            message.data["referenced_message"] = reply_to.data
            if not mention or reply_to.data["author"]["id"] != APPLICATION:
                mentioned.append(reply_to.data["author"])
        message.data["mentions"] = mentioned
        self.announce(message)
        return message

    def slash(
        self,
        person: Person,
        channel: Channel,
        name: str,
        options: Mapping[str, Any] | None = None,
        *,
        locale: str | None = None,
    ) -> Interaction:
        """Let `person` give the command `name`, of a group `group name`."""
        return self._do(2, person, channel, self._command_data(channel, name, options or {}), locale=locale)

    def autocomplete(
        self,
        person: Person,
        channel: Channel,
        name: str,
        option: str,
        text: str,
        *,
        options: Mapping[str, Any] | None = None,
        locale: str | None = None,
    ) -> Interaction:
        """Let `person` have typed `text` into `option` so far."""
        data = self._command_data(channel, name, {**(options or {}), option: text}, focused=option)
        return self._do(4, person, channel, data, locale=locale)

    def context(self, person: Person, name: str, message: Message, *, locale: str | None = None) -> Interaction:
        """Let `person` choose `name` from the menu of `message`."""
        command = self._registered(message.channel, name, 3)
        data = {"id": command["id"], "name": name, "type": 3, "target_id": message.id}
        data["resolved"] = {"messages": {message.id: message.data}}
        return self._do(2, person, message.channel, data, locale=locale)

    def press(
        self, message: Message, label: str, person: Person | None = None, *, locale: str | None = None
    ) -> Interaction:
        """Let `person`, or whom `message` is for, press the button so labelled or with that custom_id."""
        for item in message.items:
            if item["type"] == 2 and label in (item.get("label"), item.get("custom_id")) and "custom_id" in item:
                assert not item.get("disabled"), f"{label!r} cannot be pressed"
                data = {"component_type": 2, "custom_id": item["custom_id"], "id": item["id"]}
                return self._do(3, person or self._reader(message), message.channel, data, message, locale)
        raise LookupError(f"no button {label!r} among {message.buttons}")

    def choose(
        self, message: Message, value: str, person: Person | None = None, *, locale: str | None = None
    ) -> Interaction:
        """Let `person`, or whom `message` is for, choose the option with that value or label."""
        for item in message.selects:
            for option in item["options"]:
                if value in (option["value"], option["label"]):
                    chosen = {"component_type": 3, "custom_id": item["custom_id"], "id": item["id"]}
                    data = chosen | {"values": [option["value"]]}
                    return self._do(3, person or self._reader(message), message.channel, data, message, locale)
        raise LookupError(f"no option {value!r}")

    def submit(self, opened: Interaction, texts: Mapping[str, str]) -> Interaction:
        """Let whoever got a form send it with `texts` by custom_id."""
        form = opened.modal
        assert form is not None, "no form was opened"
        unknown = set(texts) - set(_inputs(form))
        assert not unknown, f"no such fields: {unknown}"
        components = [_submitted(part, texts) for part in form["components"]]
        data = {"custom_id": form["custom_id"], "components": components}
        return self._do(5, opened.person, opened.channel, data, opened.source, opened.locale)

    def _reader(self, message: Message) -> Person:
        if message.ephemeral_for or message.channel.person:
            return message.ephemeral_for or message.channel.person or self.owner
        return message.interaction.person if message.interaction else self.owner

    def _do(
        self,
        kind: int,
        person: Person,
        channel: Channel,
        data: dict[str, Any],
        source: Message | None = None,
        locale: str | None = None,
    ) -> Interaction:
        seen_by = source.ephemeral_for if source else None
        assert seen_by in (None, person), f"{person.name} cannot see what is for {seen_by and seen_by.name}"
        deed = Interaction(kind, person, channel, data, self.now(), source, locale or person.locale)
        self.interactions[deed.token] = deed
        self.wire.push("INTERACTION_CREATE", json.loads(json.dumps(self._event(deed))))
        return deed

    def _event(self, deed: Interaction) -> dict[str, Any]:
        event: dict[str, Any] = {
            "id": deed.id,
            "application_id": APPLICATION,
            "type": deed.kind,
            "token": deed.token,
            "version": 1,
            "data": deed.data,
            "channel": deed.channel.describe(),
            "channel_id": deed.channel.id,
            "locale": deed.locale,
            "entitlements": [],
            "authorizing_integration_owners": {},
            "app_permissions": _ORDINARY,
            "attachment_size_limit": 10 << 20,
            "context": 0 if deed.channel.guild else 1,
        }
        if deed.source:
            event["message"] = deed.source.data
        return event | self._doer(deed)

    def _doer(self, deed: Interaction) -> dict[str, Any]:
        guild, person = deed.channel.guild, deed.person
        if guild is None:
            return {"user": person.user}
        permissions = _EVERYTHING if person.admin else _ORDINARY
        return {
            "guild_id": guild.id,
            "guild_locale": guild.locale,
            "guild": {"id": guild.id, "locale": guild.locale, "features": []},
            "member": person.member(guild) | {"user": person.user, "permissions": permissions},
        }

    def _registered(self, channel: Channel, name: str, kind: int) -> dict[str, Any]:
        scopes = [channel.guild.id, None] if channel.guild else [None]
        known: Iterator[dict[str, Any]] = (command for scope in scopes for command in self.rest.commands.get(scope, ()))
        for command in known:
            if (command["name"], command["type"]) == (name, kind):
                return command
        raise LookupError(f"no command {name!r} is registered")

    def _command_data(
        self, channel: Channel, path: str, values: Mapping[str, Any], focused: str | None = None
    ) -> dict[str, Any]:
        name, *steps = path.split()
        command = self._registered(channel, name, 1)
        data: dict[str, Any] = {"id": command["id"], "name": name, "type": 1, "options": []}
        data |= {"guild_id": command["guild_id"]} if "guild_id" in command else {}
        level, described = data["options"], command.get("options", [])
        for step in steps:
            inner = next(option for option in described if option["name"] == step)
            level.append({"name": step, "type": inner["type"], "options": []})
            level, described = level[-1]["options"], inner.get("options", [])
        level.extend(_given(described, values, focused))
        return data


def _given(described: Sequence[Mapping[str, Any]], values: Mapping[str, Any], focused: str | None) -> Iterator[Any]:
    known = {option["name"]: option for option in described}
    assert values.keys() <= known.keys(), f"no such options: {values.keys() - known.keys()}"
    missing = {name for name, option in known.items() if option.get("required")} - values.keys()
    assert focused or not missing, f"required: {missing}"
    for name, value in values.items():
        offered = [choice["value"] for choice in known[name].get("choices", ())]
        assert focused or not offered or value in offered, f"{value!r} is not offered for {name!r}"
        yield {"name": name, "type": known[name]["type"], "value": value} | (
            {"focused": True} if name == focused else {}
        )


def _inputs(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form's fields by custom_id, in rows or under labels."""
    parts = [inner for part in form["components"] for inner in (*part.get("components", ()), part.get("component"))]
    return {part["custom_id"]: part for part in parts if part and "custom_id" in part}


def _submitted(part: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    if part["type"] == 1:
        return {"type": 1, "id": 1, "components": [_typed(inner, texts) for inner in part["components"]]}
    if part["type"] == 18:
        return {"type": 18, "id": 1, "component": _typed(part["component"], texts)}
    return {"type": part["type"], "id": 1}


def _typed(shown: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """Return one field as sent; a person cannot type more or less than the form allows."""
    text = texts.get(shown["custom_id"], shown.get("value") or "")
    least = shown.get("min_length") or (1 if shown.get("required", True) else 0)
    assert not text or len(text) >= least, f"too short: {text!r}"
    assert text or not shown.get("required", True), f"required: {shown['custom_id']}"
    assert len(text) <= (shown.get("max_length") or 4000), f"too long: {len(text)}"
    return {"type": 4, "id": 2, "custom_id": shown["custom_id"], "value": text}


async def _read(request: web.Request) -> Call:
    body, files = await _body(request)
    query, path = dict(request.query), "/" + request.match_info["path"]
    return Call(
        request.method, path, query, body, request.headers.copy(), files, request.headers.get("Content-Type", "")
    )


async def _body(request: web.Request) -> tuple[Any, dict[str, bytes]]:
    if not request.can_read_body:
        return None, {}
    if request.content_type != "multipart/form-data":
        return json.loads(await request.read()), {}
    body, files = None, {}
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        if part.name == "payload_json":
            body = json.loads(await part.text())
        else:
            files[str(part.name)] = bytes(await part.read())
    return body, files


def _plain(status: int, body: Any) -> web.Response:
    headers = {"X-RateLimit-Limit": "100000", "X-RateLimit-Remaining": "99999", "X-RateLimit-Reset-After": "1"}
    headers |= {"Via": "1.1 google", "X-RateLimit-Reset": str(time.time() + 1)}
    if body is None:
        return web.Response(status=status, headers=headers)
    # discord.py reads JSON only where the type is exactly this, without a charset
    headers["Content-Type"] = "application/json"
    return web.Response(status=status, body=json.dumps(body).encode(), headers=headers)


def _limited(retry_after: float = 0.05, *, everywhere: bool = False, via: bool = True) -> web.Response:
    body = {"code": 0, "message": "You are being rate limited.", "retry_after": retry_after, "global": everywhere}
    answer = _plain(429, body)
    answer.headers["X-RateLimit-Remaining"] = "0"
    answer.headers["X-RateLimit-Reset-After"] = str(retry_after)
    answer.headers["X-RateLimit-Reset"] = str(time.time() + retry_after)
    answer.headers["X-RateLimit-Scope"] = "global" if everywhere else "user"
    answer.headers["Retry-After"] = str(max(1, round(retry_after)))
    if everywhere:
        answer.headers["X-RateLimit-Global"] = "true"
    if not via:
        del answer.headers["Via"]
    return answer
