"""The quizzes that tests play: two small ones of every kind, the sample, and whatever is shipped."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from bot.app import load_content
from bot.features.quizzes import QUIZZES
from bot.features.quizzes.quiz import Quiz

HERE = Path(__file__).parent
SMALL = HERE / "quizzes"
SHIPPED = HERE.parent / "quizzes"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@cache
def games() -> dict[str, Quiz]:
    """Return every quiz by language and id."""
    small = load_content(HERE / "broken/sound", {"quizzes": SMALL}).library
    shipped = load_content(HERE.parent / "content", {"quizzes": SHIPPED}).library
    return {
        f"{language}/{name}": quiz
        for library in (small, shipped)
        for language in library.pack.languages
        for name, quiz in library.all(QUIZZES, language).items()
    }


def after(seconds: float) -> datetime:
    """Return a moment after noon."""
    return NOON + timedelta(seconds=seconds)


def harbour() -> Quiz:
    """Return the quiz of every kind."""
    return games()["en/harbour"]
