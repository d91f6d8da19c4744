"""How updates come: asked for by long polling, or posted to a webhook. Neither counts one as received too early."""

import asyncio
import hmac
import json
import logging
from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from telegram.error import BadRequest, Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.core.platform import RefusedError
from bot.platforms.telegram import REVOKED, Telegram, persist, seconds
from bot.platforms.telegram.ears import Ears
from bot.platforms.telegram.hear import WANTED, Raw
from bot.storage.store import StoreError

log = logging.getLogger(__name__)

WAIT = 50  # seconds that Telegram holds a poll open
AGAIN = 2.0  # seconds before what could not be kept is heard again
CONFLICT_PAUSE = 10.0
MOST_IN_FLIGHT = 200
LARGEST = 2**20  # bytes of an update
_HEADER = "x-telegram-bot-api-secret-token"


async def poll(telegram: Telegram, ears: Ears) -> None:
    """Ask for updates for ever; one is confirmed, by asking for the next, only when its turn is durable."""
    await persist(lambda: _unhook(telegram))
    offset, conflict = 0, False
    while True:
        try:
            updates = await telegram.updates(offset, WAIT, WANTED)
        except Conflict:
            if not conflict:
                log.error(
                    "Another program polls with this Telegram token. Stop it, or give Hearsay a bot of its own; "
                    "until then it hears nothing."
                )
            conflict = True
            await asyncio.sleep(CONFLICT_PAUSE)
        except InvalidToken:
            raise RefusedError(REVOKED) from None
        except TelegramError as error:
            await _breathe(error)
        else:
            conflict = False
            offset = await _finish(asyncio.ensure_future(_take_all(ears, updates, offset)))


async def _finish(taking: "asyncio.Future[int]") -> int:
    """Await what is under way, also when cancelled meanwhile: what was heard is to be answered."""
    try:
        return await asyncio.shield(taking)
    except asyncio.CancelledError:
        await taking
        raise


async def _breathe(error: TelegramError) -> None:
    pause = seconds(error) if isinstance(error, RetryAfter) else AGAIN
    if not isinstance(error, NetworkError):
        log.error("polling failed error=%s", type(error).__name__)
    await asyncio.sleep(pause)


async def _take_all(ears: Ears, updates: Sequence[Raw], offset: int) -> int:
    """Hear `updates`; return the offset that confirms those before the first that could not be kept."""
    heard = await asyncio.gather(*(_take(ears, update) for update in updates))
    for update, kept in zip(updates, heard, strict=True):
        if not kept:
            await asyncio.sleep(AGAIN)
            break
        offset = int(update["update_id"]) + 1
    return offset


async def _take(ears: Ears, update: Raw) -> bool:
    try:
        await ears.take(update)
    except StoreError:
        return False
    except Exception as error:  # it would break again, and hold up everybody behind it
        log.error("update broken error=%s", type(error).__name__)
    return True


async def _unhook(telegram: Telegram) -> None:
    if (await telegram.bot.get_webhook_info()).url:
        log.info("the webhook that was set is removed; Hearsay polls")
        await telegram.bot.delete_webhook()


class Webhook:
    """Hears what Telegram posts; 200 only when it is durable, 503 when too much is in the air."""

    def __init__(self, telegram: Telegram, ears: Ears, public: str) -> None:
        self._telegram = telegram
        self._ears = ears
        self.path = f"/telegram/{telegram.secret('path')}"
        self._url = public.rstrip("/") + self.path
        self._secret = telegram.secret("webhook")
        self._in_flight = 0
        self._complaint = ""

    @property
    def route(self) -> Route:
        """The way in."""
        return Route(self.path, self.hear, methods=["POST"])

    async def announce(self) -> None:
        """Tell Telegram where to post. Raises `RefusedError` where it will not."""
        try:
            await self._telegram.bot.set_webhook(
                self._url, secret_token=self._secret, allowed_updates=WANTED, max_connections=100
            )
        except BadRequest as error:
            raise RefusedError(
                f"Telegram refuses HEARSAY_TELEGRAM_WEBHOOK: {error.message}. It must be a public https address on "
                "port 443, 80, 88 or 8443 with a certificate that browsers accept."
            ) from None

    async def hear(self, request: Request) -> Response:
        """Take one update."""
        if not hmac.compare_digest(request.headers.get(_HEADER, "").encode(), self._secret.encode()):
            return PlainTextResponse("not from Telegram", 401)
        if self._in_flight >= MOST_IN_FLIGHT or not self._telegram.me.id:  # who does not know its name hears no mention
            return PlainTextResponse("busy", 503, {"Retry-After": "1"})
        self._in_flight += 1
        try:
            return await self._hear(request)
        finally:
            self._in_flight -= 1

    async def _hear(self, request: Request) -> Response:
        update = await _read(request)
        if update is None:
            return PlainTextResponse("not an update", 400)
        if await _take(self._ears, update):
            return Response()
        return PlainTextResponse("cannot keep anything now", 503, {"Retry-After": "5"})

    async def look(self) -> None:
        """Say, once for each reason, when Telegram cannot reach the webhook."""
        info = await self._telegram.bot.get_webhook_info()
        complaint = info.last_error_message or "" if info.pending_update_count else ""
        if complaint and complaint != self._complaint:
            log.error("Telegram cannot reach the webhook (%s); %s updates wait.", complaint, info.pending_update_count)
        self._complaint = complaint


async def _read(request: Request) -> Raw | None:
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                return None
        update = json.loads(body)
    except (ValueError, RecursionError, ClientDisconnect):
        return None
    return update if isinstance(update, dict) and isinstance(update.get("update_id"), int) else None
