"""What Discord's refusals mean for delivery."""

import time
from collections import OrderedDict

import aiohttp
import discord

from bot.core.platform import DeliveryError, Lost

NO_CHANNEL, NO_ACCESS, NOT_TO_THEM, NOT_HERE = 10003, 50001, 50007, 50013
LOST: dict[int, Lost] = {NO_CHANNEL: "gone", NO_ACCESS: "barred", NOT_TO_THEM: "blocked", NOT_HERE: "barred"}
BANNED_FOR, REST = 60.0, 600.0  # seconds
MOST = 4096
TROUBLE = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError, TimeoutError)


def failure(error: Exception, *, unknown: bool = False) -> DeliveryError:
    """Return what `error`, one of `TROUBLE`, means; its message may hold addresses, so none of it is kept.

    `unknown` says that what was cut off may have arrived, and that Discord cannot tell a second copy from the first.
    """
    if isinstance(error, discord.RateLimited):
        return DeliveryError("too fast", after=error.retry_after)
    if not isinstance(error, discord.HTTPException):
        return DeliveryError("no answer", unknown=unknown and not isinstance(error, aiohttp.ClientConnectorError))
    why = f"{error.status} {error.code}"
    if error.status == 429:  # not from Discord itself, but from what stands before it
        return DeliveryError(why, after=BANNED_FOR)
    return DeliveryError(why, permanent=error.status < 500 and error.status != 401, lost=LOST.get(error.code))


class Graves:
    """Remembers for a while where nothing may be written: ten thousand refusals in ten minutes end in a ban."""

    def __init__(self) -> None:
        self._until: OrderedDict[int, float] = OrderedDict()

    def bury(self, channel: int, error: Exception) -> None:
        """Remember `channel` if `error` says that it is dead."""
        if isinstance(error, discord.HTTPException) and error.code in LOST:
            self._until[channel] = time.monotonic() + REST
            self._until.move_to_end(channel)
            while len(self._until) > MOST:
                self._until.popitem(last=False)

    def check(self, channel: int) -> None:
        """Raise `DeliveryError` where `channel` is known to be dead."""
        if self._until.get(channel, 0.0) > time.monotonic():
            raise DeliveryError("known to refuse", permanent=True)
