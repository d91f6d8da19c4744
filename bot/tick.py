"""What each beat of the clock does. The scheduler is only a metronome: what is due stands in rows."""

import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = logging.getLogger(__name__)

Beat = Callable[[], Coroutine[Any, Any, object]]


class Metronome:
    """Calls each beat every so many seconds; one that fails is logged and called again."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self.last: datetime | None = None

    def every(self, seconds: float, beat: Beat) -> None:
        """Call `beat` every `seconds`, never twice at once; a beat that was missed is made up once."""

        async def safely() -> None:
            self.last = datetime.now(UTC)
            try:
                await beat()
            except Exception as error:  # the loop must go on, whatever one beat met
                log.error("beat failed beat=%s error=%s", beat.__name__, type(error).__name__)

        self._scheduler.add_job(
            safely, "interval", seconds=seconds, coalesce=True, misfire_grace_time=None, max_instances=1
        )

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    def stop(self) -> None:
        """End."""
        self._scheduler.shutdown(wait=False)
