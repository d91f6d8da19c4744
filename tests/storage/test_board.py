"""What the wall is told of a game by its rows, while something hurtful was said and otherwise."""

from datetime import UTC, datetime
from random import Random

from sqlalchemy import Connection

from bot.core.message import Address
from bot.storage import games, plays
from bot.storage.store import Store
from bot.storage.tables import METADATA

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOST = Address("web", "desk")
FACE = {
    "titles": {"en": "The Archive"},
    "rooms": ["desk", "vault"],
    "names": {"en": ["The desk", "The vault"]},
    "steps": {"sure": {"en": "When were you sure?"}},
}


def hosted(tx: Connection, **values: object) -> games.Game:
    """Return a game in its debrief, with a word on the wall and one that waits."""
    plays.keep_edition(tx, "digest", "archive", {}, FACE, NOON)
    made = games.add(
        tx, Random(1), NOON, quiz="archive", edition="digest", mode="first", own_names=0, language="en", cut=None
    )
    games.let_host(tx, made.code, HOST, NOON)
    for word in ("Nobody asked", "My cousin was there"):
        games.give_word(tx, made, word)
    games.release(tx, made.code, 1)
    return games.change(tx, made, state="debrief", step="sure", **values)


async def test_the_wall_shows_the_question_and_the_words_that_were_released() -> None:
    store = Store(":memory:")
    await store.run(METADATA.create_all)
    game = await store.run(hosted)
    board = await store.read(lambda tx: games.board(tx, game.code, NOON))
    assert board
    assert (board.state, board.step) == ("debrief", "sure")
    assert board.question == {"en": "When were you sure?"}
    assert board.words == ("Nobody asked",)
    store.close()


async def test_while_something_hurtful_is_dealt_with_the_wall_says_only_that_there_is_a_pause() -> None:
    store = Store(":memory:")
    await store.run(METADATA.create_all)
    game = await store.run(lambda tx: hosted(tx, hurt=1, question={"en": "Who was it?"}))
    board = await store.read(lambda tx: games.board(tx, game.code, NOON))
    panel = await store.read(lambda tx: games.panel(tx, HOST, NOON))
    assert board
    assert (board.state, board.step, board.question, board.words) == ("paused", None, None, ())
    assert panel
    assert panel.hurt
    assert panel.waiting == ((2, "My cousin was there"),)
    store.close()
