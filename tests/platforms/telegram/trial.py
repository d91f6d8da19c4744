"""A small feature that does what no shipped one does yet: asks questions with buttons, shows pictures, live cards."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import func, select

from bot.core.message import Choice, Image, Reply
from bot.storage.tables import BY_ADDRESS
from bot.talk.feature import Answer, Command, Context, Feature, Outcome
from bot.talk.repertoire import Repertoires
from tests.platforms.telegram.booth import Booth
from tests.platforms.telegram.server import PNG

NAME = "trial"
QUESTION = Reply("Sure?", (Choice("Yes", "yes"), Choice("No", "no")))


def rehearse(hall: Booth) -> None:
    """Let the Hearsay of `hall` do what this feature does."""
    known = hall.app.assistant.repertoire
    hall.app.assistant.repertoires = Repertoires({"": replace(known, features=(*known.features, feature()))})


def feature() -> Feature:
    """Return the feature."""
    deeds: dict[str, Callable[[str], Reply]] = {
        "live": lambda words: Reply(f"Round {words}", slot="round"),
        "prompted": lambda words: Reply(f"Round {words}", slot="round", prompt="Your guess"),
        "picture": lambda words: Reply(words or "Look.", image=Image("A map of the town", data=PNG), slot="round"),
        "atlas": lambda words: Reply(words, image=Image("A map. " * 60, data=PNG)),
        "echo": Reply,
    }
    commands = [Command(name, _showing(deed), hidden=True) for name, deed in deeds.items()]
    commands.append(Command("sure", lambda _: _ask, hidden=True))
    commands.append(Command("nothing", lambda _: lambda _: Outcome(), hidden=True))
    return Feature(NAME, tuple(commands), resume=_resume, ask=lambda _: QUESTION)


def _showing(deed: Callable[[str], Reply]) -> Callable[[str], Answer]:
    return lambda words: lambda _: Outcome((deed(words),))


def _ask(context: Context) -> Outcome:
    return Outcome((QUESTION,), context.session.enter(NAME))


def _resume(text: str) -> Answer:
    return lambda context: context.show(f"You said {text}.").then(context.session.leave(NAME))


async def rows(hall: Booth, chat: int) -> int:
    """Return how many rows there are about a chat, whatever they say."""
    counts = [select(func.count()).where(table.c.address.startswith(f"telegram:{chat}")) for table in BY_ADDRESS]
    return await hall.store.read(lambda tx: sum(tx.execute(count).scalar_one() for count in counts))
