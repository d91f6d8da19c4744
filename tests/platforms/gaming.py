"""Games made up for the pages around them: walls and panels of any size, without anybody playing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.app import Content, printed
from bot.core.message import Address
from bot.features.quizzes import QUIZZES
from bot.platforms.web.games import Games
from bot.storage.games import Board, Panel, TeamHosted, TeamShown

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CODE = "K7MQ4X"
HOST_CODE = "W3HPZ9TD"
COLOURS = ("Amber", "Blue", "Coral", "Green", "Ivory", "Lilac", "Silver", "Teal", "Umber", "White")
THINGS = ("Lanterns", "Kites", "Compasses")
NAMES = tuple(f"{colour} {thing}" for thing in THINGS for colour in COLOURS)


def board(content: Content, count: int = 3, **changes: Any) -> Board:
    """Return the wall of a game of the lido with `count` teams, each somewhere else."""
    quizzes = {language: content.library.all(QUIZZES, language)["lido"] for language in content.library.pack.languages}
    rooms = tuple(quizzes["en"].rooms)
    made = Board(
        CODE,
        "lido",
        {language: quiz.title for language, quiz in quizzes.items()},
        "en",
        "running",
        754.0,
        rooms,
        {language: tuple(room.name for room in quiz.rooms.values()) for language, quiz in quizzes.items()},
        tuple(_team(number, len(rooms)) for number in range(count)),
    )
    return replace(made, **changes)


def _team(number: int, rooms: int) -> TeamShown:
    room = (number * 3 + 2) % (rooms + 1)
    done = room == rooms
    return TeamShown(NAMES[number % len(NAMES)], room, rooms, done, escaped=done and number % 2 == 0)


def panel(shown: Board, **changes: Any) -> Panel:
    """Return the panel behind `shown`: the second team has been silent for nine minutes."""
    teams = tuple(
        TeamHosted(
            number,
            team.name,
            shown.rooms[min(team.room, len(shown.rooms) - 1)],
            "" if team.done else "photo" if team.room == 0 else "",
            number % 3,
            None if team.done else NOON - timedelta(minutes=number),
            NOON - timedelta(minutes=9 if number == 2 else 0),
            team.done,
            team.escaped,
        )
        for number, team in enumerate(shown.teams, 1)
    )
    return replace(Panel(shown, HOST_CODE, shown.quiz, teams), **changes)


@dataclass
class Made:
    """Games that a test changes as it likes; `host` is whose panel there is."""

    boards: dict[str, Board] = field(default_factory=dict)
    panels: dict[Address, Panel] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def board(self, tx: Connection, code: str) -> Board | None:
        """Return the wall of `code`."""
        self.asked.append(code)
        return self.boards.get(code)

    def panel(self, tx: Connection, host: Address) -> Panel | None:
        """Return the panel of `host`."""
        return self.panels.get(host)

    def games(self, content: Content, doors: Mapping[str, str] | None = None) -> Games:
        """Return what pages ask."""
        return Games(
            self.board,
            self.panel,
            lambda quiz, language: printed(content, quiz, language),
            lambda language: {name: quiz.title for name, quiz in content.library.all(QUIZZES, language).items()},
            lambda: NOON,
            lambda command: {name: base + command for name, base in (doors or {}).items()},
        )
