"""Holds to account the rules of a play: ways, tries, hints, clocks, the meter, the debrief, votes."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.features.quizzes import events as e
from bot.features.quizzes import play as rules
from bot.features.quizzes.play import Mark, Play, Score
from bot.features.quizzes.puzzles import AnyPuzzle
from bot.features.quizzes.puzzles.meta import Meta
from bot.features.quizzes.quiz import Quiz
from bot.features.quizzes.votes import Mode, decision
from bot.library.shape import members, unwrap
from tests.quizgames import NOON, after, games, harbour

KINDS = members(unwrap(AnyPuzzle)[0]).keys()


RIGHT_ORDER = "spark,word,story,news"


class Game:
    """A play on its way, with what happened last and a log."""

    def __init__(self, quiz: Quiz | None = None, cut: str | None = None, seed: int = 1) -> None:
        self.quiz = quiz or harbour()
        self.seconds = 0.0
        self.play, self.events = rules.begin(self.quiz, seed, NOON, cut)

    def say(self, *said: str, at: float | None = None) -> e.Events:
        """Say things one after another, the clock standing or set; return what came of the last."""
        self.seconds = self.seconds if at is None else at
        for one in said:
            self.play, self.events = rules.step(self.quiz, self.play, one, after(self.seconds))
        return self.events

    def kinds(self) -> list[str]:
        """Return the names of what happened last."""
        return [type(event).__name__ for event in self.events]

    def come_to(self, room: str, puzzle: str) -> "Game":
        """Skip until this is asked."""
        while (self.play.room, self.play.puzzle) != (room, puzzle):
            assert self.play.stage == "playing"
            self.say("/skip")
        return self


def answers(game: Game) -> Iterator[str]:
    """Yield what solves the open puzzle, one saying after another."""
    asked = rules.question(game.quiz, game.play)
    assert asked
    puzzle, shown = asked
    match puzzle.kind:
        case "choice" | "dialogue":
            right: list[str] = [name for name, option in puzzle.options.items() if getattr(option, "right", False)]
            yield right[0] if right else next(iter(puzzle.options))
        case "several":
            yield from (name for name, option in puzzle.options.items() if option.right)
            yield "done"
        case "order":
            yield from puzzle.items
        case "match":
            for name in puzzle.pairs:
                yield name
                yield next(option.say for option in shown.against if option.id == name)
        case "answer":
            yield puzzle.answers[0]
        case "estimate":
            yield game.quiz.figures[puzzle.figure]
        case "spot":
            yield puzzle.trick
        case "meta":
            yield "".join(game.quiz.ground.keys[room] for room in puzzle.of)


def test_the_small_quizzes_have_every_kind_of_puzzle() -> None:
    met = {puzzle.kind for name in ("en/harbour", "en/tram") for _, puzzle in games()[name].all_puzzles()}
    assert met == KINDS


def test_a_play_begins_at_the_entrance_with_its_first_puzzle() -> None:
    game = Game()
    assert game.events == (e.RoomEntered("quay"), e.PuzzleAsked("quay", "first"))
    assert not rules.over(game.play)
    assert rules.next_deadline(game.quiz, game.play) == after(1200)


@pytest.mark.parametrize("name", games())
def test_whoever_answers_everything_right_gets_out_with_a_full_score(name: str) -> None:
    game = Game(games()[name])
    asked = 0
    while game.play.stage == "playing":
        puzzle = game.quiz.rooms[game.play.room].puzzles[game.play.puzzle]
        asked += not puzzle.is_fork
        game.say(*answers(game))
    assert game.play.ending == "escaped"
    assert game.play.keys == tuple(room for room in game.play.seen if game.quiz.rooms[room].key)
    assert rules.score(game.play) == Score(asked, 0, 0, 0)
    for step in game.quiz.debrief.steps:
        assert game.play.step == step
        game.say("/next")
    assert game.events == (e.Closed(),)
    assert rules.over(game.play)


@pytest.mark.parametrize("name", [name for name, quiz in games().items() if quiz.boosters])
@pytest.mark.parametrize("booster", ["week", "fortnight"])
def test_a_booster_asks_its_three_questions_and_is_closed(name: str, booster: str) -> None:
    game = Game(games()[name])
    game.play, game.events = rules.begin_booster(game.quiz, booster, 1, NOON)
    assert game.kinds() == ["PuzzleAsked"]
    asked = 0
    while not rules.over(game.play):
        question = rules.question(game.quiz, game.play)
        assert question
        assert not isinstance(question[0], Meta)
        game.say("/skip")
        asked += 1
    assert asked == 3
    assert rules.score(game.play).unsolved == 3


def test_a_right_answer_says_which_and_asks_the_next() -> None:
    game = Game()
    game.say("log")
    assert game.events == (e.AnswerRight("quay", "first", "log", "first"), e.PuzzleAsked("quay", "all"))


def test_a_wrong_one_raises_the_meter_and_leaves_the_question_open() -> None:
    game = Game()
    game.say("crowd")
    assert game.events == (e.AnswerWrong("quay", "first", "crowd", None), e.LeakRose(1, 1, 4))
    game.say("log")
    assert "AnswerRight" in game.kinds()
    assert game.play.marks["quay.first"] == Mark(2, 0, "talk")


def test_the_same_wrong_option_once_more_costs_nothing() -> None:
    game = Game()
    game.say("crowd", "crowd")
    assert game.events == (e.AnswerWrong("quay", "first", "crowd", None, again=True),)
    assert game.play.leak == 1
    assert game.play.marks["quay.first"] == Mark(tries=1)


def test_a_full_meter_ends_the_game_and_the_debrief_follows() -> None:
    game = Game().come_to("quay", "all")
    game.say("mood", "done")
    assert game.play.leak == 2
    game.say("luck", "done")
    assert game.events[1:] == (e.LeakRose(2, 4, 4), e.EndingReached("leaked"), e.DebriefAsked("happened", 1, 6))
    assert game.play.marks["quay.all"].outcome == "unsolved"


def test_a_wrong_order_says_how_much_of_it_fits_and_how_many_tries_remain() -> None:
    game = Game().come_to("office", "order")
    game.say("word", "spark", "story", "news")
    wrong: e.Event = e.AnswerWrong("office", "order", "word,spark,story,news", 2, fits=2, of=4)
    assert list(game.events) == [wrong]
    assert game.play.picked == ()
    assert game.say("spark", "word", "story", "news")[0] == e.AnswerRight("office", "order", RIGHT_ORDER, "talk")


def test_when_tries_are_used_the_next_is_asked() -> None:
    game = Game().come_to("tower", "trick")
    game.say("cherry")
    wrong = e.AnswerWrong("tower", "trick", "cherry", 0)
    assert game.events == (wrong, e.TriesUsed("tower", "trick"), e.PuzzleAsked("tower", "clean"))
    assert game.play.marks["tower.trick"].outcome == "unsolved"


def test_near_counts_a_try_and_at_the_last_counts_as_solved() -> None:
    game = Game().come_to("tower", "guess")
    game.say("70")
    assert game.events == (e.AnswerNear("tower", "guess", None, 1),)
    game.say("100")
    assert game.events[0] == e.AnswerNear("tower", "guess", None, 0, solved=True)
    assert game.play.marks["tower.guess"].outcome == "talk"


def test_what_is_not_understood_changes_nothing() -> None:
    game = Game().come_to("tower", "guess")
    before = game.play
    assert game.say("banana") == (e.NotUnderstood("tower", "guess"),)
    assert game.play == before


def test_picks_are_told_and_forgotten_with_the_puzzle() -> None:
    game = Game().come_to("quay", "all")
    assert game.say("time") == (e.Picked("quay", "all", "time", ("time",)),)
    assert rules.pressable(game.quiz, game.play)[-1] == "done"
    game.say("/skip")
    assert game.play.picked == ()


def test_one_hint_is_free_and_the_next_shows_in_the_score() -> None:
    game = Game()
    assert game.say("/hint") == (e.HintGiven("quay", "first", 1, 2, free=True),)
    game.say("log")
    assert game.play.marks["quay.first"].outcome == "first"
    game = Game()
    assert game.say("/hint", "/hint") == (e.HintGiven("quay", "first", 2, 1, free=False),)
    game.say("crowd", "log")
    assert game.play.marks["quay.first"].outcome == "hint"


def test_the_last_hint_is_given_again() -> None:
    game = Game()
    game.say("/hint", "/hint", "/hint", "/hint")
    assert game.events == (e.HintGiven("quay", "first", 3, 0, free=False, again=True),)
    assert game.play.marks["quay.first"].hints == 3


def test_a_fork_has_no_hint() -> None:
    game = Game().come_to("quay", "way")
    assert game.say("/hint") == (e.NoHint("quay", "way"),)


def test_a_detour_leaves_the_question_open_and_gives_no_key() -> None:
    game = Game()
    game.say("/hint", "boat")
    assert game.events == (
        e.WayTaken("quay", "first", "boat"),
        e.RoomEntered("boat"),
        e.RoomEntered("quay", again=True),
        e.PuzzleAsked("quay", "first", again=True),
    )
    assert game.play.keys == ()
    assert game.play.marks["quay.first"] == Mark(hints=1)


def test_a_wrong_option_may_lead_elsewhere_and_counts() -> None:
    game = Game()
    game.say("bell")
    assert game.kinds() == ["AnswerWrong", "LeakRose", "RoomEntered", "RoomEntered", "PuzzleAsked"]
    assert game.play.marks["quay.first"] == Mark(tries=1)


def test_a_fork_is_done_by_choosing_gives_the_key_and_no_point() -> None:
    game = Game().come_to("quay", "way")
    game.say("stairs")
    assert game.events[:3] == (e.WayTaken("quay", "way", "stairs"), e.KeyGiven("quay"), e.RoomEntered("office"))
    assert rules.score(game.play) == Score(0, 0, 0, 2)


def test_a_fork_may_lead_round_and_the_room_is_left_at_once() -> None:
    game = Game().come_to("quay", "way")
    game.say("deck")
    assert game.kinds() == ["WayTaken", "KeyGiven", "RoomEntered", "RoomEntered", "RoomEntered", "PuzzleAsked"]
    assert game.play.keys == ("quay",)


def test_the_time_of_a_puzzle_goes_by_the_clock() -> None:
    game = Game().come_to("office", "said")
    assert game.events[-1] == e.PuzzleAsked("office", "said", 90)
    assert rules.next_deadline(game.quiz, game.play) == after(90)
    assert game.say("/due", at=89.9) == ()
    game.say("/due", at=90)
    assert game.kinds() == ["TimeUp", "LeakRose", "KeyGiven", "RoomEntered", "PuzzleAsked"]


def test_an_answer_after_the_deadline_hears_of_that_and_is_not_taken_for_the_next() -> None:
    game = Game().come_to("tower", "guess")
    late = Game().come_to("office", "said")
    late.say("83", at=91)
    assert late.kinds()[0] == "TimeUp"
    assert late.play.puzzle == "guess"
    assert late.play.marks["tower.guess"] == game.play.marks["tower.guess"]


@pytest.mark.parametrize("said", ["barrel", "/hint", "/skip", "/pause", "/due"])
def test_whatever_is_said_after_the_limit_the_game_is_late(said: str) -> None:
    game = Game()
    game.say(said, at=1200)
    assert game.events == (e.EndingReached("late"), e.DebriefAsked("happened", 1, 6))
    assert rules.next_deadline(game.quiz, game.play) is None


def test_when_both_are_up_the_puzzle_went_first() -> None:
    game = Game().come_to("office", "said")
    game.say("/due", at=3000)
    assert game.kinds()[0] == "TimeUp"
    assert game.play.ending == "late"


def test_an_hours_pause_moves_the_deadlines() -> None:
    game = Game().come_to("office", "said")
    game.say("/pause", at=60)
    assert rules.next_deadline(game.quiz, game.play) is None
    assert game.say("/due", at=3000) == ()
    for said in ("barrel", "/hint", "/skip", "/pause", "/next"):
        assert game.say(said) == (e.NotNow("paused"),)
    assert game.say("/resume", at=3660) == (e.Resumed(3600.0),)
    assert game.play.puzzle_at == after(3690).timestamp()
    assert game.play.limit_at == after(4800).timestamp()
    assert game.say("/resume") == (e.NotNow("running"),)


def test_the_clock_going_back_takes_no_time_away() -> None:
    game = Game().come_to("office", "said")
    limit, ends = game.play.limit_at, game.play.puzzle_at
    game.say("/pause", at=60)
    game.say("/resume", at=-3600)
    assert (game.play.limit_at, game.play.puzzle_at) == (limit, ends)
    game.say("barrel", at=-3600)
    assert game.kinds()[0] == "AnswerRight"


def test_more_time_is_more_time() -> None:
    game = Game().come_to("office", "said")
    game.say("/extend 300")
    assert game.play.limit_at == after(1500).timestamp()
    assert game.play.puzzle_at == after(390).timestamp()


def test_in_the_debrief_skipping_goes_on_and_answers_stay_in_the_room() -> None:
    game = Game()
    game.say("/stop")
    assert game.kinds() == ["EndingReached", "DebriefAsked"]
    before = game.play
    assert game.say("I was so sure") == (e.NotNow("debrief"),)
    assert game.play == before
    game.say(*["/skip"] * 5)
    assert game.events == (e.DebriefAsked("word", 6, 6),)
    assert game.say("/skip") == (e.Closed(),)
    for said in ("log", "/hint", "/skip", "/next", "/pause", "/stop"):
        assert game.say(said) == (e.NotNow("closed"),)


def test_a_pause_holds_the_debrief_too() -> None:
    game = Game()
    game.say("/stop", "/pause")
    assert game.say("/next") == (e.NotNow("paused"),)
    assert game.say("/skip") == (e.NotNow("paused"),)
    game.say("/resume", "/next")
    assert game.kinds() == ["DebriefAsked"]


def test_a_cut_leaves_puzzles_out_and_its_time_is_shorter_in_proportion() -> None:
    game = Game(cut="short")
    assert game.play.limit_at == after(600).timestamp()
    asked = set()
    while game.play.stage == "playing":
        asked.add(f"{game.play.room}.{game.play.puzzle}")
        game.say("/skip")
    everything = {f"{room}.{name}" for room, found in game.quiz.rooms.items() for name in found.puzzles}
    assert asked == everything - set(game.quiz.cuts["short"].without)


def test_a_cut_may_have_its_own_limit_and_a_room_without_puzzles_gives_its_key() -> None:
    game = Game(cut="bare")
    assert game.play.limit_at == after(90).timestamp()
    entered = (e.RoomEntered("quay"), e.KeyGiven("quay"), e.RoomEntered("office"), e.PuzzleAsked("office", "order"))
    assert game.events == entered


def test_the_order_of_options_is_the_plays_own() -> None:
    orders = set()
    for seed in range(20):
        game = Game(seed=seed)
        first, second = rules.question(game.quiz, game.play), rules.question(game.quiz, game.play)
        assert first
        assert first == second
        orders.add(tuple(option.id for option in first[1].options))
    assert len(orders) > 5


def test_numbers_mean_the_order_shown() -> None:
    for seed in range(6):
        game = Game(seed=seed)
        asked = rules.question(game.quiz, game.play)
        assert asked
        place = [option.id for option in asked[1].options].index("log") + 1
        game.say(str(place))
        assert game.kinds()[0] == "AnswerRight"


def test_a_translation_has_its_own_words_and_word_of_keys() -> None:
    spanish = games()["es/harbour"]
    assert spanish.provenance.status == "read"
    assert games()["en/harbour"].provenance.drafted == "machine"
    game = Game(spanish).come_to("door", "lock")
    game.say("LÚMBRE")
    assert game.events[:2] == (e.AnswerRight("door", "lock", None, "first"), e.EndingReached("escaped"))
    game = Game(spanish).come_to("office", "said")
    game.say("Bárril")
    assert game.kinds()[0] == "AnswerRight"


def test_a_play_is_small_and_survives_as_json() -> None:
    game = Game()
    while game.play.stage == "playing":
        game.say("/hint", "/hint", *answers(game))
        text = json.dumps(game.play.to_json())
        assert Play.from_json(json.loads(text)) == game.play
        assert len(text) < 900


def test_a_play_of_another_version_is_not_taken_for_one_of_ours() -> None:
    assert Play.from_json({**Game().play.to_json(), "v": 99}) is None
    assert Play.from_json({}) is None


def test_a_place_that_is_gone_from_the_quiz_is_noticed() -> None:
    game = Game()
    assert rules.fits(game.quiz, game.play)
    assert not rules.fits(game.quiz, replace(game.play, room="cellar"))
    assert not rules.fits(game.quiz, replace(game.play, puzzle="cellar"))
    game.say("/stop")
    assert rules.fits(game.quiz, game.play)
    assert not rules.fits(game.quiz, replace(game.play, step="cellar"))


@pytest.mark.parametrize(
    ("votes", "mode", "here", "expected"),
    [
        ({}, "first", 3, None),
        ({"a": "log"}, "first", 3, "log"),
        ({"b": "boat", "a": "log"}, "first", 3, "boat"),
        ({}, "majority", 0, None),
        ({"a": "log"}, "majority", 3, None),
        ({"a": "log", "b": "log"}, "majority", 3, "log"),
        ({"a": "log", "b": "log"}, "majority", 4, None),
        ({"a": "log", "b": "boat"}, "majority", 2, "log"),
        ({"a": "boat", "b": "log", "c": "log", "d": "boat"}, "majority", 4, "boat"),
        ({"a": "log"}, "majority", 1, "log"),
        ({"a": "log"}, "majority", 0, "log"),
        ({"a": "log"}, "captain", 3, None),
        ({"a": "log", "c": "boat"}, "captain", 3, "boat"),
    ],
)
def test_votes_decide_by_the_groups_own_rule(
    votes: dict[str, str], mode: Mode, here: int, expected: str | None
) -> None:
    assert decision(votes, mode, here, captain="c") == expected


def test_without_a_captain_the_majority_decides() -> None:
    votes = {"a": "log", "b": "log"}
    assert decision(votes, "captain", 3) == "log"
    assert decision({"a": "log"}, "captain", 3) is None
