"""A canary planted in everything a person can type or be called, then looked for in every sink there is."""

import asyncio
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from bot.app import load_content, repertoire
from bot.storage.backup import backup
from tests.platforms.discord.server import TOKEN as DISCORD
from tests.platforms.discord.server import Channel, DiscordServer, Person
from tests.platforms.telegram.booth import Json
from tests.platforms.telegram.server import TOKEN as TELEGRAM
from tests.platforms.telegram.server import BotServer
from tests.serving import ROOT, Served, serving

CANARY = "Kumquat7zanzibar"  # its figure keeps it from being noted as a word that is missed
LETTERS = "kumquatzanzibar"  # without a figure, it may be
COOKIE, OTHER = "conversation-of-the-canary", "conversation-of-a-stranger"
NUMBER, GROUP = 734512986, -1009988776655
SECRETS = (TELEGRAM.partition(":")[2], DISCORD.partition(".")[2], COOKIE)
PATIENCE = 20.0
ECHOES = {"bubbles", "report_drafts"}
"""The tables that may hold what somebody typed: Hearsay's own answers, for a day, repeat a word that was looked up."""


def typed() -> Iterable[str]:
    """Yield the canary as everything that a person can type."""
    names = repertoire(load_content(ROOT / "content")).commands
    leaving = {"forget", "bye", "quiet", "stop"}
    yield from (f"/{name} {CANARY}" for name in names if name not in leaving)
    yield from words()
    yield from (f"{CANARY} " * 400, "/export")


def words() -> Iterable[str]:
    """Yield it in free words, asked for and not."""
    yield from (f"/{CANARY}", CANARY, f"my neighbour {CANARY} says they take our jobs", f"what is a {CANARY}?")
    yield from ("/rumour", f"{CANARY} took my flat", "/term", CANARY, f"he hits me, his name is {CANARY}")
    yield f"{CANARY}@example.org +34 600 111 222 https://example.org/{CANARY}"


class Visitor:
    """Somebody on the web chat, known by a cookie."""

    def __init__(self, served: Served, cookie: str) -> None:
        self.url, self.cookie, self.said = served.url, cookie, 0

    def ask(self, path: str, form: dict[str, str] | None = None) -> str:
        """Return what a page says, whatever its status."""
        data = urllib.parse.urlencode(form).encode() if form else None
        headers = {"Cookie": f"hearsay={self.cookie}", "User-Agent": CANARY, "Accept-Language": f"en, {CANARY}"}
        headers |= {"Accept": "application/json"} if form else {}
        try:
            request = urllib.request.Request(f"{self.url}{path}", data, headers)
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def say(self, text: str) -> str:
        self.said += 1
        return self.ask("/say", {"text": text, "key": f"form-{self.said}", "lang": "en"})


def type_everything(served: Served) -> None:
    visitor = Visitor(served, COOKIE)
    for text in typed():
        visitor.say(text)
    asked = urllib.parse.quote(f"/term {CANARY}")
    for path in (f"/rumour/{CANARY}", f"/?lang={CANARY}&city={CANARY}", f"/{CANARY}", f"/suggest?text={asked}"):
        visitor.ask(path)
    break_down(served, visitor)


def break_down(served: Served, visitor: Visitor) -> None:
    """Let what is typed meet a database that has lost a table, and a session that is none."""
    execute(served.database, "ALTER TABLE seen RENAME TO gone")
    visitor.say(f"/term {CANARY}")
    execute(served.database, "ALTER TABLE gone RENAME TO seen")
    kept = rows(served.database, "SELECT address, state FROM sessions WHERE address LIKE 'web:%'")
    execute(served.database, "UPDATE sessions SET state = '{' WHERE address LIKE 'web:%'")
    visitor.say(f"/rumour {CANARY}")
    for address, state in kept:
        execute(served.database, "UPDATE sessions SET state = ? WHERE address = ?", state, address)


def execute(database: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(database, timeout=PATIENCE)) as raw, raw:
        raw.execute(statement, values)


def rows(database: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database, timeout=PATIENCE)) as raw:
        return raw.execute(statement).fetchall()


def tables_with(database: Path, *wanted: str) -> set[str]:
    """Return the tables of a database in which any of `wanted` stands."""
    names = [str(name) for (name,) in rows(database, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: str(rows(database, f'SELECT * FROM "{name}"')).casefold() for name in names}
    return {name for name, held in found.items() if any(word.casefold() in held for word in wanted)}


def bytes_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()).lower()


class Telegrams:
    """Somebody called like the canary, alone with Hearsay and in a group called so too."""

    def __init__(self, server: BotServer) -> None:
        self.server = server
        self.person = server.person(NUMBER, first_name=CANARY, username=CANARY)
        self.group = server.group(GROUP, title=CANARY)
        server.admin(self.group, self.person)

    async def write(self, chat: Json, *texts: str) -> None:
        for text in texts:
            self.server.send(self.server.text(chat, self.person, text[:4000]))
        await self.server.until(lambda: not self.server.pending, PATIENCE)

    async def type_everything(self) -> None:
        await self.write(self.person, *words(), *(f"/{name} {CANARY}" for name in ("rumour", "term", "tip", "export")))
        await self.write(self.group, *(f"/{name} {CANARY}" for name in ("term", "rumour", "rumours", "technique")))
        for update in (
            self.server.inline(self.person, CANARY),
            self.server.caption(self.person, self.person, CANARY),
            self.server.voice(self.person, self.person),
        ):
            self.server.send(update)
        await self.server.until(lambda: not self.server.pending, PATIENCE)
        self.server.misbehave("sendMessage", 400, description=f"Bad Request: {CANARY} {TELEGRAM}")
        await self.write(self.person, f"/term {CANARY}")
        await asyncio.sleep(0.3)
        self.server.behave()

    async def forget(self) -> None:
        for chat in (self.person, self.group):
            await self.write(chat, "/forget")


class Discords:
    """The same on Discord: in direct messages, by command, form and completion."""

    def __init__(self, server: DiscordServer, channel: Channel) -> None:
        self.server, self.channel = server, channel
        self.person: Person = server.person(CANARY, admin=True)

    async def type_everything(self) -> None:
        direct = self.server.direct(self.person)
        for text in (CANARY, f"/term {CANARY}", f"{CANARY} says they take our jobs"):
            self.server.say(self.person, direct, text)
        self.server.say(self.person, self.channel, f"what is a {CANARY}?", mention=True)
        for name in ("rumour", "term"):
            await self.server.slash(self.person, self.channel, name, {"words": CANARY}).acknowledged(PATIENCE)
        await self.server.autocomplete(self.person, self.channel, "term", "words", CANARY).acknowledged(PATIENCE)
        await asyncio.sleep(0.5)

    async def forget(self) -> None:
        self.server.say(self.person, self.server.direct(self.person), "/forget")
        await self.server.slash(self.person, self.channel, "forget").acknowledged(PATIENCE)


def assert_stranger_sees_nothing(served: Served) -> None:
    other = Visitor(served, OTHER)
    other.say("/export")
    pages = [other.ask(path) for path in ("/", "/rumour/jobs", "/readyz", "/suggest?text=/term%20k", "/forgotten")]
    assert CANARY.casefold() not in "".join(pages).casefold()


async def test_what_people_type_is_in_no_sink_but_the_answers_and_after_forget_in_none(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    database = kept / "hearsay.db"
    async with BotServer() as telegram, DiscordServer() as discord:
        settings = {
            "log": "debug",
            "pace": "100000",
            "telegram_token": TELEGRAM,
            "telegram_api": telegram.url,
            "discord_token": DISCORD,
            "discord_api": discord.api,
            "discord_gateway": discord.gateway,
        }
        channel = discord.guild().channels[0]
        running = serving(database, **settings)
        served = await asyncio.to_thread(running.__enter__)
        try:
            await asyncio.wait_for(discord.identified(1), PATIENCE)
            people = Telegrams(telegram), Discords(discord, channel)
            await asyncio.to_thread(type_everything, served)
            for person in people:
                await person.type_everything()

            assert tables_with(database, CANARY) == ECHOES
            assert tables_with(database, *SECRETS) == set()
            await asyncio.to_thread(assert_stranger_sees_nothing, served)
            backup(database, tmp_path / "before")
            assert tables_with(tmp_path / "before", CANARY, *SECRETS) == ECHOES

            await asyncio.to_thread(Visitor(served, COOKIE).say, f"/term {LETTERS}")
            await asyncio.to_thread(Visitor(served, COOKIE).say, "/forget")
            for person in people:
                await person.forget()
            await until(lambda: tables_with(database, CANARY, str(NUMBER), str(GROUP)) == set())
            assert tables_with(database, LETTERS) == {"missed_terms"}, "a word alone, without who asked"
            backup(database, tmp_path / "after")
            assert CANARY.encode().lower() not in (tmp_path / "after").read_bytes().lower()
            log = served.output.read_text(encoding="utf-8", errors="replace")
        finally:
            await asyncio.to_thread(running.__exit__, None, None, None)
    assert served.process.returncode == 0
    assert "broken code=" in log or "Traceback" in log, "nothing broke: this run proved less than it could"
    assert [word for word in (CANARY, LETTERS, str(NUMBER), str(-GROUP), *SECRETS) if word.lower() in log.lower()] == []
    assert CANARY.encode().lower() not in bytes_below(kept)
    assert str(NUMBER).encode() not in bytes_below(kept)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # noqa: ASYNC110  # another process changes it
            await asyncio.sleep(0.05)
