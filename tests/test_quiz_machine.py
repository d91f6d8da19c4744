"""Plays every quiz at random: whatever is pressed, typed, paused or late, nothing breaks and every play can end."""

import json
import random
from datetime import datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.features.quizzes import events as e
from bot.features.quizzes import play as rules
from bot.features.quizzes.play import Play
from bot.features.quizzes.quiz import Quiz
from tests.quizgames import after, games

NAMES = sorted(games())
TYPED = [
    "1",
    "2",
    "b",
    "1 3",
    "3 1 2",
    "1b 2a",
    "12 %",
    "not that",
    "😀",
    "",
    "done",
    "none",
    "barrel",
    "lux",
    "x" * 400,
]
COMMANDS = ["/hint", "/skip", "/pause", "/resume", "/due", "/next", "/extend 60"]


class Players(RuleBasedStateMachine):
    """A team that does anything at any time, beside a simple model of what may not happen."""

    quiz: Quiz
    play: Play
    first: Play

    @initialize(name=st.sampled_from(NAMES), seed=st.integers(0, 999), pick=st.integers(0, 9), booster=st.booleans())
    def begin(self, name: str, seed: int, pick: int, booster: bool) -> None:
        self.quiz, self.seconds, self.log = games()[name], 0.0, list[tuple[str, datetime]]()
        cuts = [None, *self.quiz.cuts]
        if booster and self.quiz.boosters:
            self.play, _ = rules.begin_booster(self.quiz, ["week", "fortnight"][pick % 2], seed, after(0))
        else:
            self.play, _ = rules.begin(self.quiz, seed, after(0), cuts[pick % len(cuts)])
        self.first = self.play

    def say(self, said: str) -> e.Events:
        """Say something; hold the model's rules against what happened."""
        before, now = self.play, after(self.seconds)
        self.play, happened = rules.step(self.quiz, before, said, now)
        self.log.append((said, now))
        assert self.play.leak >= before.leak
        assert set(before.keys) <= set(self.play.keys)
        assert set(before.seen) <= set(self.play.seen)
        done = {name: mark for name, mark in before.marks.items() if mark.outcome}
        assert {name: self.play.marks[name] for name in done} == done
        if any(isinstance(event, e.NotNow | e.NotUnderstood) for event in happened):
            assert self.play == before
        if before.stage == "closed":
            assert self.play == before
        return happened

    @rule(chance=st.integers(0, 10**6))
    def press(self, chance: int) -> None:
        if says := rules.pressable(self.quiz, self.play):
            self.say(random.Random(chance).choice(says))

    @rule(chance=st.integers(0, 10**6))
    def press_twice(self, chance: int) -> None:
        if says := rules.pressable(self.quiz, self.play):
            said = random.Random(chance).choice(says)
            self.say(said)
            self.say(said)

    @rule(text=st.sampled_from(TYPED) | st.text(max_size=12))
    def type(self, text: str) -> None:
        if not text.startswith("/"):
            self.say(text)

    @rule(command=st.sampled_from(COMMANDS))
    def command(self, command: str) -> None:
        self.say(command)

    @rule(seconds=st.sampled_from([0.1, 5, 61, 90, 700]))
    def wait(self, seconds: float) -> None:
        self.seconds += seconds

    @rule(seconds=st.sampled_from([1, 3600]))
    def clock_goes_back(self, seconds: float) -> None:
        self.seconds -= seconds

    @rule()
    def restart(self) -> None:
        kept = Play.from_json(json.loads(json.dumps(self.play.to_json())))
        assert kept == self.play
        self.play = kept

    @precondition(lambda self: self.play.stage == "playing")
    @rule()
    def solve(self) -> None:
        asked = rules.question(self.quiz, self.play)
        if asked and asked[0].kind == "answer":
            self.say(asked[0].answers[0])

    @invariant()
    def is_somewhere(self) -> None:
        assert rules.fits(self.quiz, self.play)
        assert (rules.question(self.quiz, self.play) is None) == (self.play.stage != "playing")
        assert bool(self.play.puzzle) == (self.play.stage == "playing")
        assert self.play.stage != "playing" or rules.pressable(self.quiz, self.play) or self.takes_words()
        ends = rules.next_deadline(self.quiz, self.play)
        assert ends is None or self.play.stage == "playing"

    def takes_words(self) -> bool:
        """Say whether the open puzzle is one that is typed."""
        asked = rules.question(self.quiz, self.play)
        return bool(asked and asked[0].kind in ("answer", "estimate", "meta"))

    def teardown(self) -> None:
        if not hasattr(self, "play"):
            return
        assert rules.replay(self.quiz, self.first, self.log) == self.play
        self.say("/resume")
        for _ in range(len(list(self.quiz.all_puzzles())) + len(self.quiz.debrief.steps) + 2):
            self.say("/skip")
        assert rules.over(self.play)


Players.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, derandomize=True)
TestAnyoneMayPlayAnyhow = Players.TestCase


def test_every_room_and_every_ending_is_come_to_by_somebody() -> None:
    for quiz in games().values():
        met: set[str] = set()
        wanted = {*quiz.rooms, *quiz.endings}
        for seed in range(400):
            met |= places(quiz, seed)
            if met >= wanted:
                break
        assert met == wanted, quiz.title


def places(quiz: Quiz, seed: int) -> set[str]:
    """Return the rooms and the ending that a play comes to which presses and skips at random, slowly or quickly."""
    chance, seconds, met = random.Random(seed), 0, set[str]()
    play, happened = rules.begin(quiz, seed, after(0))
    while play.stage == "playing":
        met |= {event.room for event in happened if isinstance(event, e.RoomEntered)}
        says = rules.pressable(quiz, play)
        said = chance.choice([*says, *says, "zzz", "1 2 3", "/skip"])
        seconds += seed % 40
        play, happened = rules.step(quiz, play, said, after(seconds))
    return met | {event.room for event in happened if isinstance(event, e.RoomEntered)} | {str(play.ending)}
