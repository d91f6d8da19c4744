"""Kill -9 in the middle of a broadcast loses nobody, and doubles nothing but what was in the air."""

from pathlib import Path
from random import Random

import pytest
from sqlalchemy import URL

from bot.storage.migrate import migrate
from tests.announcing import Announcement, prepare
from tests.serving import START

SUBSCRIBERS, KILLS = 400, 5


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        url: URL = request.getfixturevalue("on_server")
        return url.set(drivername="postgresql").render_as_string(hide_password=False)
    migrate(tmp_path / "hearsay.db")
    return str(tmp_path / "hearsay.db")


async def test_killed_five_times_a_broadcast_reaches_everybody(database: str, tmp_path: Path) -> None:
    chance = Random(5)
    await prepare(database, SUBSCRIBERS)
    told = Announcement(database, tmp_path / "sent", SUBSCRIBERS)
    for _ in range(KILLS):
        await told.killed(chance, SUBSCRIBERS // (KILLS + 2))
    with told.life() as process:
        assert process.wait(START) == 0
    assert told.lost() == 0
    assert told.in_the_air, "no kill came while anything was in the air: this run proved nothing"
    assert told.doubled() <= told.in_the_air
    assert told.doubled_by_nonce() == 0
