"""`hearsay run`: the platforms that are set up, the metronome, and content that is taken over as it changes."""

import asyncio
import errno
import logging
import socket
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from bot.app import App, Content, load_content, old_sources, repertoire, utc_now
from bot.library.problem import ContentError
from bot.platforms.web import NAME as WEB
from bot.platforms.web import Web
from bot.platforms.web.pace import Pace
from bot.platforms.web.site import Site
from bot.redact import set_up_logging
from bot.settings import Settings, SettingsError, load
from bot.storage import outbox, retention
from bot.storage.migrate import NewerDatabaseError, is_current, migrate
from bot.storage.store import Store, StoreError
from bot.tick import Metronome

log = logging.getLogger(__name__)

PORTS_TRIED = 20
BEAT, SWEEP, LOOK = 2.0, 3600.0, 2.0  # seconds between beats, sweeps of what is over, looks at the content
STILL = timedelta(seconds=60)  # a metronome silent for longer is broken


def serve(*, room: bool = False) -> int:
    """Run until stopped; return the exit status."""
    settings = load(**({"host": "0.0.0.0"} if room else {}))  # noqa: S104  # the room is the point
    set_up_logging(settings.log, settings.secrets)
    content = load_content(settings.content)
    for name in old_sources(content.library, utc_now()):
        log.warning("source not opened for a year source=%s", name)
    path = prepare_database(settings.database)
    door = _open_door(settings) if settings.web else None
    try:
        asyncio.run(_Process(settings, content, Store(path), door, room=room).run())
    except KeyboardInterrupt:
        return 0
    return 0


def prepare_database(path: Path) -> Path:
    """Create or upgrade the database; return its path. Raises `SettingsError` in plain words."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not is_current(path):
            migrate(path)
    except NewerDatabaseError as error:
        raise SettingsError(
            f"{path} was written by a newer Hearsay. Upgrade Hearsay, or set HEARSAY_DATABASE."
        ) from error
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(f"HEARSAY_DATABASE={path} cannot be used: {error}") from error
    except Exception as error:
        cause = getattr(error, "orig", None)
        if not isinstance(cause, sqlite3.Error):
            raise
        raise SettingsError(f"HEARSAY_DATABASE={path} cannot be used: {cause}") from error
    return path


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


@dataclass
class _Process:
    """One running process."""

    settings: Settings
    content: Content
    store: Store
    door: socket.socket | None
    room: bool

    async def run(self) -> None:
        """Serve until a signal comes, then finish what is in the air."""
        self.web = Web(self.store)
        self.app = App(self.store, self.content, {WEB: self.web} if self.door else {})
        self.stamp = fingerprint(self.settings.content)
        self.metronome = Metronome()
        self.metronome.every(BEAT, self.app.delivery.pick_up)
        self.metronome.every(BEAT, self.app.assistant.hear_due)
        self.metronome.every(SWEEP, self.sweep)
        self.metronome.every(LOOK, self.look)
        self.metronome.start()
        print(self.greeting(), flush=True)  # noqa: T201  # for the person who started it
        try:
            await (self.serve_web(self.door) if self.door else asyncio.Event().wait())
        finally:
            self.metronome.stop()
            await self.app.delivery.idle()
            self.store.close()

    async def serve_web(self, door: socket.socket) -> None:
        """Serve the web chat until a signal comes."""
        site = Site(
            self.web,
            self.app.assistant,
            base=self.settings.path,
            pace=Pace(self.settings.pace),
            crowd=Pace(self.settings.crowd),
        )
        server = _Server(self.config(site.app(self.ready)), self.web)
        watching = asyncio.create_task(self.web.watch())
        await server.serve([door])
        watching.cancel()

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
        stamp = await asyncio.to_thread(fingerprint, self.settings.content)
        if stamp == self.stamp:
            return
        self.stamp = stamp
        try:
            content = await asyncio.to_thread(load_content, self.settings.content)
        except ContentError as error:
            for problem in error.problems:
                log.error("content refused %s", problem)
            return
        self.app.assistant.repertoire = await asyncio.to_thread(repertoire, content)
        log.info("content taken over files=%s", content.files)

    def greeting(self) -> str:
        """Return what is on, and what turns on what is off."""
        on = f"on   {address(self.door, self.settings.path)}" if self.door else "off  (HEARSAY_WEB=true turns it on)"
        lines = [f"web       {on}"]
        lines += ["terminal  hearsay chat"]
        if self.room and self.door:
            from bot.room import invitation

            lines.append(invitation(self.door.getsockname()[1], self.settings.path))
        return "\n".join(lines)


def address(door: socket.socket, path: str) -> str:
    """Return where the web chat is, for a browser on this machine."""
    host, port = door.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
    return f"http://{shown}:{port}{path}/"


class _Server(uvicorn.Server):
    """Ends the streams as soon as a signal comes: they would keep the server waiting."""

    def __init__(self, config: uvicorn.Config, web: Web) -> None:
        super().__init__(config)
        self._web = web

    def handle_exit(self, sig: int, frame: object) -> None:
        self._web.close()
        super().handle_exit(sig, frame)  # type: ignore[arg-type]  # a frame it is


def fingerprint(root: Path) -> int:
    """Return a number that changes when any content file does."""
    return hash(tuple(sorted((str(path), _changed(path)) for path in root.rglob("*.yaml"))))


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # an editor's lock, a file that went this moment
        return 0
