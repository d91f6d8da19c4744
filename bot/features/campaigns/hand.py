"""A coordinator at work, and who may be one: the gate that everything about preparing days stands behind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.core.markup import escape
from bot.core.message import Choice, Reply
from bot.features.campaigns import acts
from bot.features.campaigns.acts import NAME, By, Standing
from bot.features.campaigns.planned import at_present
from bot.features.campaigns.town import Town
from bot.features.campaigns.wording import Desk
from bot.library.city import NO_CITY
from bot.storage import coordinators
from bot.storage.coordinators import Coordinator
from bot.talk.feature import Answer, Context, Outcome


@dataclass(frozen=True)
class Hand:
    """A coordinator at work: the turn, who they are, whose words to use, the town as it plans now."""

    context: Context
    me: Coordinator
    desk: Desk

    @property
    def by(self) -> By:
        """Who acts, and when."""
        return By(self.me.number, self.context.now)

    @property
    def town(self) -> Town:
        """The town as it plans now."""
        return self.desk.town

    def say(self, key: str, **values: Any) -> str:
        """Word a phrase."""
        return self.context.say(key, **values)

    def show(self, text: str, *choices: Choice, **wishes: Any) -> Outcome:
        """Show one reply."""
        return self.context.show(text, *choices, **wishes)

    def ask(self, state: str, *replies: Reply) -> Outcome:
        """Show replies, the last of which asks for words that are then for this feature."""
        return Outcome(replies, self.context.session.enter(NAME, state))

    def standing(self, name: str) -> Standing | None:
        """Return where the town stands with a day."""
        return acts.standing(self.context.tx, self.town, name, self.context.now)


Act = Callable[[Hand], Outcome]


class Gate:
    """Lets the coordinators of a town in; `towns` are the names of all, by id."""

    def __init__(self, town: Town, towns: Mapping[str, str]) -> None:
        self.town = town
        self.towns = towns

    def called(self, city: str) -> str:
        """Return a town's name, as text of ours may hold it; "" where it has none."""
        return escape(self.towns.get(city) or city)

    def inside(self, act: Act) -> Answer:
        """Let coordinators of this town do something, in private; tell everybody else how one becomes one."""

        def answer(context: Context) -> Outcome:
            if is_shared(context):
                return context.show(context.say("coordinate.in_private"))
            hand = self.hand(left(context))
            if hand is None:
                return self.stranger(context)
            coordinators.speaks(context.tx, hand.me, context.language)
            return _kept(act(hand), hand.context)

        return answer

    def hand(self, context: Context) -> Hand | None:
        """Return the coordinator who speaks, None where it is somebody else."""
        me = coordinators.of(context.tx, context.session.where, self.town.id)
        if me is None:
            return None
        town = at_present(context.tx, self.town)
        return Hand(context, me, Desk(context.say, context.language, town))

    def told(self, context: Context) -> Hand | None:
        """Return the coordinator who is told something, in the language that they last used."""
        hand = self.hand(context)
        if hand is None or hand.me.language not in self.town.languages:
            return hand
        language = hand.me.language
        return self.hand(replace(context, language=language, say=context.say_in(language)))

    def stranger(self, context: Context) -> Outcome:
        """Tell somebody who is no coordinator here how one becomes one, or where they are one."""
        say = context.say
        elsewhere = coordinators.cities(context.tx, context.session.where)
        if elsewhere:
            names = ", ".join(self.called(city) or say("city.none") for city in elsewhere)
            ways = [
                Choice(self.towns.get(city) or city or say("city.none"), f"/city {city or NO_CITY}")
                for city in elsewhere
            ]
            return context.show(say("coordinate.elsewhere", cities=names), *ways)
        return context.show(say("coordinate.stranger"), Choice(say("coordinate.days"), "/days"))


def is_shared(context: Context) -> bool:
    """Say whether others may read along, or nothing can be told here later."""
    return context.shared or context.session.where.person is not None


def left(context: Context) -> Context:
    """Leave what was asked before: who gives a command no longer answers that."""
    return replace(context, session=context.session.leave(NAME))


def _kept(outcome: Outcome, context: Context) -> Outcome:
    return outcome if outcome.session else outcome.then(context.session)
