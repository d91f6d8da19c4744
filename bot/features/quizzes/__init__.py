"""Escape games against rumours: their files, and the rules by which they are played."""

from pathlib import Path

from bot.features.quizzes.checks import check
from bot.features.quizzes.quiz import Quiz
from bot.library.load import Kind

QUIZZES = Kind(
    "quiz",
    "*/quiz.yaml",
    Quiz,
    check,
    command="quiz",
    root="quizzes",
    longest=24,
    sample=Path(__file__).with_name("sample.yaml"),
)
KINDS = (QUIZZES,)
