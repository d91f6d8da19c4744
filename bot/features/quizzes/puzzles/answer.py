"""Typed words or a code."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from bot.features.quizzes.puzzles.puzzle import UNCLEAR, Ground, Picked, Prompt, Puzzle, Shown, Verdict
from bot.features.quizzes.puzzles.typed import LONGEST_ANSWER, plain, same
from bot.library.check import Found
from bot.library.shape import Phrase
from bot.library.source import At

Accepted = Annotated[Phrase, WithJsonSchema({"type": ["string", "number"], "minLength": 1, "maxLength": 300})]


class Answer(Puzzle):
    """One of several answers is typed."""

    kind: Literal["answer"]
    prompt: Prompt = Field(description="What is asked for, in a word or two")
    answers: list[Accepted] = Field(min_length=1, max_length=30, description="Every answer that is right")

    def judge(self, shown: Shown, said: str, picked: Picked, ground: Ground) -> Verdict:  # noqa: ARG002  # the same for all
        """Return whether what is typed is one of the answers; marks alone, and essays, are not understood."""
        if not plain(said[:LONGEST_ANSWER]) or len(said) > LONGEST_ANSWER:
            return UNCLEAR
        return Verdict("right" if any(same(said, answer) for answer in self.answers) else "wrong")

    def solutions(self, ground: Ground) -> Iterator[str]:  # noqa: ARG002  # as above
        """Yield the answers."""
        yield from self.answers

    def found(self, at: At, ground: Ground) -> Iterator[Found]:  # noqa: ARG002  # as above
        """Yield answers that nobody can type."""
        for number, answer in enumerate(self.answers):
            if not plain(answer):
                yield (*at, "answers", number), "holds neither letters nor digits", "write what people will type"
