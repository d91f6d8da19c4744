"""Every kind of puzzle, one file each; to add one, add its file and its line here."""

from typing import Annotated

from pydantic import Field

from bot.features.quizzes.puzzles.answer import Answer
from bot.features.quizzes.puzzles.choice import Choice
from bot.features.quizzes.puzzles.dialogue import Dialogue
from bot.features.quizzes.puzzles.estimate import Estimate
from bot.features.quizzes.puzzles.match import Match
from bot.features.quizzes.puzzles.meta import Meta
from bot.features.quizzes.puzzles.order import Order
from bot.features.quizzes.puzzles.several import Several
from bot.features.quizzes.puzzles.spot import Spot

AnyPuzzle = Annotated[
    Choice | Several | Order | Match | Answer | Estimate | Dialogue | Spot | Meta, Field(discriminator="kind")
]
