"""Kinds of which one option is chosen: what they show, and how a press or something typed is judged."""

from collections.abc import Iterator, Mapping

from bot.features.quizzes.puzzles.puzzle import UNCLEAR, Shown, Verdict
from bot.features.quizzes.puzzles.typed import option_of, plain
from bot.library.check import Found
from bot.library.source import At


def judge_one(shown: Shown, said: str, right: Mapping[str, bool | None]) -> Verdict:
    """Return the verdict on one option; None in `right` means that it only leads elsewhere."""
    option = option_of(shown.options, said)
    if option is None:
        return UNCLEAR
    solved = right[option.id]
    return Verdict("branch" if solved is None else "right" if solved else "wrong", option.id)


def twice_said(texts: Mapping[str, str], at: At) -> Iterator[Found]:
    """Yield options that nobody could tell from an earlier one."""
    met: dict[str, str] = {}
    for name, text in texts.items():
        if (other := met.setdefault(plain(text) or text, name)) != name:
            yield (*at, name), f"says the same as '{other}'", "say something else, or remove one of them"
