"""How many messages come from where: a leaky bucket for each conversation and each network address, in memory only."""

from collections import OrderedDict
from math import ceil

from aiolimiter import AsyncLimiter

REMEMBERED = 20_000
MINUTE = 60.0


class Pace:
    """Allows `a_minute` messages of each key, all at once if need be, then as they leak away."""

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._buckets: OrderedDict[str, AsyncLimiter] = OrderedDict()

    async def allows(self, key: str) -> bool:
        """Count one message of `key`; say whether it may pass."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = AsyncLimiter(self._a_minute, MINUTE)
            if len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        if not bucket.has_capacity():
            return False
        await bucket.acquire()
        return True

    def is_spent(self, key: str) -> bool:
        """Say whether `key` has no message left for now, and count nothing."""
        bucket = self._buckets.get(key)
        return bucket is not None and not bucket.has_capacity()

    @property
    def wait(self) -> int:
        """Seconds after which one more message has room."""
        return ceil(MINUTE / self._a_minute)
