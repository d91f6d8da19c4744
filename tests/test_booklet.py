"""Holds what is printed to account: everything is there, the key opens every puzzle, and players' sheets hold none."""

import re
from pathlib import Path

import pytest

from bot.app import Content, printed
from bot.cli import main
from bot.core.sheet import Booklet, Part
from bot.features.quizzes import QUIZZES
from bot.features.quizzes.booklet import _Press
from bot.features.quizzes.puzzles.puzzle import DONE
from bot.library.common import SOURCES
from bot.library.figures import fill
from bot.platforms.web.paper import on_paper, self_contained

GAMES = ("forwarded", "lido", "night-bus")
LANGUAGES = ("en", "es")
EVERY = pytest.mark.parametrize(("game", "language"), [(game, language) for game in GAMES for language in LANGUAGES])


def booklet(content: Content, game: str, language: str = "en") -> Booklet:
    found = printed(content, game, language)
    assert found
    return found


def text(part: Part) -> str:
    return "\n".join((part.heading, part.text, *part.options, *part.against, *part.blanks, *part.folded))


def sheets(found: Booklet, use: str) -> str:
    return "\n".join(
        "\n".join((sheet.heading, sheet.text, *map(text, sheet.parts))) for sheet in found.sheets if sheet.use == use
    )


@EVERY
def test_every_puzzle_hint_and_room_is_on_the_players_sheets(content: Content, game: str, language: str) -> None:
    quiz = content.library.all(QUIZZES, language)[game]
    paper = sheets(booklet(content, game, language), "players")
    wanted: list[tuple[str, ...]] = [(room.name, room.text) for room in quiz.rooms.values()]
    wanted += [(puzzle.ask, *puzzle.hints) for _, puzzle in quiz.all_puzzles()]
    lost = [each for piece in wanted for each in piece if fill(each, dict(quiz.figures), language) not in paper]
    assert lost == []


@EVERY
def test_no_reason_and_no_note_is_on_the_players_sheets(content: Content, game: str, language: str) -> None:
    quiz = content.library.all(QUIZZES, language)[game]
    found = booklet(content, game, language)
    secret = [puzzle.explain for _, puzzle in quiz.all_puzzles() if puzzle.explain]
    secret += [ending.text for ending in quiz.endings.values()] + [
        room.key.text for room in quiz.rooms.values() if room.key
    ]
    secret += [quiz.facilitator.safeguarding] if quiz.facilitator else []
    players, host = sheets(found, "players"), sheets(found, "host")
    for each in secret:
        drawn = fill(each, dict(quiz.figures), language)
        assert drawn not in players
        assert drawn in host


@EVERY
def test_the_key_opens_every_puzzle_as_it_stands_on_paper(content: Content, game: str, language: str) -> None:
    quiz = content.library.all(QUIZZES, language)[game]
    press = _Press(quiz, content.library.only(SOURCES, language).sources, content.phrases.say_in(language), language)
    opened = 0
    for asked in [each for tasks in (*press.rooms.values(), *press.boosters.values()) for each in tasks]:
        solutions = list(press.solution(asked))
        if asked.puzzle.is_fork:
            assert solutions == []
            continue
        said = solutions[0]
        if asked.puzzle.kind == "several":
            said = " ".join(each.partition(" ")[0] for each in solutions)
        elif " – " in said:
            said = said.partition(" ")[0]
        verdict = asked.puzzle.judge(asked.shown, said, (), quiz.ground)
        assert verdict.what == "right", (asked.name, said)
        assert said != DONE
        opened += 1
    assert opened == len([puzzle for _, puzzle in quiz.all_puzzles() if not puzzle.is_fork])


@pytest.mark.parametrize("game", GAMES)
def test_numbers_are_the_same_in_every_language(content: Content, game: str) -> None:
    def keyed(language: str) -> list[tuple[str, str]]:
        return [
            (part.heading, part.puzzle) for sheet in booklet(content, game, language).sheets for part in sheet.parts
        ]

    english, spanish = ([pair for pair in keyed(language) if pair[1]] for language in LANGUAGES)
    assert english == spanish


def test_the_first_sheet_and_the_last_are_the_host_s(content: Content) -> None:
    found = booklet(content, "lido")
    assert found.sheets[0].use == "host"
    assert [sheet.use for sheet in found.sheets][-2:] == ["host", "host"]
    assert found.notes.heading == "Notes for the host"


def test_the_notes_say_what_a_cut_leaves_out_by_the_numbers_on_the_sheets(content: Content) -> None:
    facts = booklet(content, "lido").notes.parts[1].text
    assert "**In thirty minutes** (13 minutes of play): leave out 1.1, 2.1, 3.1, 4.1, 4.3, 6.2." in facts


def test_a_figure_on_the_answers_has_its_source(content: Content) -> None:
    answers = booklet(content, "lido").sheets[-1].parts[2].text
    assert "68 out of a hundred" in answers
    assert "Eurobarometer" in answers


def test_a_game_that_is_none_is_not_printed(content: Content) -> None:
    assert printed(content, "no-such-game", "en") is None


def test_on_paper_nothing_can_be_pressed() -> None:
    drawn = on_paper("Read [a *word*](/term rumour), then [a page](https://example.org)")
    assert "button" not in drawn
    assert "a <em>word</em>" in drawn
    assert 'href="https://example.org"' in drawn


@EVERY
def test_a_printed_file_needs_nothing_else(content: Content, game: str, language: str) -> None:
    page = self_contained(booklet(content, game, language), content.phrases.say_in(language))
    assert "<script" not in page
    assert "<link" not in page
    assert not re.findall(r'(?:src|action)="', page)
    assert set(re.findall(r'href="([^"]{1,4})', page)) <= {"#she", "http"}
    assert f'<html lang="{language}" dir="ltr">' in page
    assert "@page" in page


def test_the_command_writes_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lido.html"
    assert main(["print", "lido", str(path), "--in", "es"]) == 0
    assert "Espuma en La Media Luna" in path.read_text("utf-8")
    assert capsys.readouterr().out.strip() == str(path)


def test_the_command_says_which_games_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["print", "lidoo", str(tmp_path / "x.html")]) == 1
    assert "did you mean 'lido'?" in capsys.readouterr().out
    assert main(["print", "lido", str(tmp_path / "x.html"), "--in", "xx"]) == 2
    assert main(["print", "lido", str(tmp_path / "none" / "x.html")]) == 2
    assert not (tmp_path / "x.html").exists()
