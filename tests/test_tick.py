"""The metronome beats on, whatever becomes of the clock."""

import asyncio
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from apscheduler.schedulers import base

from bot import tick
from bot.tick import Metronome

BEAT = 0.02


class Clock(datetime):
    """A clock that can be set."""

    off = timedelta(0)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Clock":
        return datetime.now(tz or UTC) + cls.off  # type: ignore[return-value]  # nobody asks more of it


@pytest.fixture(autouse=True)
def settable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "off", timedelta(0))
    monkeypatch.setattr(tick, "datetime", Clock)
    monkeypatch.setattr(base, "datetime", Clock)
    monkeypatch.setattr(tick, "LOOK", BEAT)


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(days=-1), timedelta(hours=1), timedelta(days=1)])
async def test_it_beats_on_when_the_clock_jumps(jump: timedelta) -> None:
    beats = asyncio.Queue[None]()
    metronome = Metronome()
    metronome.every(BEAT, lambda: beats.put(None))
    metronome.start()
    async with asyncio.timeout(60):
        for _ in range(3):
            await beats.get()
        Clock.off = jump
        while not beats.empty():
            beats.get_nowait()
        for _ in range(5):
            await beats.get()
    metronome.stop()


async def test_a_beat_may_come_at_once() -> None:
    come = asyncio.Event()

    async def beat() -> None:
        come.set()

    metronome = Metronome()
    metronome.every(3600, beat, at_once=True)
    metronome.start()
    async with asyncio.timeout(60):
        await come.wait()
    metronome.stop()


async def test_a_beat_that_fails_is_called_again() -> None:
    beats = asyncio.Queue[None]()

    async def beat() -> None:
        await beats.put(None)
        raise ValueError

    metronome = Metronome()
    metronome.every(BEAT, beat)
    metronome.start()
    async with asyncio.timeout(60):
        for _ in range(3):
            await beats.get()
    metronome.stop()
