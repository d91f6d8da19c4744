"""The pages around a game: the wall for everybody, the way in, the host's panel, and what can be printed."""

import asyncio
import io
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import segno
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from bot.core.message import Address
from bot.core.sheet import Booklet
from bot.platforms.web import NAME, Web
from bot.platforms.web.pace import Pace
from bot.platforms.web.paper import on_paper
from bot.storage.games import Board, Panel, TeamHosted
from bot.storage.store import Store, StoreError

T = TypeVar("T")

CODE = re.compile(r"[A-Z0-9]{6}")
GUESSES = 20  # wrong codes a minute from one network address
LOOK_EVERY = 0.5  # seconds between looks at a game, however many look on
BREATH = 15.0  # seconds of silence after which a stream says that it lives, and sets clocks
DRIFT = 2.0  # seconds that a clock may be off before the page is told
REMEMBERED = 2000
LOOKS = ("light", "dark")
SIZES = ((4, "few"), (10, "some"), (30, "many"))
LOCAL = ("localhost", "127.0.0.1", "::1")
SHOWN = 2  # of the last answers, beside the panel


@dataclass(frozen=True)
class Games:
    """What pages ask about games: the wall of a code, the panel of a host, a game on paper, the games there are.

    `doors` says by platform which link opens a command for whoever comes from elsewhere; where it knows none for the
    web, the address by which a page was opened is as good.
    """

    board: Callable[[Connection, str], Board | None]
    panel: Callable[[Connection, Address], Panel | None]
    booklet: Callable[[str, str], Booklet | None]
    titles: Callable[[str], Mapping[str, str]]
    now: Callable[[], datetime]
    doors: Callable[[str], Mapping[str, str]] = lambda _: {}


@dataclass(frozen=True)
class Frame:
    """What the pages of an installation have in common, lent by its site."""

    base: str
    page: Callable[..., str]
    key: Callable[[], str]
    asker: Callable[[Request], Address]
    language: Callable[[Request], Awaitable[str]]
    spoken: Callable[..., str]
    answers: Callable[[Address, int], Awaitable[Sequence[Any]]]


class Lookout:
    """Reads the wall of each game at most twice a second, however many look at it."""

    def __init__(self, store: Store, read: Callable[[Connection, str], Board | None]) -> None:
        self._store = store
        self._read = read
        self._seen: OrderedDict[str, tuple[float, Board]] = OrderedDict()

    async def board(self, code: str) -> Board | None:
        """Return the wall of the game `code`, None where there is none."""
        if not CODE.fullmatch(code):
            return None
        now = asyncio.get_running_loop().time()
        when, board = self._seen.get(code, (0.0, None))
        if board and now - when < LOOK_EVERY * 0.9:
            return board
        board = await self._store.read(lambda tx: self._read(tx, code))
        self._seen.pop(code, None)
        if board:
            self._seen[code] = (now, board)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return board


class Door:
    """Lets nobody try codes for long: who guessed too often sees only what they have seen before."""

    def __init__(self, guesses: int = GUESSES) -> None:
        self._pace = Pace(guesses)
        self._opened: OrderedDict[tuple[str, str], None] = OrderedDict()

    def is_shut(self, who: str, code: str) -> bool:
        """Say whether `who` must wait before trying `code`."""
        return self._pace.is_spent(who) and (who, code) not in self._opened

    async def note(self, who: str, code: str, *, found: bool) -> None:
        """Remember what came of a try."""
        if not found:
            await self._pace.allows(who)
            return
        self._opened[who, code] = None
        self._opened.move_to_end((who, code))
        if len(self._opened) > REMEMBERED:
            self._opened.popitem(last=False)

    @property
    def wait(self) -> int:
        """Seconds after which there is another try."""
        return self._pace.wait


class GamePages:
    """The pages of all games; only the host's need a cookie, and none sets one."""

    def __init__(self, web: Web, store: Store, games: Games, frame: Frame) -> None:
        self._web = web
        self._store = store
        self._games = games
        self._frame = frame
        self._page = frame.page
        self._door = Door()
        self._lookout = Lookout(store, games.board)

    def routes(self) -> list[BaseRoute]:
        """Return what these pages are asked by."""
        return [
            Route("/game", self.ask_code),
            Route("/game/{code}", self.wall),
            Route("/game/{code}/events", self.wall_events),
            Route("/game/{code}/qr.svg", self.qr),
            Route("/join/{code}", self.join),
            Route("/host", self.host),
            Route("/host/events", self.host_events),
            Route("/print/{quiz}", self.paper),
        ]

    # -------------------- for everybody

    async def ask_code(self, request: Request) -> Response:
        """Ask which game; a form without JavaScript comes back here with its code."""
        code = _plain(request.query_params.get("code", ""))
        if code:
            return RedirectResponse(f"{self._frame.base}/game/{code}", 303)
        return await self._no_game(request, 200)

    async def wall(self, request: Request) -> Response:
        """The page for the projector."""
        board = await self._look(request)
        if isinstance(board, Response):
            return board
        if request.path_params["code"] != board.code:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"{self._frame.base}/game/{board.code}{query}", 303)
        language = self._spoken(request, board)
        look = request.query_params.get("look", "")
        drawn = self._shown(request, board, language)
        page = self._page("wall.html", language, **drawn, look=look if look in LOOKS else "")
        return _fresh(HTMLResponse(page))

    async def wall_events(self, request: Request) -> Response:
        """The wall as server-sent events, whenever it changes."""
        board = await self._look(request)
        if isinstance(board, Response):
            return board
        return _stream(self._follow(request, board.code, self._spoken(request, board)))

    async def qr(self, request: Request) -> Response:
        """The way in as a QR code, black on white whatever the page is."""
        board = await self._look(request)
        if isinstance(board, Response):
            return board
        links, picture = self._links(request, board.code), io.BytesIO()
        link = links.get(request.query_params.get("by", NAME), links[NAME])
        segno.make(link, error="m").save(
            picture, kind="svg", border=3, light="#fff", scale=10, omitsize=True, svgclass=None, lineclass=None
        )
        return _fresh(Response(picture.getvalue(), media_type="image/svg+xml"))

    async def join(self, request: Request) -> Response:
        """The way in: one button, and nothing is kept before it is pressed."""
        board = await self._look(request)
        if isinstance(board, Response):
            return board
        language = self._spoken(request, board)
        page = self._page("join.html", language, board=board, key=self._frame.key())
        return _fresh(HTMLResponse(page))

    # -------------------- for the host

    async def host(self, request: Request) -> Response:
        """The panel of whoever hosts; anybody else is asked which game to host."""
        language = await self._frame.language(request)
        where = self._frame.asker(request)
        panel = await self._store.read(lambda tx: self._games.panel(tx, where))
        if panel is None:
            page = self._page("host_start.html", language, titles=self._games.titles(language), key=self._frame.key())
            return _fresh(HTMLResponse(page))
        booklet = self._games.booklet(panel.notes, language)
        answers = await self._frame.answers(where, SHOWN)
        drawn = self._panel(request, panel, language, booklet, answers)
        page = self._page("host.html", language, **drawn, booklet=booklet, draw=on_paper)
        return _fresh(HTMLResponse(page))

    async def host_events(self, request: Request) -> Response:
        """The panel as server-sent events, whenever it changes."""
        return _stream(self._follow_host(request, await self._frame.language(request)))

    async def paper(self, request: Request) -> Response:
        """Notes, game and answers, for whoever hosts this game now; to anybody else there is nothing here."""
        where, quiz = self._frame.asker(request), request.path_params["quiz"]
        panel = await self._store.read(lambda tx: self._games.panel(tx, where))
        asked = request.query_params.get("lang")
        language = self._frame.spoken(asked) if asked else await self._frame.language(request)
        booklet = self._games.booklet(quiz, language) if panel and panel.notes == quiz else None
        if booklet is None:
            page = self._page("notice.html", language, title="print.not_yours", text="print.not_yours_text")
            return _fresh(HTMLResponse(page, 404))
        return _fresh(HTMLResponse(self._page("paper.html", language, booklet=booklet, draw=on_paper)))

    # -------------------- what they show

    async def _look(self, request: Request) -> Board | Response:
        """Return the wall that is asked for, or the page that says there is none."""
        who = request.client.host if request.client else ""
        code = _plain(request.path_params["code"])
        if self._door.is_shut(who, code):
            return await self._no_game(request, 429)
        board = await self._lookout.board(code)
        await self._door.note(who, code, found=board is not None)
        return board or await self._no_game(request, 404)

    async def _no_game(self, request: Request, status: int) -> Response:
        language = await self._frame.language(request)
        tried = _plain(request.path_params.get("code", ""))[:12]
        page = self._page("no_game.html", language, tried=tried, shut=status == 429, wait=self._door.wait)
        headers = {"Retry-After": str(self._door.wait)} if status == 429 else {}
        return _fresh(HTMLResponse(page, status, headers))

    def _spoken(self, request: Request, board: Board) -> str:
        return self._frame.spoken(request.query_params.get("lang"), board.language)

    def _links(self, request: Request, code: str) -> dict[str, str]:
        """Return the ways into a game by platform, the web's first."""
        here = f"{request.url.scheme}://{request.url.netloc}{self._frame.base}/join/{code}"
        return {NAME: here, **self._games.doors(f"/join {code}")}

    def _shown(self, request: Request, board: Board, language: str) -> dict[str, Any]:
        links = self._links(request, board.code)
        question = board.question
        words = (question.get(language) or next(iter(question.values()), "")) if question else ""
        return {
            "board": board,
            "clock": None if board.seconds is None else max(0, round(board.seconds)),
            "question": on_paper(words) if words else "",
            "size": next((name for most, name in SIZES if len(board.teams) <= most), "crowd"),
            "join": links[NAME],
            "shown_link": links[NAME].partition("://")[2],
            "ways": {platform.capitalize(): _bare(link) for platform, link in links.items() if platform != NAME},
        }

    async def _follow(self, request: Request, code: str, language: str) -> AsyncIterator[str]:
        """Yield the wall now, when it changes, and now and then."""
        sight = _Sight(asyncio.get_running_loop().time)
        yield "retry: 2000\n\n"
        while self._web.is_open:
            board = await _patiently(lambda: self._lookout.board(code))
            if board is None:
                yield "event: gone\ndata:\n\n"
                return
            if sight.is_new(replace(board, seconds=None), board):
                yield _event("board", self._page("board.html", language, **self._shown(request, board, language)))
            await asyncio.sleep(LOOK_EVERY)

    def _panel(
        self, request: Request, panel: Panel, language: str, booklet: Booklet | None, answers: Sequence[Any]
    ) -> dict[str, Any]:
        now = self._games.now()
        links = self._links(request, panel.board.code)
        return {
            **self._shown(request, panel.board, language),
            "panel": panel,
            "rows": [_Row(team, _minutes(team.since, now), _minutes(team.seen, now)) for team in panel.teams],
            "rooms": dict(zip(panel.board.rooms, _in(panel.board.room_names, language), strict=False)),
            "bubbles": answers,
            "can_print": booklet is not None,
            "puzzles": _numbers(booklet) if booklet else {},
            "back": "host",
            "unreachable": urlsplit(links[NAME]).hostname in LOCAL,
            "platforms": list(links),
            "key": self._frame.key(),
        }

    async def _follow_host(self, request: Request, language: str) -> AsyncIterator[str]:
        """Yield the panel now, when it changes, and now and then."""
        where, sight = self._frame.asker(request), _Sight(asyncio.get_running_loop().time)
        booklet: Booklet | None = None
        yield "retry: 2000\n\n"
        while self._web.is_open:
            panel = await _patiently(lambda: self._store.read(lambda tx: self._games.panel(tx, where)))
            if panel is None:
                yield "event: gone\ndata:\n\n"
                return
            answers = await _patiently(lambda: self._frame.answers(where, SHOWN))
            minute = int(self._games.now().timestamp() // 60)
            still = replace(panel, board=replace(panel.board, seconds=None))
            if sight.is_new((still, [answer.id for answer in answers], minute), panel.board):
                booklet = booklet or self._games.booklet(panel.notes, language)
                values = self._panel(request, panel, language, booklet, answers)
                yield _event("panel", self._page("panel.html", language, **values))
            await asyncio.sleep(LOOK_EVERY)


class _Sight:
    """What a page was last told, and when its clock was to end."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: object = None
        self._ends: float | None = None
        self._told = -BREATH

    def is_new(self, still: object, board: Board) -> bool:
        """Say whether a page must be told: something else is there, its clock has gone wrong, or it is time again."""
        now = self._clock()
        ends = None if board.seconds is None else now + board.seconds
        wrong = (ends is None) != (self._ends is None)
        if ends is not None and self._ends is not None and board.state == "running":
            wrong = abs(ends - self._ends) > DRIFT
        if still == self._last and not wrong and now - self._told < BREATH:
            return False
        self._last, self._ends, self._told = still, ends, now
        return True


@dataclass(frozen=True)
class _Row:
    """A team in the panel's table; `asked` and `seen` are minutes ago, None where it never was."""

    team: TeamHosted
    asked: int | None
    seen: int | None


def _in(texts: Mapping[str, tuple[str, ...]], language: str) -> tuple[str, ...]:
    return texts.get(language) or next(iter(texts.values()), ())


def _bare(link: str) -> str:
    """Return the part of a link that people can type."""
    return link.partition("://")[2].partition("?")[0]


def _numbers(booklet: Booklet) -> dict[str, str]:
    """Return each puzzle's number on paper, where the answers are, and its own name."""
    parts = (part for sheet in booklet.sheets for part in sheet.parts if part.puzzle)
    return {part.puzzle: f"{part.heading} {part.puzzle.partition('.')[2]}" for part in parts}


def _minutes(when: datetime | None, now: datetime) -> int | None:
    return None if when is None else max(0, int((now - when).total_seconds() // 60))


def _plain(code: str) -> str:
    """Return a code as it was made, however it was typed."""
    return re.sub(r"[^A-Z0-9]", "", code.upper())[:12]


async def _patiently(read: Callable[[], Awaitable[T]]) -> T:
    """Return what is read; wait while the database does not answer."""
    while True:
        try:
            return await read()
        except StoreError:
            await asyncio.sleep(LOOK_EVERY)


def _event(name: str, drawn: str) -> str:
    data = "".join(f"data: {line}\n" for line in drawn.split("\n"))
    return f"event: {name}\n{data}\n"


def _stream(events: AsyncIterator[str]) -> Response:
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
