"""What each beat of the clock does. The scheduler is only a metronome: what is due stands in rows."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = logging.getLogger(__name__)

Beat = Callable[[], Coroutine[Any, Any, object]]
LOOK = 1.0  # seconds between looks at the clock
STEP = timedelta(seconds=1)  # by which a clock that is set back differs from one that is only corrected


class Metronome:
    """Calls each beat every so many seconds; one that fails is logged and called again."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._looking: asyncio.TimerHandle | None = None
        self._looked = datetime.now(UTC)
        self.last: datetime | None = None

    def every(self, seconds: float, beat: Beat, *, at_once: bool = False) -> None:
        """Call `beat` every `seconds`, never twice at once; a beat that was missed is made up once.

        The first comes after as long, or `at_once`.
        """

        async def safely() -> None:
            self.last = datetime.now(UTC)
            try:
                await beat()
            except Exception as error:  # the loop must go on, whatever one beat met
                log.error("beat failed beat=%s error=%s", beat.__name__, type(error).__name__)

        first = {"next_run_time": datetime.now(UTC)} if at_once else {}
        self._scheduler.add_job(
            safely, "interval", seconds=seconds, coalesce=True, misfire_grace_time=None, max_instances=1, **first
        )

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()
        self._look()

    def stop(self) -> None:
        """End."""
        if self._looking:
            self._looking.cancel()
        self._scheduler.shutdown(wait=False)

    def _look(self) -> None:
        """Beat on when the clock was set back; the scheduler would be silent until it is again as late as it was."""
        now = datetime.now(UTC)
        if now < self._looked - STEP:
            log.warning("clock set back seconds=%s", round((self._looked - now).total_seconds()))
            for job in self._scheduler.get_jobs():
                job.modify(next_run_time=now)
        self._looked = now
        self._looking = asyncio.get_running_loop().call_later(LOOK, self._look)
