"""A small Telegram on a local socket: what bots say to it is judged by material that is not ours."""

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import count
from math import ceil
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from tests.platforms.telegram.spec import BotApi, Json, Upload, units

TOKEN = "123456:TEST-token-of-nobody-aaaaaaaaaaaaaaaa"
ME: Json = {"id": 123456, "is_bot": True, "first_name": "Hearsay", "username": "HearsayTestBot"}
PNG = b"\x89PNG\r\n\x1a\n"
UNASKED = {"chat_member", "message_reaction", "message_reaction_count"}
TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"
UNMODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
RIVAL = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
HOOKED = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
NO_HTTPS = "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"
BAD_PORT = "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"
HTML = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
ANONYMOUS: Json = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}

_MARK = re.compile(r"(?:^|(?<=\s))/[A-Za-z0-9_]{1,32}(?:@\w+)?|(?<![\w/@])@\w{4,32}")
_IMAGES = (PNG[:4], b"\xff\xd8\xff", b"GIF8", b"RIFF")
_ADMIN_RIGHTS = (
    "can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members can_promote_members "
    "can_change_info can_invite_users can_post_stories can_edit_stories can_delete_stories"
)
_RESTRICTED_RIGHTS = (
    "can_send_messages can_send_audios can_send_documents can_send_photos can_send_videos can_send_video_notes "
    "can_send_voice_notes can_send_polls can_send_other_messages can_add_web_page_previews can_react_to_messages "
    "can_edit_tag can_change_info can_invite_users can_pin_messages can_manage_topics"
)
T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """One request of the bot, its fields decoded, `at` which moment of the monotonic clock."""

    method: str
    fields: Json
    at: float
    files: Mapping[str, Upload]
    wrong: tuple[str, ...] = ()


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, description: str, status: int = 0, **parameters: int) -> None:
        super().__init__(description)
        self.description = description
        self.status = status or (403 if description.startswith("Forbidden") else 400)
        self.parameters = parameters


@dataclass(frozen=True)
class Shown:
    """A message as people see it; `force_reply` is the placeholder of a prompt, None where nothing is prompted for."""

    raw: Json
    force_reply: str | None = None
    photo: bytes | None = None

    @property
    def id(self) -> int:
        return int(self.raw["message_id"])

    @property
    def text(self) -> str:
        return str(self.raw.get("text", self.raw.get("caption", "")))

    @property
    def by_bot(self) -> bool:
        return bool(self.raw.get("from", {}).get("id") == ME["id"])

    @property
    def buttons(self) -> list[tuple[str, str]]:
        rows = self.raw.get("reply_markup", {}).get("inline_keyboard", [])
        return [(button["text"], _meaning(button)) for row in rows for button in row]


@dataclass
class Room:
    """A chat: `refusal` says why the bot may not write there."""

    chat: Json
    refusal: str | None = None
    messages: dict[int, Json] = field(default_factory=dict)
    prompts: dict[int, str] = field(default_factory=dict)
    members: dict[int, Json] = field(default_factory=dict)
    topics: set[int] = field(default_factory=set)
    moved_to: int | None = None
    last: int = 0

    def number(self) -> int:
        self.last += 1
        return self.last

    def named(self, refusal: str) -> str:
        return f"Forbidden: bot {refusal} the {self.chat['type']}{' chat' if self.chat['type'] != 'channel' else ''}"


@dataclass
class Trouble:
    """A fault that is to come: `left` more times, before or `after` the effect."""

    pattern: str
    kind: int | str
    left: int
    after: bool
    arguments: Json


class World:
    """People, chats, messages and what people do; each deed is an update that the bot may be told of."""

    def __init__(self) -> None:
        self.rooms: dict[int, Room] = {}
        self.people: dict[int, Json] = {ME["id"]: self._me()}
        self.files: dict[str, bytes] = {}
        self._queries: dict[str, str] = {}
        self._update_ids = count(700_001)
        self._numbers = count(1)
        self._entered: set[int] = set()

    def person(self, number: int, language_code: str | None = "en", first_name: str = "Ana", **more: Any) -> Json:
        """Return a user who has not yet written to the bot."""
        user = {"id": number, "is_bot": False, "first_name": first_name, **more}
        if language_code:
            user["language_code"] = language_code
        chat = {"id": number, "type": "private", **_only(user, "first_name", "last_name", "username")}
        self.people[number] = user
        self.rooms.setdefault(number, Room(chat, "Forbidden: bot can't initiate conversation with a user"))
        return user

    def group(self, number: int, title: str = "Group", topics: bool = False, **more: Any) -> Json:
        """Return a chat in which the bot already is: a supergroup if its id is one's."""
        kind = "supergroup" if number < -(10**12) else "group"
        chat = {"id": number, "type": kind, "title": title, **({"is_forum": True} if topics else {}), **more}
        self.rooms[number] = Room(chat, members={ME["id"]: member(self._me(), "member")})
        return chat

    def anonymous(self, chat: Json) -> Json:
        """Return how an anonymous administrator of `chat` appears; `text` adds the chat as its sender."""
        return {**ANONYMOUS, "sender_chat": chat}

    def text(self, chat: Json, sender: Json, text: str, **more: Any) -> Json:
        """Write `text`; `more` is reply_to, topic, forwarded or any field of a message."""
        marks = marked(text)
        return self._said(chat, sender, {"text": text, **({"entities": marks} if marks else {})}, **more)

    def caption(self, chat: Json, sender: Json, text: str, **more: Any) -> Json:
        """Send a picture with words under it."""
        marks = marked(text)
        content = {"photo": self._photo(PNG), "caption": text, **({"caption_entities": marks} if marks else {})}
        return self._said(chat, sender, content, **more)

    def photo(self, chat: Json, sender: Json, **more: Any) -> Json:
        """Send a picture without words."""
        return self._said(chat, sender, {"photo": self._photo(PNG)}, **more)

    def voice(self, chat: Json, sender: Json, **more: Any) -> Json:
        """Send a voice message."""
        voice = {**self._file(b"OggS"), "duration": 3, "mime_type": "audio/ogg"}
        return self._said(chat, sender, {"voice": voice}, **more)

    def sticker(self, chat: Json, sender: Json, **more: Any) -> Json:
        """Send a sticker."""
        shape = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
        return self._said(chat, sender, {"sticker": {**self._file(b"RIFF"), **shape, "emoji": "👍"}}, **more)

    def press(self, message: Shown, label: str, by: Json | None = None) -> Json:
        """Press the button with that label, as it was on the screen that `message` is."""
        data = next((data for text, data in message.buttons if text == label), None)
        if data is None:
            raise LookupError(f"no button {label!r} among {message.buttons}")
        chat = message.raw["chat"]
        held = self.rooms[chat["id"]].messages.get(message.id)
        gone = {"chat": chat, "message_id": message.id, "date": 0}
        query = {"from": by or self.people[chat["id"]], "message": held or gone, "data": data}
        return self._asked("callback_query", {**query, "chat_instance": str(7_000_000 + abs(chat["id"]))})

    def inline(self, sender: Json, query: str, offset: str = "", chat_type: str = "sender") -> Json:
        """Type `query` behind the bot's name somewhere."""
        return self._asked("inline_query", {"from": sender, "query": query, "offset": offset, "chat_type": chat_type})

    def my_chat_member(self, chat: Json, by: Json, old_status: str, new_status: str) -> Json:
        """Change what the bot is in a chat: block it, add it, throw it out, make it an administrator."""
        change = {"chat": self._chat(chat), "from": by, "date": _now()}
        old, new = (member(self._me(), status) for status in (old_status, new_status))
        return self._update("my_chat_member", {**change, "old_chat_member": old, "new_chat_member": new})

    def migrated(self, old: int, new: int, *, seen_from_new: bool = False) -> Json:
        """Turn a group into a supergroup, as told in the old chat or in the new one."""
        self.migrate(old, new)
        where, told = (new, {"migrate_from_chat_id": old}) if seen_from_new else (old, {"migrate_to_chat_id": new})
        return self._said(self.rooms[where].chat, ANONYMOUS, told)

    def migrate(self, old: int, new: int) -> None:
        """Make the chat `old` refer to `new` from now on."""
        if new not in self.rooms:
            self.group(new, self.rooms[old].chat["title"])
        self.rooms[old].moved_to = new

    def admin(self, chat: Json, person: Json, status: str = "administrator") -> None:
        """Make a person an administrator, or whatever `status` says."""
        self.rooms[chat["id"]].members[person["id"]] = member(person, status)

    def open_chat(self, user_id: int) -> None:
        """Let the bot write to a person, as if they had pressed Start."""
        if user_id not in self.people:
            self.person(user_id)
        self.rooms[user_id].refusal = None

    def block(self, user_id: int) -> None:
        """Let a person block the bot."""
        self.rooms[user_id].refusal = "Forbidden: bot was blocked by the user"

    def kick(self, chat_id: int) -> None:
        """Throw the bot out of a chat."""
        room = self.rooms[chat_id]
        room.refusal = room.named("was kicked from")

    def mute(self, chat_id: int) -> None:
        """Forbid the bot to write in a chat."""
        self.rooms[chat_id].refusal = "Bad Request: not enough rights to send {} to the chat"

    def age(self, update: Json) -> None:
        """Let a callback or inline query become too old to be answered."""
        query = update.get("callback_query") or update["inline_query"]
        self._queries[query["id"]] = "old"

    def unanswered(self) -> list[str]:
        """Return the ids of callback queries that were told to the bot and not answered."""
        return [query for query, state in self._queries.items() if state == "told" and query.startswith("c")]

    def messages(self, chat_id: int) -> list[Shown]:
        """Return what stands in a chat now, oldest first, people's messages too."""
        room = self.rooms[chat_id]
        return [self.shown(message) for message in room.messages.values()]

    def said(self, chat_id: int) -> list[Shown]:
        """Return what the bot said in a chat, as it stands now."""
        return [message for message in self.messages(chat_id) if message.by_bot]

    def shown(self, raw: Json) -> Shown:
        """Return how a message looks."""
        prompt = self.rooms[raw["chat"]["id"]].prompts.get(raw["message_id"])
        photo = self.files.get(raw["photo"][-1]["file_id"]) if "photo" in raw else None
        return Shown(raw, prompt, photo)

    def enter(self, update: Json) -> None:
        """Let what an update tells of have happened; a second time changes nothing."""
        if update["update_id"] in self._entered:
            return
        self._entered.add(update["update_id"])
        if message := update.get("message"):
            self._enter_message(message)
        if query := update.get("callback_query"):
            self._open(query["message"]["chat"])
        if change := update.get("my_chat_member"):
            self._enter_change(change)
        for kind in ("callback_query", "inline_query"):
            if kind in update and self._queries.get(update[kind]["id"]) == "made":
                self._queries[update[kind]["id"]] = "told"

    def _enter_message(self, message: Json) -> None:
        room = self.rooms[message["chat"]["id"]]
        room.messages[message["message_id"]] = message
        self._open(message["chat"])
        sender = message.get("from")
        if sender and sender["id"] not in room.members:
            room.members[sender["id"]] = member(sender, "member")
        if message.get("is_topic_message"):
            room.topics.add(message["message_thread_id"])

    def _enter_change(self, change: Json) -> None:
        room, new = self.rooms[change["chat"]["id"]], change["new_chat_member"]
        room.members[ME["id"]] = new
        room.refusal = None
        if new["status"] in ("kicked", "left"):
            if room.chat["type"] == "private":
                self.block(room.chat["id"])
            else:
                room.refusal = room.named("was kicked from" if new["status"] == "kicked" else "is not a member of")
        elif new["status"] == "restricted":
            self.mute(room.chat["id"])

    def _open(self, chat: Json) -> None:
        if chat["type"] == "private":
            self.open_chat(chat["id"])

    def _me(self) -> Json:
        return dict(ME)

    def _chat(self, chat: Json) -> Json:
        """Return the chat that is meant: a person stands for the private chat with them."""
        return self.rooms[chat["id"]].chat

    def _said(
        self,
        chat: Json,
        sender: Json,
        content: Json,
        *,
        reply_to: Shown | None = None,
        topic: int | None = None,
        forwarded: bool = False,
        **more: Any,
    ) -> Json:
        room = self.rooms[chat["id"]]
        message = {"message_id": room.number(), "date": _now(), "chat": room.chat, **self._from(sender)}
        if topic is not None:
            message |= {"message_thread_id": topic, "is_topic_message": True}
            message["reply_to_message"] = self._topic(room, topic)
        if reply_to is not None:
            message |= self._reply(room, reply_to.raw)
        if forwarded:
            message["forward_origin"] = {"type": "hidden_user", "date": _now(), "sender_user_name": "Somebody"}
        return self._update("message", {**message, **content, **more})

    def _from(self, sender: Json) -> Json:
        if "sender_chat" not in sender:
            return {"from": sender}
        return {"from": ANONYMOUS, "sender_chat": sender["sender_chat"]}

    def _reply(self, room: Room, to: Json) -> Json:
        """Return what marks a reply; in a supergroup it belongs to the thread of what it replies to."""
        found: Json = {"reply_to_message": {key: value for key, value in to.items() if key != "reply_to_message"}}
        if room.chat["type"] == "supergroup" and "is_forum" not in room.chat:
            found["message_thread_id"] = to.get("message_thread_id", to["message_id"])
        return found

    def _topic(self, room: Room, topic: int) -> Json:
        """Return the message that opened a topic, to which whatever is said in it is a reply."""
        opened = {"name": f"Topic {topic}", "icon_color": 7322096}
        where = {"message_thread_id": topic, "is_topic_message": True}
        room.last = max(room.last, topic)
        told = {"date": _now(), "chat": room.chat, "from": ANONYMOUS, "forum_topic_created": opened}
        return {"message_id": topic, **told, **where}

    def _asked(self, kind: str, content: Json) -> Json:
        number = f"{kind[0]}{next(self._numbers)}"
        self._queries[number] = "made"
        return self._update(kind, {"id": number, **content})

    def _update(self, kind: str, content: Json) -> Json:
        return {"update_id": next(self._update_ids), kind: content}

    def _file(self, data: bytes) -> Json:
        number = f"file-{next(self._numbers)}"
        self.files[number] = data
        return {"file_id": number, "file_unique_id": f"u{number}", "file_size": len(data)}

    def _photo(self, data: bytes) -> list[Json]:
        return [{**self._file(data), "width": side, "height": side} for side in (90, 640)]


class BotServer(World):
    """Serves the Bot API at `url`, remembers every call and complains at its end about whatever was not allowed."""

    def __init__(self, token: str = TOKEN, *, validate: bool = True) -> None:
        super().__init__()
        self.token = token
        self.url = ""
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self.pending: list[Json] = []
        self.unwanted: list[Json] = []
        self.refused: list[Call] = []
        self.commands: dict[tuple[str, str], list[Json]] = {}
        self.words: dict[tuple[str, str], str] = {}
        self.webhook: Json | None = None
        self.any_webhook_url = False
        self.limits = False
        self.validate = validate
        self._api = BotApi.load() or BotApi({})
        self._allowed: set[str] | None = None
        self._troubles: list[Trouble] = []
        self._polls = 0
        self._pace = Pace()
        self._closing = False
        self._bell = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._client: ClientSession | None = None

    async def __aenter__(self) -> "BotServer":
        app = web.Application(client_max_size=50 * 2**20)
        app.router.add_route("*", "/bot{token}/{method}", self._handle)
        app.router.add_get("/file/bot{token}/{path}", self._download)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._client = ClientSession(timeout=ClientTimeout(total=10))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()
        if kind is None:
            self._complain()

    async def close(self) -> None:
        """Stop serving; raise `AssertionError` if anything that is not allowed happened."""
        await self._stop()
        self._complain()

    def _complain(self) -> None:
        if self.violations:
            raise AssertionError("not allowed by the Bot API:\n" + "\n".join(self.violations))

    async def _stop(self) -> None:
        self._closing = True
        self._ring()
        if self._client:
            await self._client.close()
        if self._runner:
            await self._runner.cleanup()
        self._client = self._runner = None

    # What tests ask and do.

    def calls_of(self, method: str) -> list[Call]:
        """Return the calls of one method, oldest first."""
        return [call for call in self.calls if call.method == method]

    async def wait_for(self, method: str, count: int = 1, timeout: float = 2) -> list[Call]:  # noqa: ASYNC109
        """Wait until a method was called so many times."""
        return await self.until(lambda: self._so_many(method, count), timeout)

    def _so_many(self, method: str, count: int) -> list[Call] | None:
        found = self.calls_of(method)
        return found if len(found) >= count else None

    async def until(self, condition: Callable[[], T | None], timeout: float = 2) -> T:  # noqa: ASYNC109
        """Wait until `condition`, asked whenever something was answered, says something true; return that."""
        async with asyncio.timeout(timeout):
            while not (found := condition()):
                await self._bell.wait()
        return found

    def send(self, update: Json) -> Json:
        """Queue an update for getUpdates, if the bot asked for its kind."""
        self._check(update)
        self.enter(update)
        if self._wanted(update):
            self.pending.append(update)
            self._ring()
        else:
            self.unwanted.append(update)
        return update

    async def arrive(self, update: Json) -> Json:
        """Let an update come in whichever way the bot gets them."""
        if not self.webhook:
            return self.send(update)
        await self.deliver(update)
        return update

    async def post_update(self, update: Json, secret: str | None = None) -> int:
        """Post an update to the webhook once, with its secret or a wrong one; return the status, 0 for no answer."""
        self._check(update)
        assert self._client, "not serving"
        assert self.webhook, "no webhook is set"
        assert self._wanted(update), "the bot did not ask for such updates"
        self.enter(update)
        known = self.webhook["secret"] if secret is None else secret
        headers = {"X-Telegram-Bot-Api-Secret-Token": known} if known else {}
        try:
            async with self._client.post(self.webhook["url"], json=update, headers=headers) as answer:
                self._read_webhook_answer(await answer.read())
                return answer.status
        except (ClientError, TimeoutError):
            return 0

    async def deliver(self, update: Json, tries: int = 10, pause: float = 0.02) -> int:
        """Post an update until it is accepted; return how many tries that took."""
        for number in range(1, tries + 1):
            status = await self.post_update(update)
            if 200 <= status < 300:
                return number
            assert self.webhook, "the webhook is gone"
            self.webhook["error"] = f"Wrong response from the webhook: {status}" if status else "Connection refused"
            await asyncio.sleep(pause)
        raise AssertionError(f"not accepted in {tries} tries: {update}")

    def misbehave(self, method: str, kind: int | str, times: int = 1, *, after: bool = False, **arguments: Any) -> None:
        """Fail the next calls of methods like `method`; `after` their effect, which nobody can then be sure of.

        Kinds: 400 and 403 (description), 429 (retry_after), 500, 502, "garbage", "reset" (no answer at all),
        "headers" and "half" (cut off there), "stall" (seconds, then no answer), "slow" (seconds, then all is well).
        """
        self._troubles.append(Trouble(method, kind, times, after, arguments))

    def behave(self) -> None:
        """Forget the faults that are still to come."""
        self._troubles.clear()

    def rival(self) -> None:
        """Let another process ask for updates with the same token."""
        self._polls += 1
        self._ring()

    # The way of a request.

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self.token:
            return _failed(RefusedError("Unauthorized", 401))
        method = request.match_info["method"]
        call = await self._read(request, method)
        self.calls.append(call)
        self._ring()
        trouble = self._trouble(method)
        if trouble and trouble.kind == "slow":
            await self._pause(trouble.arguments.get("seconds", 0.1))
            trouble = None
        if trouble and not trouble.after:
            return await self._break(request, trouble, _answered(True))
        answer = await self._answer(call)
        self._ring()
        return await self._break(request, trouble, answer) if trouble else answer

    async def _read(self, request: web.Request, method: str) -> Call:
        fields: Json = dict(request.query)
        files: dict[str, Upload] = {}
        if request.content_type == "application/json":
            fields |= await self._json(request)
        else:
            for name, value in (await request.post()).items():
                if isinstance(value, web.FileField):
                    with value.file:
                        files[name] = Upload(name, value.filename, value.file.read())
                else:
                    fields[name] = value
        fields |= self._direct_files(fields, files)
        violations = self._api.check_request(method, fields, files) if self.validate else []
        self.violations += violations
        return Call(method, self._api.decode(method, fields), time.monotonic(), files, tuple(violations))

    async def _json(self, request: web.Request) -> Json:
        try:
            found = await request.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            self.violations.append(f"{request.match_info['method']}: the body is no JSON object")
        return found if isinstance(found, dict) else {}

    def _direct_files(self, fields: Json, files: Mapping[str, Upload]) -> Json:
        """Return the files that are parameters themselves, not attached to one."""
        named = json.dumps(fields)
        return {name: file for name, file in files.items() if f"attach://{name}" not in named}

    async def _answer(self, call: Call) -> web.Response:
        try:
            if call.wrong:
                raise RefusedError(f"Bad Request: {call.wrong[0]}")
            self._limit(call)
            result = await self._do(call)
        except RefusedError as refusal:
            return _failed(refusal)
        if self.validate:
            self.violations += [f"(our server) {wrong}" for wrong in self._api.check_result(call.method, result)]
        return _answered(result)

    async def _do(self, call: Call) -> Any:
        if call.method == "getUpdates":
            return await self._get_updates(call.fields)
        deed = getattr(self, "_do_" + re.sub("([A-Z])", r"_\1", call.method).lower(), None)
        if deed is None:
            self.violations.append(f"{call.method}: this server cannot do it")
            raise RefusedError("Not Found", 404)
        try:
            return deed({name: _file_of(value, call) for name, value in call.fields.items()})
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
        ) as error:  # what the checks let pass and yet cannot be done
            if self.validate:
                self.violations.append(f"{call.method}: {error!r} in {call.fields}")
            raise RefusedError("Bad Request: invalid parameters") from error

    def _trouble(self, method: str) -> Trouble | None:
        for trouble in self._troubles:
            if trouble.left > 0 and fnmatchcase(method, trouble.pattern):
                trouble.left -= 1
                return trouble
        return None

    async def _break(self, request: web.Request, trouble: Trouble, answer: web.Response) -> web.StreamResponse:
        kind, arguments = trouble.kind, trouble.arguments
        if kind == "garbage":
            return web.Response(text=HTML, content_type="text/html")
        if kind == 502:
            return web.Response(status=502, text=HTML, content_type="text/html")
        if kind == "stall":
            await self._pause(arguments.get("seconds", 1))
            return answer if trouble.after else _cut(request, answer)
        if kind in ("headers", "half"):
            return await _cut_off(request, answer, half=kind == "half")
        if kind == "reset":
            return _cut(request, answer)
        return _failed(_scripted(int(kind), arguments))

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        end = time.monotonic() + seconds
        while not self._closing and (left := end - time.monotonic()) > 0:
            await self._rung(left)

    async def _rung(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        except TimeoutError:
            return

    def _ring(self) -> None:
        """Wake whoever waits for something to happen."""
        self._bell.set()
        self._bell = asyncio.Event()

    def _check(self, update: Json) -> None:
        if not self.validate:
            return
        if wrong := self._api.check_update(update):
            raise AssertionError(f"not an update that Telegram would send: {wrong}")

    def _read_webhook_answer(self, body: bytes) -> None:
        if b'"method"' in body:
            self.violations.append("a method in the answer to a webhook: this server does not do it")

    def _limit(self, call: Call) -> None:
        chat = call.fields.get("chat_id")
        if not self.limits or not isinstance(chat, int) or not call.method.startswith(("send", "edit")):
            return
        if call.method != "sendChatAction" and (wait := self._pace.wait(chat)):
            self.refused.append(call)
            raise RefusedError(f"Too Many Requests: retry after {wait}", 429, retry_after=wait)

    # Updates.

    async def _get_updates(self, asked: Json) -> list[Json]:
        if self.webhook:
            raise RefusedError(HOOKED, 409)
        self._polls += 1
        turn = self._polls
        self._ring()
        self._ask_for(asked)
        self._confirm(asked.get("offset", 0))
        end = time.monotonic() + asked.get("timeout", 0)
        while not self.pending and not self._closing and (left := end - time.monotonic()) > 0:
            await self._rung(left)
            self._may_poll(turn)
        return self.pending[: asked.get("limit", 100)]

    def _may_poll(self, turn: int) -> None:
        if self.webhook:
            raise RefusedError("Conflict: terminated by setWebhook request", 409)
        if self._polls != turn:
            raise RefusedError(RIVAL, 409)

    def _ask_for(self, asked: Json) -> None:
        if "allowed_updates" in asked:
            self._allowed = set(asked["allowed_updates"]) or None

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            self.pending = self.pending[offset:]
        else:
            self.pending = [update for update in self.pending if update["update_id"] >= offset]

    def _wanted(self, update: Json) -> bool:
        kind = next(name for name in update if name != "update_id")
        return kind in self._allowed if self._allowed else kind not in UNASKED

    def _do_set_webhook(self, asked: Json) -> bool:
        if not asked["url"]:
            return self._do_delete_webhook(asked)
        self._may_hook(asked["url"])
        self._ask_for(asked)
        if asked.get("drop_pending_updates"):
            self.pending.clear()
        self.webhook = {
            "url": asked["url"],
            "secret": asked.get("secret_token"),
            "connections": asked.get("max_connections", 40),
        }
        self._ring()
        return True

    def _may_hook(self, url: str) -> None:
        parts = urlsplit(url)
        if self.any_webhook_url:
            return
        if parts.scheme != "https" or not parts.hostname:
            raise RefusedError(NO_HTTPS)
        if parts.port not in (None, 80, 88, 443, 8443):
            raise RefusedError(BAD_PORT)

    def _do_delete_webhook(self, asked: Json) -> bool:
        self.webhook = None
        if asked.get("drop_pending_updates"):
            self.pending.clear()
        return True

    def _do_get_webhook_info(self, _: Json) -> Json:
        found: Json = {"url": "", "has_custom_certificate": False, "pending_update_count": len(self.pending)}
        if self._allowed:
            found["allowed_updates"] = sorted(self._allowed)
        if self.webhook:
            found |= {"url": self.webhook["url"], "max_connections": self.webhook["connections"]}
            if "error" in self.webhook:
                found |= {"last_error_date": _now(), "last_error_message": self.webhook["error"]}
        return found

    # The bot itself.

    def _do_get_me(self, _: Json) -> Json:
        rights = {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": True}
        more = ("can_connect_to_business", "has_main_web_app", "has_topics_enabled", "allows_users_to_create_topics")
        return {**self._me(), **rights, **dict.fromkeys(more, False)}

    def _do_set_my_commands(self, asked: Json) -> bool:
        self.commands[_scope(asked)] = asked["commands"]
        return True

    def _do_delete_my_commands(self, asked: Json) -> bool:
        self.commands.pop(_scope(asked), None)
        return True

    def _do_get_my_commands(self, asked: Json) -> list[Json]:
        return self.commands.get(_scope(asked), [])

    def _do_set_my_name(self, asked: Json) -> bool:
        return self._set_words("name", asked)

    def _do_get_my_name(self, asked: Json) -> Json:
        return self._words("name", asked)

    def _do_set_my_description(self, asked: Json) -> bool:
        return self._set_words("description", asked)

    def _do_get_my_description(self, asked: Json) -> Json:
        return self._words("description", asked)

    def _do_set_my_short_description(self, asked: Json) -> bool:
        return self._set_words("short_description", asked)

    def _do_get_my_short_description(self, asked: Json) -> Json:
        return self._words("short_description", asked)

    def _set_words(self, name: str, asked: Json) -> bool:
        self.words[name, asked.get("language_code", "")] = asked.get(name, "")
        return True

    def _words(self, name: str, asked: Json) -> Json:
        own = self.words.get((name, asked.get("language_code", "")))
        return {name: own or self.words.get((name, ""), "")}

    def _do_set_my_default_administrator_rights(self, _: Json) -> bool:
        return True

    def _do_set_chat_menu_button(self, _: Json) -> bool:
        return True

    # Chats.

    def _room(self, asked: Json) -> Room:
        room = self.rooms.get(asked["chat_id"]) or next(
            (room for room in self.rooms.values() if f"@{room.chat.get('username')}" == asked["chat_id"]), None
        )
        if room is None:
            raise RefusedError("Bad Request: chat not found")
        if room.moved_to:
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            raise RefusedError(text, migrate_to_chat_id=room.moved_to)
        if room.refusal and "{}" not in room.refusal:
            raise RefusedError(room.refusal)
        return room

    def _writable(self, asked: Json, what: str = "text messages") -> Room:
        room = self._room(asked)
        if room.refusal:
            raise RefusedError(room.refusal.format(what))
        return room

    def _do_get_chat(self, asked: Json) -> Json:
        kinds = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
        more = {"accent_color_id": 1, "max_reaction_count": 11, "accepted_gift_types": dict.fromkeys(kinds, True)}
        return {**self._room(asked).chat, **more}

    def _do_get_chat_member(self, asked: Json) -> Json:
        room = self._room(asked)
        found = room.members.get(asked["user_id"])
        if found:
            posts = room.chat["type"] == "channel" and found["status"] == "administrator"
            return {**({"can_post_messages": True, "can_edit_messages": True} if posts else {}), **found}
        if asked["user_id"] not in self.people:
            raise RefusedError("Bad Request: member not found")
        return member(self.people[asked["user_id"]], "left")

    def _do_get_chat_administrators(self, asked: Json) -> list[Json]:
        room = self._room(asked)
        if room.chat["type"] == "private":
            raise RefusedError("Bad Request: there are no administrators in the private chat")
        return [it for it in room.members.values() if it["status"] in ("creator", "administrator")]

    def _do_leave_chat(self, asked: Json) -> bool:
        room = self._room(asked)
        if room.chat["type"] == "private":
            raise RefusedError("Bad Request: chat not found")
        room.refusal = room.named("is not a member of")
        return True

    # Messages.

    def _do_send_message(self, asked: Json) -> Json:
        room = self._writable(asked)
        if not asked["text"].strip():
            raise RefusedError("Bad Request: message text is empty")
        return self._post(room, asked, _only(asked, "text", "entities"))

    def _do_send_photo(self, asked: Json) -> Json:
        room = self._writable(asked, "photos")
        return self._post(
            room, asked, {"photo": self._sent(asked["photo"]), **_only(asked, "caption", "caption_entities")}
        )

    def _sent(self, photo: Any) -> list[Json]:
        if isinstance(photo, Upload):
            if not photo.data.startswith(_IMAGES):
                raise RefusedError("Bad Request: IMAGE_PROCESS_FAILED")
            return self._photo(photo.data)
        if photo in self.files or photo.startswith("https://"):
            return self._photo(self.files.get(photo, PNG))
        raise RefusedError("Bad Request: wrong remote file identifier specified: Wrong string length")

    def _post(self, room: Room, asked: Json, content: Json) -> Json:
        where = self._place(room, asked)
        message = {"message_id": room.number(), "date": _now(), "chat": room.chat, "from": self._me(), **where}
        markup = asked.get("reply_markup", {})
        if markup.get("inline_keyboard"):
            message["reply_markup"] = markup
        if markup.get("force_reply"):
            room.prompts[message["message_id"]] = markup.get("input_field_placeholder", "")
        room.messages[message["message_id"]] = message | {key: value for key, value in content.items() if value}
        return room.messages[message["message_id"]]

    def _place(self, room: Room, asked: Json) -> Json:
        found: Json = {}
        if (topic := asked.get("message_thread_id")) is not None:
            if topic not in room.topics:
                raise RefusedError("Bad Request: message thread not found")
            found |= {"message_thread_id": topic, "is_topic_message": True}
        if reply := asked.get("reply_parameters"):
            to = room.messages.get(reply["message_id"])
            if to is None and not reply.get("allow_sending_without_reply"):
                raise RefusedError("Bad Request: message to be replied not found")
            found |= self._reply(room, to) if to else {}
        return found

    def _do_edit_message_text(self, asked: Json) -> Json | bool:
        return self._edit(asked, "text", _only(asked, "text", "entities"))

    def _do_edit_message_caption(self, asked: Json) -> Json | bool:
        return self._edit(asked, "photo", _only(asked, "caption", "caption_entities"))

    def _do_edit_message_reply_markup(self, asked: Json) -> Json | bool:
        return self._edit(asked, "message_id", None)

    def _edit(self, asked: Json, needed: str, content: Json | None) -> Json | bool:
        if "inline_message_id" in asked:
            return True
        room, held = self._own(asked, "edit")
        if needed not in held:
            raise RefusedError(f"Bad Request: there is no {needed} in the message to edit")
        names = {"text", "entities", "caption", "caption_entities"} if content is not None else set()
        markup = asked.get("reply_markup", {})
        new = {key: value for key, value in held.items() if key not in names | {"reply_markup", "edit_date"}}
        new |= {key: value for key, value in (content or {}).items() if value}
        new |= {"reply_markup": markup} if markup.get("inline_keyboard") else {}
        if new == {key: value for key, value in held.items() if key != "edit_date"}:
            raise RefusedError(UNMODIFIED)
        room.messages[held["message_id"]] = {**new, "edit_date": _now()}
        return room.messages[held["message_id"]]

    def _own(self, asked: Json, verb: str) -> tuple[Room, Json]:
        room = self._room(asked)
        held = room.messages.get(asked["message_id"])
        if held is None:
            raise RefusedError(f"Bad Request: message to {verb} not found")
        may = verb == "delete" and room.chat["type"] == "private"
        if held.get("from", {}).get("id") != ME["id"] and not may:
            raise RefusedError(f"Bad Request: message can't be {verb}ed".replace("eed", "ed"))
        return room, held

    def _do_delete_message(self, asked: Json) -> bool:
        room, held = self._own(asked, "delete")
        del room.messages[held["message_id"]]
        return True

    def _do_send_chat_action(self, asked: Json) -> bool:
        self._writable(asked)
        return True

    def _do_set_message_reaction(self, asked: Json) -> bool:
        if asked["message_id"] not in self._room(asked).messages:
            raise RefusedError("Bad Request: message to react not found")
        return True

    def _do_answer_callback_query(self, asked: Json) -> bool:
        return self._settle(asked["callback_query_id"])

    def _do_answer_inline_query(self, asked: Json) -> bool:
        return self._settle(asked["inline_query_id"])

    def _settle(self, query: str) -> bool:
        state = self._queries.get(query)
        if state == "answered":
            self.violations.append(f"{query}: answered twice")
        if state != "told":
            raise RefusedError(TOO_OLD)
        self._queries[query] = "answered"
        return True

    def _do_get_file(self, asked: Json) -> Json:
        if asked["file_id"] not in self.files:
            raise RefusedError("Bad Request: invalid file_id")
        size = len(self.files[asked["file_id"]])
        name = asked["file_id"]
        return {"file_id": name, "file_unique_id": f"u{name}", "file_size": size, "file_path": name}

    async def _download(self, request: web.Request) -> web.Response:
        data = self.files.get(request.match_info["path"])
        if data is None or request.match_info["token"] != self.token:
            return _failed(RefusedError("Not Found", 404))
        return web.Response(body=data)


class Pace:
    """Telegram's own limits: 30 a second in all, one a second in a private chat, 20 a minute in a group."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all: deque[float] = deque(maxlen=30)
        self._groups: dict[int, deque[float]] = {}
        self._due: dict[int, float] = {}

    def wait(self, chat: int) -> int:
        """Return how many seconds a message has to wait; 0, and count it, if it need not."""
        now = self._clock()
        left = max(_window(self._all, now, 1), self._left(chat, now))
        if left > 0:
            return ceil(left)
        self._all.append(now)
        if chat < 0:
            self._groups[chat].append(now)
        else:
            self._due[chat] = max(self._due.get(chat, now), now) + 1
        return 0

    def _left(self, chat: int, now: float) -> float:
        if chat < 0:
            return _window(self._groups.setdefault(chat, deque(maxlen=20)), now, 60)
        return self._due.get(chat, now) - now - 2  # two may be early: three at once


def member(user: Json, status: str) -> Json:
    """Return somebody as a member of a chat, with no more rights than `status` must have."""
    found: Json = {"status": status, "user": user}
    if status == "administrator":
        found |= {"can_be_edited": False, "is_anonymous": False, **dict.fromkeys(_ADMIN_RIGHTS.split(), True)}
    elif status == "restricted":
        found |= {"is_member": True, "until_date": 0, **dict.fromkeys(_RESTRICTED_RIGHTS.split(), False)}
    elif status == "kicked":
        found["until_date"] = 0
    elif status == "creator":
        found["is_anonymous"] = False
    return found


def marked(text: str) -> list[Json]:
    """Return the commands and names in `text` as Telegram marks them."""
    return [
        {
            "type": "mention" if mark[0].startswith("@") else "bot_command",
            "offset": units(text[: mark.start()]),
            "length": units(mark[0]),
        }
        for mark in _MARK.finditer(text)
    ]


def _window(moments: deque[float], now: float, span: float) -> float:
    """Return for how long a full window has no room."""
    return moments[0] + span - now if len(moments) == moments.maxlen else 0.0


def _file_of(value: Any, call: Call) -> Any:
    """Return the file where a parameter only names one."""
    named = isinstance(value, str) and value.startswith("attach://")
    return call.files[value.removeprefix("attach://")] if named else value


def _meaning(button: Json) -> str:
    return next(
        (str(value) for name, value in button.items() if name not in ("text", "style", "icon_custom_emoji_id")), ""
    )


def _scope(asked: Json) -> tuple[str, str]:
    return json.dumps(asked.get("scope", {"type": "default"}), sort_keys=True), asked.get("language_code", "")


def _only(held: Json, *names: str) -> Json:
    return {name: held[name] for name in names if name in held}


def _now() -> int:
    return int(time.time())


def _answered(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def _failed(refusal: RefusedError) -> web.Response:
    body: Json = {"ok": False, "error_code": refusal.status, "description": refusal.description}
    headers = {}
    if refusal.parameters:
        body["parameters"] = refusal.parameters
    if "retry_after" in refusal.parameters:
        headers["Retry-After"] = str(refusal.parameters["retry_after"])
    return web.json_response(body, status=refusal.status, headers=headers)


def _scripted(kind: int, arguments: Json) -> RefusedError:
    if kind == 429:
        wait = arguments.get("retry_after", 1)
        return RefusedError(f"Too Many Requests: retry after {wait}", 429, retry_after=wait)
    names = {400: "Bad Request", 403: "Forbidden: bot was blocked by the user", 500: "Internal Server Error"}
    return RefusedError(arguments.get("description", names.get(kind, "Error")), kind)


def _cut(request: web.Request, answer: web.Response) -> web.Response:
    """Reset the connection; the answer goes nowhere."""
    if request.transport:
        request.transport.abort()
    return answer


async def _cut_off(request: web.Request, answer: web.Response, *, half: bool) -> web.StreamResponse:
    """Send the head, and half of the body, then close the connection."""
    body = answer.body if isinstance(answer.body, bytes) else b"{}"
    begun = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
    begun.content_length = len(body)
    await begun.prepare(request)
    if half:
        await begun.write(body[: len(body) // 2])
    if request.transport:
        request.transport.close()
    return begun
