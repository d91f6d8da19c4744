"""A number is guessed, and then the real one is told."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.features.quizzes.puzzles.puzzle import UNCLEAR, Ground, Picked, Prompt, Puzzle, Shown, Verdict
from bot.library.check import Found
from bot.library.problem import did_you_mean
from bot.library.shape import Words
from bot.library.source import At
from bot.talk.words import folded

LONGEST_GUESS = 60
_NUMBER = re.compile(r"[-−]?(?:(?<![\w.,])[.,])?\d(?:[\d.,'’]| (?=\d{3}(?!\d)))*(?<![.,'’])")
_TIMES = {"k": 1000, "thousand": 1000, "mil": 1000, "mille": 1000, "tausend": 1000} | dict.fromkeys(
    ("m", "million", "millions", "millon", "millones", "milhao", "milhoes", "milione", "milioni", "mio"), 1_000_000
)
_AFTER = re.compile(r"\s*([a-z]+)")


class Estimate(Puzzle):
    """A figure of the quiz is guessed."""

    kind: Literal["estimate"]
    prompt: Prompt = Field(description="What is asked for, in a word or two")
    figure: str = Field(description="The name of one of 'figures'")
    unit: Annotated[str, Words(), StringConstraints(min_length=1, max_length=20)] | None = Field(
        None, description="What stands behind the number, for example %"
    )
    close: int = Field(ge=0, le=500, description="How far off, in per cent of the figure, is right")
    near: int = Field(ge=0, le=1000, description="How far off, in per cent of the figure, is near")

    def judge(self, shown: Shown, said: str, picked: Picked, ground: Ground) -> Verdict:  # noqa: ARG002  # the same for all
        """Return how near the guess is, read in whichever way of writing numbers is kinder."""
        guesses = numbers(said)
        if not guesses:
            return UNCLEAR
        figure = Decimal(ground.figures[self.figure])
        off = min(abs(guess - figure) for guess in guesses) * 100
        what: Literal["right", "near", "wrong"] = "wrong"
        if off <= abs(figure) * self.near:
            what = "right" if off <= abs(figure) * self.close else "near"
        return Verdict(what)

    def solutions(self, ground: Ground) -> Iterator[str]:  # noqa: ARG002  # as above
        """Yield the figure by its name in braces, as a hint would take it."""
        yield f"{{{self.figure}}}"

    def found(self, at: At, ground: Ground) -> Iterator[Found]:
        """Yield a figure that is none or cannot be guessed, no source, and distances that make no sense."""
        figure = ground.figures.get(self.figure)
        if figure is None:
            fix = did_you_mean(self.figure, ground.figures) or "write it under 'figures:'"
            yield (*at, "figure"), f"no figure is called '{self.figure}'", fix
        elif figure.startswith("year "):
            yield (*at, "figure"), f"the figure '{self.figure}' is a year", "per cent of a year say nothing: ask for it"
        elif not Decimal(figure):
            yield (*at, "figure"), f"the figure '{self.figure}' is nought", "nothing is near it in per cent: ask for it"
        if self.near < self.close:
            yield (*at, "near"), "is nearer than 'close'", f"give at least {self.close}"
        if not self.source:
            yield at, "a figure without a source", "add 'source:', with the id of a source in sources.yaml"


def numbers(said: str) -> list[Decimal]:
    """Return what the one number in `said` may mean: `1.500` is two; none where there is no number, or several."""
    text = folded(said)
    found = list(_NUMBER.finditer(text))
    if len(found) != 1 or len(text) > LONGEST_GUESS or re.match(r"(not|no|nicht|pas|nao|non)\b", text):
        return []
    after = _AFTER.match(text, found[0].end())
    times = _TIMES.get(after[1], 1) if after else 1
    written = re.sub(r"[\s'’]", "", found[0][0]).replace("−", "-")
    return [Decimal(reading) * times for reading in _readings(written)]


def _readings(written: str) -> Iterator[str]:
    """Yield `written` with a point before its decimals, in every way it can be meant."""
    marks = [mark for mark in written if mark in ".,"]
    bare = re.sub(r"[.,]", "", written)
    if not marks:
        yield bare
        return
    decimals = len(written) - max(written.rfind("."), written.rfind(",")) - 1
    if len(marks) == 1 or marks[-1] not in marks[:-1]:
        yield f"{bare[:-decimals]}.{bare[-decimals:]}"
    if len(set(marks)) == 1 and decimals == 3:
        yield bare
