"""Messages sent through python-telegram-bot by our aiohttp backend and by its own, against a stub of the Bot API."""

import asyncio
import time
from collections.abc import Callable, Iterator

from telegram import Bot
from telegram.request import BaseRequest, HTTPXRequest

from bot.platforms.telegram.request import AiohttpRequest
from tests.bench.figure import Figure, alternate
from tests.bench.telegram_bare import listening
from tests.bench.telegram_outside import TOKEN

AT_ONCE = 50
EACH = 20
ROUNDS = 5
BAR = 5
TEXT = "They take nobody's flat."
BASELINE = "the same Bot.send_message with PTB's default HTTPXRequest, same stub, same run"


def figures() -> Iterator[Figure]:
    """Yield ptb_request_ratio."""
    with listening("tests.bench.telegram_outside") as port:

        def rate(way: Callable[[], BaseRequest]) -> Callable[[], float]:
            return lambda: asyncio.run(_rate(way, port))

        ours, theirs = alternate(ROUNDS, rate(AiohttpRequest), rate(HTTPXRequest))
    more: dict[str, object] = {"messages_s": ours, "baseline_s": theirs}
    yield Figure("ptb_request_ratio", ours / theirs, BASELINE, BAR, more=more)


async def _rate(way: Callable[[], BaseRequest], port: int) -> float:
    """Return how many messages a second go out, once the connections are there."""
    request = way()
    bot = Bot(TOKEN, base_url=f"http://127.0.0.1:{port}/bot", request=request)
    async with request:
        await _send(bot, 1)
        began = time.perf_counter()
        await _send(bot, EACH)
        return AT_ONCE * EACH / (time.perf_counter() - began)


async def _send(bot: Bot, each: int) -> None:
    async def chat(number: int) -> None:
        for _ in range(each):
            await bot.send_message(number, TEXT)

    await asyncio.gather(*(chat(number) for number in range(1, AT_ONCE + 1)))
