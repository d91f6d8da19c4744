"""A town's days outside of the chat: a feed for calendars, and a year to print."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from bot.core.sheet import Year
from bot.storage.store import Store

FIRST, LAST = 2000, 2100  # years that can be asked for
FRESH = 3600  # seconds for which a feed need not be asked for again
ALL = "1"


@dataclass(frozen=True)
class Days:
    """What pages ask: a town's feed in a language, and its year (None: the present one); with all days, or its own."""

    calendar: Callable[[Connection, str, str, bool], bytes]
    year: Callable[[Connection, str, str, int | None, bool], Year]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for a page: the town and the language that they named, or that their conversation is in."""

    city: str
    language: str


class DayPages:
    """The pages; `page` draws one in the frame of the site, `asker` knows who asks."""

    def __init__(
        self, store: Store, days: Days, asker: Callable[[Request], Awaitable[Asker]], page: Callable[..., str]
    ) -> None:
        self._store = store
        self._days = days
        self._asker = asker
        self._page = page

    def routes(self) -> list[BaseRoute]:
        """Return what these pages are asked by."""
        return [Route("/calendar.ics", self.calendar), Route("/year", self.year)]

    async def calendar(self, request: Request) -> Response:
        """The feed; the same bytes have the same tag, so that a calendar that has them already gets none."""
        asker, everything = await self._asker(request), request.query_params.get("all") == ALL
        found = await self._store.read(lambda tx: self._days.calendar(tx, asker.city, asker.language, everything))
        tag = f'"{hashlib.sha256(found).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": f"public, max-age={FRESH}", "Vary": "Accept-Language, Cookie"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        headers["Content-Disposition"] = 'inline; filename="days.ics"'
        return Response(found, media_type="text/calendar; charset=utf-8", headers=headers)

    async def year(self, request: Request) -> Response:
        """Twelve months on one sheet."""
        asker, everything = await self._asker(request), request.query_params.get("all") == ALL
        asked = request.query_params.get("year", "")
        number = int(asked) if asked.isdecimal() and len(asked) == 4 and FIRST <= int(asked) <= LAST else None
        found = await self._store.read(lambda tx: self._days.year(tx, asker.city, asker.language, number, everything))
        return HTMLResponse(self._page("year.html", asker.language, year=found, city_id=asker.city))
