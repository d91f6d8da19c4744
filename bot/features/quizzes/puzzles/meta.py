"""The keys of earlier rooms, in order, open the last door."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from bot.features.quizzes.puzzles.puzzle import UNCLEAR, Ground, Id, Picked, Prompt, Puzzle, Shown, Verdict
from bot.features.quizzes.puzzles.typed import LONGEST_ANSWER, plain


class Meta(Puzzle):
    """The keys of rooms are typed as one word or number."""

    kind: Literal["meta"]
    of: list[Id] = Field(min_length=2, max_length=12, description="The rooms whose keys make the word, in its order")
    prompt: Prompt = Field(description="What is asked for, in a word or two")

    def judge(self, shown: Shown, said: str, picked: Picked, ground: Ground) -> Verdict:  # noqa: ARG002  # the same for all
        """Return whether it is the word: case, accents and marks are forgiven, a letter is not."""
        typed = _joined(said[:LONGEST_ANSWER])
        if not typed or len(said) > LONGEST_ANSWER:
            return UNCLEAR
        return Verdict("right" if typed == self._word(ground) else "wrong")

    def solutions(self, ground: Ground) -> Iterator[str]:
        """Yield the word."""
        yield self._word(ground)

    def _word(self, ground: Ground) -> str:
        return _joined("".join(ground.keys.get(room, "") for room in self.of))


def _joined(text: str) -> str:
    return plain(text).replace(" ", "")
