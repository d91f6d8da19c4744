"""Preparing a town's international days in a private chat: the commands, and who becomes a coordinator."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.core.message import Choice, Reply
from bot.core.platform import Limits
from bot.features.campaigns import acts, wording
from bot.features.campaigns.acts import NAME
from bot.features.campaigns.hand import Gate, Hand, is_shared, left
from bot.features.campaigns.ordering import Cards, Ordering
from bot.features.campaigns.preparing import Preparing
from bot.features.campaigns.town import Town
from bot.library.city import NO_CITY
from bot.storage import coordinators, invites
from bot.talk.feature import Answer, Command, Context, Feature, Outcome

# By platform, the link that says a command.
Doors = Callable[[str], Mapping[str, str]]


class Coordinating:
    """The feature by which a town's days are prepared."""

    def __init__(self, gate: Gate, preparing: Preparing, ordering: Ordering, doors: Doors) -> None:
        self.gate = gate
        self.town = gate.town
        self.preparing = preparing
        self.ordering = ordering
        self.doors = doors

    def feature(self) -> Feature:
        """Return the feature."""
        days, orders = self.preparing, self.ordering
        commands = (
            Command("campaigns", days.campaigns, days.suggest, argument=True, private=True),
            Command("coordinator", self.coordinator, argument=True, private=True, linkable=is_code),
            Command("campaign", days.campaigns, argument=True, private=True, hidden=True),
            Command("planning", orders.planning, argument=True, private=True, hidden=True),
            Command("invite", lambda _: self.gate.inside(self.invite), private=True, hidden=True),
            Command("hold", orders.hold, argument=True, private=True, hidden=True),
            Command("withdraw", orders.withdraw, argument=True, private=True, hidden=True),
            Command("audit", lambda _: self.gate.inside(orders.audit), private=True, hidden=True),
        )
        return Feature(NAME, commands, resume=self.resume, ask=self.ask, wake=days.wake)

    def coordinator(self, argument: str) -> Answer:
        """`/coordinator CODE`: prepare a town's days from here on. `/coordinator leave`: no longer."""
        word, _, rest = argument.partition(" ")
        if word in ("", "leave"):
            return self.gate.inside((lambda hand: self.leave(hand, rest)) if word else self.roster)

        def answer(context: Context) -> Outcome:
            if context.session.where.platform == "preview":
                way = Choice(context.say("coordinate.open"), f"/coordinator {argument}")
                return context.show(context.say("coordinate.opening"), way)
            if is_shared(context):
                seen = context.shared and invites.use(context.tx, argument, context.now) is not None
                return context.show(context.say("coordinate.code_seen" if seen else "coordinate.in_private"))
            return self.become(left(context), argument)

        return answer

    def become(self, context: Context, code: str) -> Outcome:
        """Make a conversation a coordinator of the town of a code, and let it belong to that town."""
        me = acts.become(context.tx, context.session.where, code, context.language, context.now)
        if me is None:
            return context.show(context.say("coordinate.bad_code"))
        city = self.gate.called(me.city)
        text = context.say("coordinate.become", number=me.number, city=city)
        way = Choice(context.say("coordinate.do_calendar"), "/campaigns")
        there = context.session if me.city == context.city else replace(context.session, city=me.city or NO_CITY)
        return context.show(text, way).then(there)

    def roster(self, hand: Hand) -> Outcome:
        """Show the numbers of a town's coordinators."""
        found = coordinators.of_city(hand.context.tx, self.town.id)
        return Outcome((wording.roster(hand.desk, hand.me, found),))

    def leave(self, hand: Hand, word: str) -> Outcome:
        """Give up the role, once that was asked."""
        city = self.gate.called(self.town.id)
        if word == "yes":
            acts.leave(hand.context.tx, hand.me, hand.by)
            return hand.show(hand.say("coordinate.left", city=city))
        last = len(coordinators.of_city(hand.context.tx, self.town.id)) == 1
        yes = Choice(hand.say("coordinate.yes_go"), "/coordinator leave yes")
        text = hand.say("coordinate.ask_go_last" if last else "coordinate.ask_go")
        return hand.show(text, yes, Choice(hand.say("coordinate.do_calendar"), "/campaigns"))

    def invite(self, hand: Hand) -> Outcome:
        """Make a code by which somebody else becomes a coordinator."""
        code = acts.invite(hand.context.tx, self.town.id, hand.context.chance, hand.by)
        parts = [hand.say("coordinate.invited", code=code, city=self.gate.called(self.town.id))]
        links = self.doors(f"/coordinator {code}")
        parts += [hand.say("coordinate.link", platform=name.capitalize(), link=link) for name, link in links.items()]
        return hand.show("\n\n".join(parts))

    # -------------------- what was asked for

    def resume(self, text: str) -> Answer:
        """Take what was asked for."""

        def answer(context: Context) -> Outcome:
            hand, kind, words = self._open(context)
            taken = {**self.preparing.typed, **self.ordering.typed}.get(kind)
            if hand is None or taken is None:
                return self.gate.stranger(context).then(context.session.leave(NAME))
            return taken(hand, words, text)

        return answer

    def ask(self, context: Context) -> Reply | None:
        """Word the open question again."""
        hand, kind, words = self._open(context)
        if hand is None:
            return None
        if kind in self.preparing.typed:
            return self.preparing.ask_again(hand, kind, words)
        return self.ordering.ask_again(context, kind, words)

    def _open(self, context: Context) -> tuple[Hand | None, str, list[str]]:
        """Return who is asked, for what, and about which thing."""
        top = context.session.top
        kind, *words = top.state.partition("\n")[0].split() if top else [""]
        return self.gate.hand(context), kind, words


def feature(town: Town, towns: Mapping[str, str], shapes: Mapping[str, Limits], doors: Doors, cards: Cards) -> Feature:
    """Return the feature of a town.

    `towns` gives the names of all; `shapes` what each platform can show; `cards` the rumours' names by language.
    """
    gate = Gate(town, towns)
    return Coordinating(gate, Preparing(gate, shapes), Ordering(gate, cards), doors).feature()


def is_code(argument: str) -> bool:
    """Say whether a link with this argument may lead somewhere: whether the code is good, a turn finds out."""
    return bool(invites.CODE.fullmatch(argument))
