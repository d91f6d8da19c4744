"""Escape games against rumours: their files, the rules by which they are played, playing and hosting them."""

from collections.abc import Callable
from pathlib import Path

from bot.features.quizzes.checks import check
from bot.features.quizzes.editions import Editions
from bot.features.quizzes.hosting import Doors as Doors
from bot.features.quizzes.hosting import Hosting, Paint
from bot.features.quizzes.joining import Joining
from bot.features.quizzes.playing import Playing
from bot.features.quizzes.quiz import Quiz
from bot.features.quizzes.replies import Facts, Techniques
from bot.features.quizzes.teams import Teams
from bot.library.common import SOURCES
from bot.library.load import Kind, Library
from bot.talk.feature import Feature

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


def features(
    library: Library, techniques: Techniques, unhurt: Callable[[str], bool], doors: Doors, paint: Paint
) -> tuple[Feature, Feature]:
    """Return the features that play and that host.

    `unhurt` says whether words attack nobody, `doors` by which links one comes into a game, `paint` draws a QR code.
    """
    sources = library.only(SOURCES, next(iter(library.pack.languages))).sources
    editions = Editions(library, QUIZZES)
    teams = Teams(editions, Facts(techniques, sources, editions.picture))
    joining = Joining(teams, unhurt)
    return Playing(teams, joining).feature(), Hosting(teams, joining, doors, paint).feature()
