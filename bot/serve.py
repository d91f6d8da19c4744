"""`hearsay run`: the platforms that are set up, the metronome, and content that is taken over as it changes."""

import asyncio
import errno
import gc
import logging
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol, TypeVar

import uvicorn
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from bot.almanac import days
from bot.app import App, Content, content_of, hosted, old_sources, printed, repertoires, towns, utc_now
from bot.core.platform import Platform, RefusedError
from bot.library.problem import ContentError
from bot.platforms.web import NAME as WEB
from bot.platforms.web import Web
from bot.platforms.web.games import Games
from bot.platforms.web.pace import Pace
from bot.platforms.web.site import Site, bare
from bot.redact import set_up_logging
from bot.settings import Settings, SettingsError, load
from bot.storage import games, outbox, retention, versions
from bot.storage.database import Database, named, opened
from bot.storage.migrate import NewerDatabaseError, is_current, migrate
from bot.storage.store import Store, StoreError
from bot.talk.assistant import Assistant
from bot.talk.repertoire import Repertoires
from bot.tick import Metronome

log = logging.getLogger(__name__)

T = TypeVar("T")

PORTS_TRIED = 20
BEAT, SWEEP, LOOK = 2.0, 3600.0, 2.0  # seconds between beats, sweeps of what is over, looks at the content
PLAN = 30.0  # seconds between looks at what campaigns have due
MEETING = 5.0  # seconds that the greeting waits for each platform
OTHERS = ("telegram", "discord")
STILL = timedelta(seconds=60)  # a metronome silent for longer is broken


def serve(*, room: bool = False) -> int:
    """Run until stopped; return the exit status. Raises `RefusedError` where the only platform will not have us."""
    settings = load(**({"host": "0.0.0.0"} if room else {}))  # noqa: S104  # the room is the point
    set_up_logging(settings.log, settings.secrets)
    content = content_of(settings)
    _warn_of_broken(content)
    for name in old_sources(content.library, utc_now()):
        log.warning("source not opened for a year source=%s", name)
    database = prepare_database(settings.database)
    door = _open_door(settings) if settings.web or settings.telegram_webhook else None
    try:
        asyncio.run(_Process(settings, content, opened(database), door, room=room).run())
    except KeyboardInterrupt:
        return 0
    return 0


D = TypeVar("D", bound=Database)


def prepare_database(where: D) -> D:
    """Create or upgrade the database; return where it is. Raises `SettingsError` in plain words."""
    try:
        if isinstance(where, Path):
            where.parent.mkdir(parents=True, exist_ok=True)
        if not is_current(where):
            migrate(where)
    except NewerDatabaseError as error:
        raise SettingsError(
            f"{named(where)} was written by a newer Hearsay. Upgrade Hearsay, or set HEARSAY_DATABASE."
        ) from error
    except (OSError, sqlite3.Error, StoreError) as error:
        raise SettingsError(f"HEARSAY_DATABASE={named(where)} cannot be used: {error}") from error
    except DBAPIError as error:
        raise SettingsError(f"HEARSAY_DATABASE={named(where)} cannot be used: {error.orig}") from error
    return where


def in_database(settings: Settings, work: Callable[[Connection], T]) -> T:
    """Do `work` in the installation's database, for a command beside it. Raises `SettingsError` in plain words."""
    store = opened(prepare_database(settings.database))
    try:
        return asyncio.run(store.run(work))
    except StoreError as error:
        raise SettingsError(f"HEARSAY_DATABASE={named(settings.database)} cannot be used: {error}") from None
    finally:
        store.close()


def _open_door(settings: Settings) -> socket.socket:
    """Return a socket on the wanted port, or on the next free one."""
    for port in range(settings.port, min(settings.port + PORTS_TRIED, 65_536)):
        door = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((settings.host, port))
            door.listen(2048)
        except OSError as error:
            door.close()
            if error.errno != errno.EADDRINUSE:
                raise SettingsError(f"HEARSAY_HOST={settings.host} cannot be listened on: {error.strerror}") from error
        else:
            return door
    last = settings.port + PORTS_TRIED - 1
    raise SettingsError(f"HEARSAY_PORT: the ports from {settings.port} to {last} are all taken; set a free one")


class Service(Protocol):
    """A platform that hears over the network: it runs beside the web server, or gives it `routes`."""

    @property
    def met(self) -> asyncio.Event:
        """Set as soon as the platform has taken us."""

    @property
    def platform(self) -> Platform:
        """What draws the replies."""

    def listen(self, assistant: Assistant) -> Sequence[BaseRoute]:
        """Learn whom to hand what is heard; return the ways in that the web server is to open."""

    async def run(self) -> None:
        """Hear until cancelled. Raises `RefusedError` where the platform will not have us."""

    async def publish(self) -> None:
        """Bring menus up to date, where the platform has some."""

    async def close(self) -> None:
        """Let go of the connections."""

    @property
    def greeting(self) -> str:
        """What is on, for whoever started it."""


def services(settings: Settings) -> list[Service]:
    """Return the platforms that are set up; what is not is not even imported."""
    found: list[Service] = []
    if settings.telegram_token:
        from bot.platforms.telegram.service import Service as Telegram

        token = settings.telegram_token.get_secret_value()
        found.append(Telegram(token, settings.telegram_api, settings.telegram_webhook))
    if settings.discord_token:
        from bot.platforms.discord.service import Service as Discord

        token = settings.discord_token.get_secret_value()
        found.append(Discord(token, settings.discord_api, settings.discord_gateway))
    return found


@dataclass
class _Process:
    """One running process."""

    settings: Settings
    content: Content
    store: Store
    door: socket.socket | None
    room: bool

    def set_up(self) -> None:
        """Put the parts together."""
        self.refused: dict[str, str] = {}
        self.recorded = False
        self.web = Web(self.store)
        self.services = services(self.settings)
        platforms: dict[str, Platform] = {service.platform.name: service.platform for service in self.services}
        screens = {**platforms, **({WEB: self.web} if self.settings.web else {})}
        self.app = App(self.store, self.content, screens, city=self.settings.city, doors=self.doors)
        self.routes = [route for service in self.services for route in service.listen(self.app.assistant)]
        self.stamp = self.fingerprint()
        self.metronome = Metronome()
        self.metronome.every(BEAT, self.app.delivery.pick_up)
        self.metronome.every(BEAT, self.app.assistant.hear_due)
        self.metronome.every(PLAN, self.app.broadcast.plan, at_once=True)
        self.metronome.every(BEAT, self.app.broadcast.release)
        self.metronome.every(SWEEP, self.sweep)
        self.metronome.every(LOOK, self.look)

    async def run(self) -> None:
        """Serve until a signal comes, then finish what is in the air. Raises `RefusedError`."""
        self.set_up()
        await self.record()
        self.metronome.start()
        stopped = asyncio.create_task(_signal())
        running = [asyncio.create_task(self.keep(service)) for service in self.services]
        learning: list[asyncio.Task[object]] = []
        server = _Server(self.config(self.application()))
        serving = [asyncio.create_task(server.serve([door])) for door in ([self.door] if self.door else [])]
        try:
            await self.until_met(running)
            _settle_down()
            print(self.greeting(), flush=True)  # noqa: T201  # for the person who started it
            learning.append(asyncio.create_task(asyncio.to_thread(learn, self.app.assistant.repertoires)))
            await self.until_stopped(stopped, [*running, *serving])
        finally:
            self.metronome.stop()
            self.web.close()
            server.should_exit = True
            await asyncio.gather(*serving, *learning, return_exceptions=True)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await self.app.broadcast.stop()
            await self.app.delivery.stop()
            await asyncio.gather(*(service.close() for service in self.services))
            self.store.close()

    async def keep(self, service: Service) -> None:
        """Run a platform. One that will not have us stays off; `RefusedError` is raised where it was all there is."""
        try:
            await service.run()
        except RefusedError as error:
            self.refused[service.platform.name] = str(error)
            if len(self.refused) == len(self.services) and not self.settings.web:
                raise
            log.error("%s is off: %s", service.platform.name, error)
            service.met.set()  # nobody need wait for it
            await asyncio.Event().wait()

    async def until_met(self, running: Sequence["asyncio.Task[None]"]) -> None:
        """Give the platforms a moment to answer, so that the greeting can say how to find us there."""
        meeting = asyncio.create_task(self.all_met())
        await asyncio.wait([meeting, *running], timeout=MEETING, return_when=asyncio.FIRST_COMPLETED)
        meeting.cancel()
        _raise_what_failed(running)

    async def all_met(self) -> None:
        """Wait until every platform has answered."""
        for service in self.services:
            await service.met.wait()

    async def until_stopped(self, stopped: "asyncio.Task[None]", running: Sequence["asyncio.Task[None]"]) -> None:
        """Wait until a signal comes, or something ends that should not."""
        beside = [asyncio.create_task(self.tell_late(service)) for service in self.services if not service.met.is_set()]
        beside.append(asyncio.create_task(self.web.watch()))
        await asyncio.wait([stopped, *running], return_when=asyncio.FIRST_COMPLETED)
        for task in [stopped, *beside]:
            task.cancel()
        _raise_what_failed(running)

    async def tell_late(self, service: Service) -> None:
        """Say how a platform is reached that answered only after the greeting."""
        await service.met.wait()
        print(self.line(service.platform.name), flush=True)  # noqa: T201  # as the greeting

    def application(self) -> Starlette:
        """Return what the web server serves: the chat, unless it is off, and what platforms post to."""
        if not self.settings.web:
            return bare(self.ready, self.routes, self.settings.path)
        site = Site(
            self.web,
            self.app.assistant,
            base=self.settings.path,
            pace=Pace(self.settings.pace),
            crowd=Pace(self.settings.crowd),
            games=self.games(),
            days=days(lambda: self.app.towns, self.app.clock, self.doors),
        )
        return site.app(self.ready, self.routes)

    def games(self) -> Games:
        """Return what the pages around games ask."""
        clock = self.app.clock
        return Games(
            lambda tx, code: games.board(tx, code, clock()),
            lambda tx, where: games.panel(tx, where, clock()),
            lambda quiz, language: printed(self.content, quiz, language),
            lambda language: hosted(self.content, language),
            clock,
            self.doors,
        )

    def config(self, application: Starlette) -> uvicorn.Config:
        """Return the web server's settings: no access log, for it would hold addresses."""
        return uvicorn.Config(
            application,
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips=self.settings.proxies,
            timeout_graceful_shutdown=5,
        )

    async def ready(self) -> bool:
        """Say whether the database answers and the metronome beats."""
        try:
            await self.store.read(outbox.newest)
        except StoreError:
            return False
        last = self.metronome.last
        return last is None or utc_now() - last < STILL

    async def sweep(self) -> None:
        """Delete what is over."""
        now = utc_now()
        deleted = await self.store.run(lambda tx: retention.sweep(tx, now))
        log.info("swept rows=%s", deleted)

    async def look(self) -> None:
        """Take changed content over if it is sound; refuse it with its problems if not."""
        stamp = await asyncio.to_thread(self.fingerprint)
        if stamp == self.stamp:
            if not self.recorded:
                await self.record()
            return
        self.stamp = stamp
        try:
            content = await asyncio.to_thread(content_of, self.settings)
        except ContentError as error:
            for problem in error.problems:
                log.error("content refused %s", problem)
            return
        _warn_of_broken(content)
        self.content = sound(content, self.content)
        await self.record()
        said = await asyncio.to_thread(repertoires, self.content, self.settings.city, self.doors)
        await asyncio.to_thread(learn, said)
        self.app.assistant.repertoires = said
        self.app.towns = towns(self.content)
        log.info("content taken over files=%s", content.files)
        for service in self.services:
            await service.publish()

    async def record(self) -> None:
        """Write down what is live from now on; where the database cannot keep it, the next look tries again."""
        texts, now = self.content.live(), utc_now()
        try:
            changed = await self.store.run(lambda tx: versions.record(tx, texts, now))
        except StoreError as error:
            self.recorded = False
            log.error("content not recorded error=%s", error)
            return
        self.recorded = True
        log.info("content recorded changed=%s", changed)

    def fingerprint(self) -> int:
        """Return a number that changes when any content file does."""
        settings = self.settings
        return fingerprint(settings.content, *settings.roots.values(), *filter(None, [settings.cities]))

    def doors(self, command: str) -> dict[str, str]:
        """Return by platform the link that opens `command`, for whoever is to come in from elsewhere."""
        base = self.settings.url.rstrip("/")
        if self.room and self.door and not base:
            from bot.room import addresses

            base = next((f"http://{ip}:{self.door.getsockname()[1]}{self.settings.path}" for ip in addresses()), "")
        found = {WEB: base + command.replace(" ", "/")} if base and self.settings.web else {}
        for service in self.services:
            door = getattr(service.platform, "door", None) if service.met.is_set() else None
            if link := door and door(command):
                found[service.platform.name] = link
        return found

    def greeting(self) -> str:
        """Return what is on, and what turns on what is off."""
        web = address(self.door, self.settings.path) if self.door and self.settings.web else ""
        lines = [f"web       {f'on   {web}' if web else 'off  (HEARSAY_WEB=true turns it on)'}"]
        lines += [self.line(name) for name in OTHERS]
        lines += ["terminal  hearsay chat"]
        if self.room and self.door:
            from bot.room import invitation

            lines.append(invitation(self.door.getsockname()[1], self.settings.path))
        return "\n".join(lines)

    def line(self, name: str) -> str:
        """Return whether a platform is on, and how it is reached, or why it is not."""
        on = {service.platform.name: service.greeting for service in self.services}
        off = f"off  ({self.refused.get(name) or f'HEARSAY_{name.upper()}_TOKEN turns it on'})"
        return f"{name:9} {off if name in self.refused else on.get(name, off)}"


def address(door: socket.socket, path: str) -> str:
    """Return where the web chat is, for a browser on this machine."""
    host, port = door.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
    return f"http://{shown}:{port}{path}/"


class _Server(uvicorn.Server):
    """Leaves signals alone: whoever gets one must first finish what is in the air."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _signal() -> None:
    """Return at the first SIGINT or SIGTERM; the second does what it always does."""
    loop, come = asyncio.get_running_loop(), asyncio.Event()
    known = {sort: signal.getsignal(sort) for sort in (signal.SIGINT, signal.SIGTERM)}

    def stop(*_: object) -> None:
        for sort, handler in known.items():
            signal.signal(sort, handler)
        loop.call_soon_threadsafe(come.set)

    for sort in known:
        signal.signal(sort, stop)
    await come.wait()


def _settle_down() -> None:
    """Leave what was loaded out of the collector's rounds; they made one answer in a hundred wait for 50 ms."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _raise_what_failed(running: Sequence["asyncio.Task[None]"]) -> None:
    for task in running:
        if task.done():
            task.result()


def learn(said: Repertoires) -> None:
    """Let what learns when it is first asked learn now, so that nobody's first words wait for it."""
    said.of("").heed("?")
    said.of("").listen("?")


def sound(content: Content, last: Content) -> Content:
    """Return `content`, each city that is broken now as it last was."""
    kept = {city: last.cities[city] for city in content.broken if city in last.cities}
    return replace(content, cities=dict(sorted({**content.cities, **kept}.items())))


def _warn_of_broken(content: Content) -> None:
    for city, problems in content.broken.items():
        for problem in problems:
            log.error("city refused city=%s %s", city, problem)


def fingerprint(*roots: Path) -> int:
    """Return a number that changes when any content file below `roots` does."""
    return hash(tuple(sorted((str(path), _changed(path)) for root in roots for path in root.rglob("*.yaml"))))


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # an editor's lock, a file that went this moment
        return 0
