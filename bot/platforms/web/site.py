"""The pages: the chat, a card to share, what a form posts to, and the stream of new bubbles."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as Event

from bot.core import markup
from bot.core.fit import fit
from bot.core.message import Address, Image, Message, Reply
from bot.core.session import Session
from bot.platforms import limits
from bot.platforms.web import NAME, Web
from bot.platforms.web.days import Asker, DayPages, Days
from bot.platforms.web.draw import direction, html
from bot.platforms.web.games import Frame, GamePages, Games
from bot.platforms.web.pace import Pace
from bot.platforms.web.paper import environment
from bot.storage import sessions
from bot.storage.outbox import Bubble
from bot.storage.store import StoreError
from bot.talk.assistant import Assistant, Turn
from bot.talk.feature import Say

Ready = Callable[[], Awaitable[bool]]

COOKIE = "hearsay"
COOKIE_DAYS = 30
LARGEST_POST = 256 * 1024
_HERE = Path(__file__).parent

# Nothing may be loaded from anywhere else, nothing inline may run, nobody may frame the page.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A bubble as the templates need it."""

    id: int
    language: str
    direction: str
    body: str
    reply: Reply
    turn: int | None
    link: str | None
    key: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks for a page: a conversation known by its cookie alone, a language, and the city of the link followed."""

    token: str
    where: Address
    is_new: bool
    wanted: tuple[str, ...]
    city: str = ""


class Site:
    """All pages of one installation, below the path `base`."""

    def __init__(
        self,
        web: Web,
        assistant: Assistant,
        *,
        base: str = "",
        pace: Pace,
        crowd: Pace,
        games: Games | None = None,
        days: Days | None = None,
    ) -> None:
        self._web = web
        self._assistant = assistant
        self._base = base
        self._pace = pace
        self._crowd = crowd
        self._templates = environment()
        self._version = _version(_HERE / "static")
        self._games = games
        self._days = days

    def app(self, ready: Ready, more: Sequence[BaseRoute] = ()) -> Starlette:
        """Return the ASGI application with `more` routes; `ready` says whether the parts behind it work."""
        routes: list[BaseRoute] = [
            *more,
            Route("/", self.chat),
            Route("/say", self.say, methods=["POST"]),
            Route("/events", self.events),
            Route("/suggest", self.suggest),
            Route("/forgotten", self.forgotten),
            Route("/image/{number:int}", self.image),
            *_health(ready),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
            *(self._game_pages(self._games) if self._games else ()),
            *(DayPages(self._assistant.store, self._days, self._asker, self._page).routes() if self._days else ()),
            Route("/days", self.card),
            Route("/{command}/{argument}", self.card),
        ]
        if self._base:
            routes = [
                Route("/", lambda _: RedirectResponse(f"{self._base}/")),
                *_health(ready),
                Mount(self._base, routes=routes),
            ]
        return Starlette(
            routes=routes,
            middleware=[Middleware(SafeHeaders)],
            exception_handlers={404: self.not_found, 405: self.not_found, StoreError: self.full},
        )

    async def chat(self, request: Request) -> Response:
        """The conversation; a newcomer sees what /start says, and nothing is kept until something is said."""
        visitor = self._visitor(request)
        session, bubbles = await self._conversation(visitor)
        says = self._assistant.repertoires.of(session.city or visitor.city)
        language = says.spoken(session.language, *visitor.wanted)
        shown = [drawn for bubble in bubbles for drawn in self._draw(bubble)]
        if not shown:
            hello = await self._assistant.preview("/start", language, session.city or visitor.city)
            shown = [self._drawn(0, reply, language) for reply in hello]
        prompt = session.asked.reply.prompt if session.asked else None
        last = bubbles[-1].id if bubbles else 0
        page = self._page(
            "chat.html",
            language,
            languages=says.languages,
            city=visitor.city,
            bubbles=shown,
            last=last,
            prompt=prompt,
            key=_key(),
            commands=self._commands(language),
        )
        return self._with_cookie(HTMLResponse(page), request, visitor)

    async def card(self, request: Request) -> Response:
        """What a linkable command shows, for a friend who follows a link."""
        command, argument = request.path_params.get("command", "days"), request.path_params.get("argument", "")
        visitor = self._visitor(request)
        language = self._assistant.repertoires.of(visitor.city).spoken(*visitor.wanted)
        replies = await self._assistant.preview(f"/{command} {argument}".strip(), language, visitor.city)
        if not replies:
            return await self.not_found(request, None)
        first = markup.parse(replies[0].text)[0].plain
        shown = [self._drawn(0, reply, language) for reply in replies]
        page = self._page("card.html", language, bubbles=shown, summary=first, key=_key(), city=visitor.city)
        return HTMLResponse(page)

    async def say(self, request: Request) -> Response:
        """Take what a form posts: 204 for the script, which draws what the stream brings; 303 without it."""
        visitor = self._visitor(request)
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return PlainTextResponse("cross-site", 403)
        body = await _body(request)
        if body is None:
            return await self._refuse(request, visitor, "talk.too_long", 413)
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        visitor = replace(visitor, wanted=(*filter(None, [form.get("lang")]), *visitor.wanted))
        address = request.client.host if request.client else ""
        if not (await self._pace.allows(visitor.token) and await self._crowd.allows(address)):
            return await self._refuse(request, visitor, "talk.slow_down", 429)
        turn = await self._assistant.handle(self._message(visitor, form))
        if turn.forgotten:
            self._web.forgotten(visitor.where)
            return self._forgotten(request, turn)
        return self._with_cookie(self._answered(request, form, turn), request, visitor)

    async def events(self, request: Request) -> Response:
        """New bubbles as server-sent events, from `Last-Event-ID` or `after` on."""
        visitor = self._visitor(request)
        last = request.headers.get("last-event-id") or request.query_params.get("after", "")
        stream = self._stream(visitor.where, _number(last) or 0)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def image(self, request: Request) -> Response:
        """The picture of a bubble of one's own conversation."""
        number, visitor = request.path_params["number"], self._visitor(request)
        shown = [] if visitor.is_new else await self._web.bubbles(visitor.where)
        image = next((bubble.reply.image for bubble in shown if bubble.id == number), None)
        data = await asyncio.to_thread(_bytes, image) if image else b""
        if not data:
            return await self.not_found(request, None)
        sort = "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
        return Response(data, media_type=sort, headers={"Cache-Control": "private, max-age=86400"})

    async def suggest(self, request: Request) -> Response:
        """What completes the text typed so far."""
        says = await self._assistant.repertoire_for(self._visitor(request).where)
        language = says.spoken(request.query_params.get("lang"))
        hidden = await self._assistant.hidden(says)
        return JSONResponse(says.suggest(request.query_params.get("text", "")[:100], language, hidden))

    async def forgotten(self, request: Request) -> Response:
        """Say that everything was deleted; the script leads here."""
        language = self._language(self._visitor(request), None)
        return HTMLResponse(self._page("notice.html", language, title="web.title", text="forget.done"))

    async def not_found(self, request: Request, _: Exception | None) -> Response:
        """Say that an address leads nowhere."""
        language = self._language(self._visitor(request), None)
        return HTMLResponse(self._page("notice.html", language, title="web.not_found", text="web.not_found_text"), 404)

    async def full(self, request: Request, _: Exception) -> Response:
        """Say that nothing can be kept, and hence nothing answered, at the moment."""
        return await self._refuse(request, self._visitor(request), "talk.full", 503)

    async def _stream(self, where: Address, last: int) -> AsyncIterator[str]:
        yield "retry: 2000\n\n"
        async for bubbles in self._web.stream(where, last):
            if bubbles is None:
                yield "event: gone\ndata:\n\n"
                return
            events = [self._event(bubble) for bubble in bubbles]
            yield "".join(events) or ": still here\n\n"

    def _event(self, bubble: Bubble) -> str:
        page = self._templates.get_template("bubbles.html")
        drawn = page.render(bubbles=list(self._draw(bubble)), say=self._say(bubble.language), base=self._base)
        data = "".join(f"data: {line}\n" for line in drawn.split("\n"))
        return f"id: {bubble.id}\nevent: bubble\n{data}\n"

    async def _conversation(self, visitor: Visitor) -> tuple[Session, list[Bubble]]:
        if visitor.is_new:
            return Session(visitor.where), []
        session = await self._assistant.store.read(lambda tx: sessions.take(tx, visitor.where))
        return session, await self._web.bubbles(visitor.where)

    def _message(self, visitor: Visitor, form: dict[str, str]) -> Message:
        # What stands before a typed text makes a command of it, also without JavaScript.
        text = " ".join(filter(None, (form.get("before"), form.get("text"))))
        # The key of the form and the words: a form sent twice is one message, two buttons of it are two. The cookie is
        # in the hash, or whoever reads the database could try out which words give it.
        words = hashlib.sha256(f"{visitor.token} {text}".encode()).hexdigest()[:12]
        return Message(
            visitor.where,
            text,
            f"{form.get('key') or _key():.40}.{words}",
            turn=_number(form.get("turn", "")),
            language=next(iter(visitor.wanted), None),
            introduced=True,
            city=visitor.city,
        )

    def _visitor(self, request: Request) -> Visitor:
        token = request.cookies.get(COOKIE, "")
        is_new = not 16 <= len(token) <= 64
        token = secrets.token_urlsafe(18) if is_new else token
        # The database holds a hash only: whoever reads it cannot take over a conversation.
        chat = hashlib.sha256(token.encode()).hexdigest()[:32]
        asked = request.query_params.get("lang", "")
        accepted = [part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
        city = request.query_params.get("city", "")
        known = city if city in self._assistant.repertoires.by_city else ""
        return Visitor(token, Address(NAME, chat), is_new, tuple(filter(None, (asked, *accepted))), known)

    def _language(self, visitor: Visitor, session: Session | None) -> str:
        return self._assistant.repertoire.spoken(session.language if session else None, *visitor.wanted)

    def _with_cookie(self, response: Response, request: Request, visitor: Visitor) -> Response:
        response.headers["Cache-Control"] = "no-store"
        response.set_cookie(
            COOKIE,
            visitor.token,
            max_age=COOKIE_DAYS * 86_400,
            path=self._base or "/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return response

    def _answered(self, request: Request, form: dict[str, str], turn: Turn) -> Response:
        """Lead a page without JavaScript to the first new bubble, in the language it was in."""
        if _live(request):
            return Response(status_code=204)
        if form.get("back") == "host":
            return RedirectResponse(f"{self._base}/host", 303)
        asked = f"?lang={form['lang']}" if form.get("lang") in self._assistant.repertoire.languages else ""
        spot = f"b{turn.bubbles[0].id}" if turn.bubbles else "end"
        return RedirectResponse(f"{self._base}/{asked}#{spot}", 303)

    def _forgotten(self, request: Request, turn: Turn) -> Response:
        """Say goodbye on a page that belongs to no conversation, and take the cookie away."""
        if _live(request):
            response: Response = Response(status_code=205)
        else:
            page = self._page("notice.html", turn.language, title="web.title", words=turn.farewell[0].text)
            response = HTMLResponse(page)
        response.delete_cookie(COOKIE, path=self._base or "/")
        return response

    async def _refuse(self, request: Request, visitor: Visitor, phrase: str, status: int) -> Response:
        language = await self._chosen(visitor)
        text = self._say(language)(phrase, seconds=self._pace.wait)
        headers = {"Retry-After": str(self._pace.wait)}
        if _live(request):
            return PlainTextResponse(text, status, headers)
        page = self._page("notice.html", language, title="web.title", words=text)
        return self._with_cookie(HTMLResponse(page, status, headers), request, visitor)

    async def _chosen(self, visitor: Visitor) -> str:
        """Return the language of the conversation, even where the database does not answer."""
        try:
            session = await self._assistant.store.read(lambda tx: sessions.take(tx, visitor.where))
        except StoreError:
            return self._language(visitor, None)
        return self._language(visitor, session)

    def _draw(self, bubble: Bubble) -> Sequence[Drawn]:
        return [self._drawn(bubble.id, part, bubble.language, bubble.turn) for part in fit(bubble.reply, limits.WEB)]

    def _drawn(self, number: int, reply: Reply, language: str, turn: int | None = None) -> Drawn:
        link = f"{self._base}{reply.link.replace(' ', '/')}?lang={language}" if reply.link else None
        body = html(reply.text, f"form-{number}")
        return Drawn(number, language, direction(language), body, reply, turn, link, _key())

    def _game_pages(self, games: Games) -> list[BaseRoute]:
        """Return the routes of the pages around games, which stand in the same frame as these."""

        async def language(request: Request) -> str:
            visitor = self._visitor(request)
            return self._language(visitor, None) if visitor.is_new else await self._chosen(visitor)

        async def answers(where: Address, most: int) -> list[Drawn]:
            found = [bubble for bubble in await self._web.bubbles(where) if bubble.reply.slot is None]
            return [drawn for bubble in found[-most:] for drawn in self._draw(bubble)]

        frame = Frame(
            self._base,
            self._page,
            _key,
            lambda request: self._visitor(request).where,
            language,
            self._assistant.repertoire.spoken,
            answers,
        )
        return GamePages(self._web, self._assistant.store, games, frame).routes()

    async def _asker(self, request: Request) -> Asker:
        """Return the town and the language of whoever asks for a town's days; a feed's address names both."""
        visitor = self._visitor(request)
        session, _ = (Session(visitor.where), []) if visitor.city else await self._conversation(visitor)
        repertoires = self._assistant.repertoires
        city = visitor.city or repertoires.city(session.city)
        asked = request.query_params.get("lang", "")
        return Asker(city, repertoires.of(city).spoken(asked, session.language, *visitor.wanted))

    def _commands(self, language: str) -> list[tuple[str, str]]:
        say = self._say(language)
        menu = self._assistant.repertoire.menu()
        return [(f"/{command.name}", say(f"describe.{command.name}")) for command in menu]

    def _page(self, template: str, language: str, **values: Any) -> str:
        always = {"languages": self._assistant.repertoire.languages, "base": self._base, "version": self._version}
        page = self._templates.get_template(template)
        return page.render(
            {**always, **values}, say=self._say(language), language=language, direction=direction(language)
        )

    def _say(self, language: str) -> Say:
        return self._assistant.repertoire.say_in(language)


def bare(ready: Ready, routes: Sequence[BaseRoute], base: str) -> Starlette:
    """Return an application without any page: what platforms post to, and whether it lives."""
    return Starlette(routes=[*_health(ready), Mount(base, routes=[*routes])])


def _health(ready: Ready) -> list[Route]:
    async def readyz(_: Request) -> Response:
        fine = await ready()
        return JSONResponse({"ready": fine}, 200 if fine else 503)

    return [Route("/healthz", lambda _: PlainTextResponse("ok")), Route("/readyz", readyz)]


class SafeHeaders:
    """Adds the security headers to every answer, streams included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; an answer's start gets the headers."""

        async def send_safely(event: Event) -> None:
            if event["type"] == "http.response.start":
                event["headers"] = [*event["headers"], *self._headers]
            await send(event)

        await self._app(scope, receive, send_safely if scope["type"] == "http" else send)


def _live(request: Request) -> bool:
    return request.headers.get("accept") == "application/json"


def _number(text: str) -> int | None:
    """Return the number that `text` is, None where it is none that a row could have."""
    return int(text) if text.isdecimal() and len(text) <= 18 else None


def _key() -> str:
    return secrets.token_urlsafe(9)


def _version(folder: Path) -> str:
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.iterdir())))
    return digest.hexdigest()[:10]


def _bytes(image: Image) -> bytes:
    """Return a picture, nothing where its file is no more."""
    try:
        return image.data or (image.path.read_bytes() if image.path else b"")
    except OSError:
        return b""


async def _body(request: Request) -> bytes | None:
    """Return what was posted, None where it is more than anybody types."""
    parts: list[bytes] = []
    async for part in request.stream():
        parts.append(part)
        if sum(map(len, parts)) > LARGEST_POST:
            return None
    return b"".join(parts)
