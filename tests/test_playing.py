"""Holds to account that playing and hosting survive what people and machines do to them."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from bot.app import App, Content, load_content
from bot.core.message import Address, Message
from bot.features.quizzes import QUIZZES
from bot.features.quizzes import play as rules
from bot.features.quizzes.joining import LONGEST_NAME
from bot.features.quizzes.play import Play
from bot.library.city import NO_CITY
from bot.platforms import limits
from bot.settings import load
from bot.storage import games, plays, retention, sessions
from bot.storage.games import LETTERS, Board, Panel
from bot.storage.plays import PlayRow
from bot.storage.store import Store
from bot.storage.tables import GAMES, HOSTS, METADATA, PLAY_LOG, PLAYS, RESULTS, SEATS, VOTES, WORDS
from bot.trying import Trying
from tests.play import NOON, Screen, Stage

SHIPPED = Path(__file__).parent.parent / "quizzes"
HERE = Address("terminal", "here")
HOST = Address("terminal", "host")


async def rows(stage: Stage, where: Address = HERE) -> list[PlayRow]:
    return await stage.store.run(lambda tx: plays.plays_at(tx, where))


async def texts(stage: Stage, *said: str) -> str:
    """Say each; return all that the last one showed."""
    shown: list[list[str]] = []
    for one in said:
        shown = await stage.say(one)
    return "\n".join(line for part in shown for line in part)


async def hosted(stage: Stage, quiz: str = "forwarded", *teams: str) -> str:
    """Host a game, let teams join from chats of their own, start it; return its code."""
    stage.chat = "host"
    await stage.say(f"/host {quiz} names")
    game = await stage.store.run(lambda tx: games.hosted(tx, HOST))
    assert game
    for team in teams:
        stage.chat = team
        await stage.say(f"/join {game.code}")
    stage.chat = "host"
    await stage.say("/game start")
    return game.code


async def board(stage: Stage, code: str) -> Board:
    found = await stage.store.run(lambda tx: games.board(tx, code, stage.now))
    assert found
    return found


async def panel(stage: Stage) -> Panel:
    found = await stage.store.run(lambda tx: games.panel(tx, HOST, stage.now))
    assert found
    return found


# ---------------------------------------- at the same instant


async def test_two_presses_at_the_same_instant_count_once(stage: Stage) -> None:
    await stage.say("/quiz forwarded", "ana")
    asked = await stage.store.run(lambda tx: sessions.take(tx, Address("terminal", "room")).asked)
    assert asked
    where = Address("terminal", "room")
    presses = [Message(where, "leo", f"p{who}", asked.turn, who, "en", shared=True) for who in ("bo", "cy")]
    await asyncio.gather(*map(stage.app.assistant.handle, presses))
    (row,) = await rows(stage, where)
    state = Play.from_json(json.loads(row.state))
    assert state
    assert state.marks["lock.who"].tries == 1
    log = await stage.store.run(lambda tx: plays.log(tx, row.id))
    assert [said for said, _ in log] == ["/begin", "leo"]


@pytest.fixture
async def pair(tmp_path: Path, content: Content) -> AsyncIterator[tuple[App, App]]:
    """Two processes' applications on one file."""
    stores = [Store(tmp_path / "two.db"), Store(tmp_path / "two.db")]
    await stores[0].run(METADATA.create_all)
    screens = {"terminal": Screen("terminal", limits.TERMINAL, pulls=True)}
    first, second = (App(store, content, screens, lambda: NOON, Random(7), NO_CITY) for store in stores)
    for app in (first, second):
        app.assistant._keeps, app.assistant._made = frozenset({"terminal"}), lambda _: None
    yield first, second
    for store in stores:
        store.close()


async def test_of_two_processes_one_takes_the_answer_and_the_other_says_so(pair: tuple[App, App]) -> None:
    first, second = pair
    await first.assistant.handle(Message(HERE, "/host forwarded", "h", language="en"))
    game = await first.store.run(lambda tx: games.hosted(tx, HERE))
    assert game
    seats = [Address("terminal", "one"), Address("terminal", "two")]
    for number, seat in enumerate(seats):
        await first.assistant.handle(Message(seat, f"/join {game.code} {number or ''}".strip(), "j", language="en"))
    await first.assistant.handle(Message(HERE, "/game start", "s", language="en"))
    turns = await asyncio.gather(
        first.assistant.handle(Message(seats[0], "leo", "a", language="en")),
        second.assistant.handle(Message(seats[1], "leo", "a", language="en")),
    )
    (row,) = await first.store.run(lambda tx: plays.of_game(tx, game.code))
    state = Play.from_json(json.loads(row.state))
    assert state
    said = [bubble.reply for turn in turns for bubble in turn.bubbles]
    assert state.marks["lock.who"].tries + sum("same" in r.text or "already" in r.text for r in said) == 2
    assert sum(r.aside for r in said) <= 1


async def test_a_play_that_somebody_changed_meanwhile_is_not_written_over(stage: Stage) -> None:
    await stage.say("/quiz forwarded")
    (row,) = await rows(stage)
    assert await stage.store.run(lambda tx: plays.put(tx, row, stage.now))
    assert await stage.store.run(lambda tx: plays.put(tx, row, stage.now)) is None


async def test_a_hundred_joins_at_once_are_a_hundred_teams(stage: Stage) -> None:
    code = await hosted(stage)
    messages = [Message(Address("terminal", f"c{n}"), f"/join {code}", "j", language="en") for n in range(100)]
    await asyncio.gather(*map(stage.app.assistant.handle, messages))
    found = await board(stage, code)
    assert len(found.teams) == 100
    assert len({team.name for team in found.teams}) == 100


# ---------------------------------------- what people type


@pytest.mark.parametrize(
    "name", ["😀😀", "<b>x</b>", "[a](http://x)", "you stupid bot", "x" * (LONGEST_NAME + 1), "a.example", "*", "/quit"]
)
async def test_a_name_that_nobody_should_read_on_a_wall_is_refused(stage: Stage, name: str) -> None:
    code = await hosted(stage, "forwarded", "one")
    before = (await board(stage, code)).teams
    stage.chat = "one"
    await stage.say(f"/team name {name}")
    assert (await board(stage, code)).teams == before


async def test_a_friendly_name_is_taken_once(stage: Stage) -> None:
    code = await hosted(stage, "forwarded", "one", "two")
    for chat in ("one", "two"):
        stage.chat = chat
        await stage.say("/team name Les Étoiles")
    assert [team.name for team in (await board(stage, code)).teams].count("Les Étoiles") == 1


@pytest.mark.parametrize("code", ["ABC", "QQQQQQ", "😀", "' or 1=1", "x" * 4000])
async def test_a_mistyped_code_gets_a_kind_answer(stage: Stage, code: str) -> None:
    assert "I don't know that code" in await texts(stage, f"/join {code}")


async def test_a_code_is_heard_however_it_is_typed(stage: Stage) -> None:
    code = await hosted(stage)
    stage.chat = "one"
    assert "You're in" in await texts(stage, f"/join {code[:3].lower()}-{code[3:]}")


async def test_an_essay_is_no_answer_and_is_not_kept(stage: Stage) -> None:
    essay = "I think that " * 400
    await stage.say("/quiz forwarded")
    await stage.say("[You can't tell]")
    assert "can't read that" in await texts(stage, essay)
    (row,) = await rows(stage)
    log = await stage.store.run(lambda tx: plays.log(tx, row.id))
    assert max(len(said) for said, _ in log) <= 200


async def test_what_is_disclosed_in_a_team_is_answered_privately_and_reaches_no_host(stage: Stage) -> None:
    code = await hosted(stage, "forwarded", "one")
    stage.chat = "one"
    before = await panel(stage)
    assert "in private" in await texts(stage, "he hits me")
    assert await panel(stage) == before
    assert "hits" not in repr(await board(stage, code))
    assert "Right" in await texts(stage, "[You can't tell]")


async def test_nothing_typed_is_on_the_wall_before_the_host_releases_it(stage: Stage) -> None:
    code = await hosted(stage, "forwarded", "one")
    await stage.say("/game debrief")
    for _ in range(5):
        await stage.say("/game next")
    stage.chat = "one"
    await stage.say("curious")
    assert (await board(stage, code)).words == ()
    assert (await panel(stage)).waiting == ((1, "curious"),)
    stage.chat = "host"
    await stage.say("/game release 1")
    assert (await board(stage, code)).words == ("curious",)
    await stage.say("/game drop 1")
    assert (await board(stage, code)).words == ()


# ---------------------------------------- time


async def test_after_an_hours_pause_as_much_time_is_left(stage: Stage) -> None:
    await stage.say("/quiz lido")
    await stage.wait(timedelta(minutes=5))
    await stage.say("/pause")
    await stage.wait(timedelta(hours=1))
    assert "20 minutes left" in await texts(stage, "/resume")


async def test_a_clock_that_goes_back_breaks_nothing(stage: Stage) -> None:
    await stage.say("/quiz lido")
    stage.now -= timedelta(hours=2)
    assert "Right" in await texts(stage, "[The hats and the bare tree]")
    await stage.say("/pause")
    stage.now -= timedelta(hours=2)
    assert "On we go" in await texts(stage, "/resume")


async def test_when_time_is_up_the_play_ends_without_anybody_saying_anything(stage: Stage) -> None:
    await stage.say("/quiz lido")
    shown = await stage.wait(timedelta(minutes=26))
    assert any("Question 1 of 6" in line for part in shown for line in part)
    (row,) = await rows(stage)
    assert (row.stage, row.ending) == ("debrief", "late")


async def test_while_the_host_pauses_no_deadline_passes(stage: Stage) -> None:
    code = await hosted(stage, "lido", "one")
    await stage.say("/game pause")
    await stage.wait(timedelta(minutes=40))
    assert not (await board(stage, code)).teams[0].done
    assert (await board(stage, code)).seconds == 1500
    await stage.say("/game go")
    await stage.say("/game extend 3")
    assert (await board(stage, code)).seconds == 1680


# ---------------------------------------- files that change, people who leave


def shelf(folder: Path, ask: str) -> Content:
    """Return the shipped content with one game in `folder`, whose first question is another."""
    text = (SHIPPED / "night-bus/quiz.yaml").read_text("utf-8")
    first = "Out of a hundred people in the world, how many live outside the country where they were born?"
    assert first in text
    (folder / "night-bus").mkdir(parents=True, exist_ok=True)
    (folder / "night-bus/quiz.yaml").write_text(text.replace(first, ask), "utf-8")
    return load_content(SHIPPED.parent / "content", {"quizzes": folder})


@pytest.mark.parametrize("change", ["edited", "deleted"])
async def test_a_quiz_that_is_edited_or_deleted_in_mid_game_is_played_to_its_end(tmp_path: Path, change: str) -> None:
    stage = await Stage.build(shelf(tmp_path, "The old question?"))
    await stage.say("/quiz night-bus")
    stage.content = shelf(tmp_path, "A new one?")
    if change == "deleted":
        stage.content = load_content(SHIPPED.parent / "content", {"quizzes": tmp_path / "none"})
    stage.restart()
    assert "The old question?" in await texts(stage, "/quit", "/resume")
    for _ in range(20):
        await stage.say("/skip")
    (row,) = await rows(stage)
    assert row.stage == "closed"
    stage.close()


async def test_everybody_may_leave_and_come_back(stage: Stage) -> None:
    code = await hosted(stage, "forwarded", "one", "two")
    for chat in ("one", "two"):
        stage.chat = chat
        await stage.say("/quit")
    stage.chat = "host"
    await stage.say("/game pause")
    await stage.say("/game go")
    stage.chat = "one"
    assert "Who wrote it?" in await texts(stage, f"/join {code}")
    assert len((await board(stage, code)).teams) == 2


async def test_whoever_is_forgotten_leaves_and_the_teams_game_goes_on(stage: Stage) -> None:
    code = await hosted(stage, "forwarded", "one")
    stage.chat = "two"
    await stage.say(f"/join {code} 1")
    await stage.say("/forget")
    stage.chat = "one"
    assert "Right" in await texts(stage, "[You can't tell]")
    found = await stage.store.run(lambda tx: tx.execute(select(SEATS.c.address)).scalars().all())
    assert found == ["terminal:one"]


async def test_a_host_who_is_forgotten_leaves_a_game_that_another_takes_over(stage: Stage) -> None:
    code = await hosted(stage, "forwarded", "one")
    secret = (await panel(stage)).host_code
    await stage.say("/forget")
    stage.chat = "helper"
    await stage.say(f"/host {secret}")
    await stage.say("/game pause")
    assert (await board(stage, code)).state == "paused"


async def test_the_code_for_teams_lets_nobody_host(stage: Stage) -> None:
    code = await hosted(stage)
    stage.chat = "one"
    await stage.say(f"/host {code}")
    await stage.say("/game end")
    assert (await board(stage, code)).state == "running"


def test_codes_have_no_letters_that_look_alike() -> None:
    assert not set("0O1I") & set(LETTERS)


# ---------------------------------------- what is kept


async def test_a_day_after_the_end_only_counts_remain(stage: Stage) -> None:
    code = await hosted(stage, "forwarded", "one")
    stage.chat = "one"
    await stage.say("[You can't tell]")
    stage.chat = "host"
    await stage.say("/game debrief")
    await stage.say("/game end")
    assert (await board(stage, code)).state == "ended"
    stage.now += timedelta(days=1, seconds=1)
    await stage.store.run(lambda tx: retention.sweep(tx, stage.now))
    for table in (PLAYS, SEATS, VOTES, PLAY_LOG, WORDS):
        assert await stage.store.run(lambda tx, table=table: tx.execute(select(table)).all()) == []  # type: ignore[misc]
    left = await stage.store.run(lambda tx: tx.execute(select(RESULTS)).all())
    assert left
    assert "terminal" not in repr(left)


async def test_of_a_game_that_never_began_nothing_remains(stage: Stage) -> None:
    await stage.say("/host forwarded")
    game = await stage.store.run(lambda tx: games.hosted(tx, HERE))
    assert game
    stage.chat = "one"
    await stage.say(f"/join {game.code}")
    stage.chat = "here"
    await stage.say("/game end")
    stage.now += timedelta(days=1, seconds=1)
    await stage.store.run(lambda tx: retention.sweep(tx, stage.now))
    for table in (PLAYS, SEATS, GAMES, HOSTS):
        assert await stage.store.run(lambda tx, table=table: tx.execute(select(table)).all()) == []  # type: ignore[misc]


async def test_what_is_played_now_and_then_is_kept(stage: Stage) -> None:
    await stage.say("/quiz forwarded")
    for _ in range(5):
        stage.now += timedelta(days=4)
        await stage.say("/pause" if await rows(stage) and not (await rows(stage))[0].paused else "/resume")
        await stage.store.run(lambda tx: retention.sweep(tx, stage.now))
    assert len(await rows(stage)) == 1


async def test_a_play_comes_back_from_its_log(stage: Stage, content: Content) -> None:
    quiz = content.library.all(QUIZZES, "en")["forwarded"]
    for said in ("/quiz forwarded", "1", "/hint", "2", "/pause", "/resume", "3", "1 2", "/skip", "2024"):
        await stage.say(said)
        stage.now += timedelta(seconds=20)
    (row,) = await rows(stage)
    state = Play.from_json(json.loads(row.state))
    assert state
    (_, begun), *log = await stage.store.run(lambda tx: plays.log(tx, row.id))
    first, _ = rules.begin(quiz, state.seed, begun)
    assert rules.replay(quiz, first, log) == state


async def test_votes_name_nobody_and_are_not_shown(stage: Stage) -> None:
    await stage.say("/quiz forwarded", "ana")
    await stage.say("/votes majority", "ana")
    shown = await stage.say("[You can't tell]", "ana")
    assert shown == [["(aside)", "Your vote is noted. 1 so far."]]
    found = await stage.store.run(lambda tx: tx.execute(select(VOTES)).all())
    assert "ana" not in repr(found)


async def test_how_ready_somebody_feels_is_counted_once_and_shown_from_ten_on(stage: Stage) -> None:
    await hosted(stage, "forwarded", "one")
    stage.chat = "one"
    for _ in range(3):
        await stage.say("/ready before 4")
    counts = await stage.store.run(lambda tx: games.counts(tx, "forwarded"))
    assert counts["before", "4"] == 1
    stage.chat = "host"
    assert "4: 1" not in await texts(stage, "/results")
    assert "4: 9" in await texts(stage, "/hands before 1 4 6 9 3", "/results")
    assert "4: 2" in await texts(stage, "/hands before 4 4 6 2 3", "/results")


@pytest.mark.parametrize(
    "hands", ["", "before", "before 1 2 3", "before a b c d e", "then 1 2 3 4 5", "before 9 9 9 9 9999"]
)
async def test_hands_that_cannot_be_are_not_counted(stage: Stage, hands: str) -> None:
    await hosted(stage)
    assert "type them like this" in await texts(stage, f"/hands {hands}")


async def test_boosters_are_sent_to_those_who_agreed_alone(stage: Stage) -> None:
    await stage.say("/quiz forwarded")
    for _ in range(30):
        await stage.say("/skip")
    assert await stage.wait(timedelta(days=7)) == []
    await stage.say("/boosters yes")
    assert "three short questions" in str(await stage.wait(timedelta(days=7)))
    await stage.say("/boosters no")
    assert await stage.wait(timedelta(days=7)) == []


# ---------------------------------------- the wall


async def test_the_wall_shows_a_pause_and_not_its_reason(stage: Stage) -> None:
    code = await hosted(stage, "forwarded", "one")
    await stage.say("/game pause")
    plain = await board(stage, code)
    await stage.say("/game go")
    await stage.say("/game hurtful")
    assert await board(stage, code) == plain
    assert (await panel(stage)).hurt


async def test_the_wall_shows_how_far_teams_are(stage: Stage) -> None:
    code = await hosted(stage, "forwarded", "one", "two")
    stage.chat = "one"
    await stage.say("[You can't tell]")
    await stage.say("/skip")
    found = await board(stage, code)
    assert [team.room for team in found.teams] == [1, 0]
    assert found.rooms[:2] == ("lock", "gallery")
    assert found.room_names["es"][0] == "La pantalla de bloqueo"
    assert found.state == "running"
    assert [(team.room, team.puzzle) for team in (await panel(stage)).teams] == [("gallery", "when"), ("lock", "who")]


async def test_there_is_no_wall_for_a_code_that_is_none(stage: Stage) -> None:
    assert await stage.store.run(lambda tx: games.board(tx, "QQQQQQ", stage.now)) is None
    assert await stage.store.run(lambda tx: games.panel(tx, HERE, stage.now)) is None


# ---------------------------------------- while it is written


async def test_a_game_that_is_saved_begins_anew_and_a_broken_one_says_what_is_wrong(
    tmp_path: Path, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf(tmp_path, "The old question?")
    file = tmp_path / "night-bus/quiz.yaml"
    trying = Trying(stage.app.assistant, load(quizzes=tmp_path, campaigns=file.parent), file.parent)
    assert trying.look() == "/quiz night-bus new"
    assert trying.look() is None
    shelf(tmp_path, "Another question, and a longer one?")
    begin = trying.look()
    assert begin
    assert "Another question" in await texts(stage, begin)
    file.write_text(file.read_text("utf-8").replace("kind: estimate", "kind: chioce"), "utf-8")
    assert trying.look() is None
    assert "chioce" in capsys.readouterr().err
