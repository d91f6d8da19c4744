"""What holds for a whole town: how it plans, holding all its messages, hiding a card, what was done."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rapidfuzz import fuzz, process

from bot.core.markup import escape
from bot.core.message import Choice, Reply
from bot.features.campaigns import acts, typed, wording
from bot.features.campaigns.acts import NAME
from bot.features.campaigns.hand import Gate, Hand
from bot.storage import audit, withdrawn
from bot.storage.withdrawn import Entry
from bot.talk.feature import Answer, Context, Outcome
from bot.talk.words import folded

LONGEST_REASON = 300
LAST_ACTS = 12
NEAR = 3  # cards that are called alike
RUMOUR = "rumour"

# By language and id, the titles of the rumour cards.
Cards = Mapping[str, Mapping[str, str]]


class Ordering:
    """What coordinators decide for the whole town; `cards` are those that can be hidden."""

    def __init__(self, gate: Gate, cards: Cards) -> None:
        self.gate = gate
        self.town = gate.town
        self.cards = cards
        self.typed = {"plan": self.take_plan, "why": self.take_reason, "hide": self.hide}

    # -------------------- how the town plans

    def planning(self, argument: str) -> Answer:
        """`/planning`: how the town plans; `/planning zone Europe/Madrid`, `quiet 21:00-08:00`, `two on`: change it."""
        name, _, text = argument.partition(" ")

        def act(hand: Hand) -> Outcome:
            if name in wording.TYPED and text:
                return self.take_plan(hand, [name], text)
            if name in wording.TYPED:
                return hand.ask(f"plan {name}", self.ask_plan(hand.context, name))
            if name in wording.FLAGS and (value := wording.flag(text)):
                return self.planned(hand, wording.FLAGS[name], value)
            return Outcome((wording.planning(hand.desk),))

        return self.gate.inside(act)

    def ask_plan(self, context: Context, name: str) -> Reply:
        """Ask how the town plans in one thing."""
        say = context.say
        pack = Choice(say("coordinate.pack"), f"/planning {name} pack")
        return Reply(say(f"coordinate.ask_{name}"), (pack,), prompt=say(f"coordinate.do_{name}"))

    def take_plan(self, hand: Hand, words: list[str], text: str) -> Outcome:
        """Read and keep how the town plans in one thing, or say what is wrong with it and ask again."""
        name = words[0]
        if folded(text) == "pack":
            return self.planned(hand, name, None)
        value = _read_plan(name, text)
        if isinstance(value, str):
            return self.planned(hand, name, value)
        wrong = hand.say(f"coordinate.not_{name}", text=escape(text[:60]))
        near = [Choice(zone, f"/planning zone {zone}") for zone in value]
        asked = self.ask_plan(hand.context, name)
        asked = replace(asked, text=f"{wrong}\n\n{asked.text}", choices=(*near, *asked.choices))
        return hand.ask(f"plan {name}", asked)

    def planned(self, hand: Hand, name: str, value: str | None) -> Outcome:
        """Keep how the town plans in one thing; show how it plans by that."""
        acts.set_(hand.context.tx, self.town, name, value, hand.by)
        again = self.gate.hand(hand.context) or hand
        left = hand.context.session.leave(NAME)
        return Outcome((Reply(hand.say("coordinate.set")), wording.planning(again.desk))).then(left)

    # -------------------- at once

    def hold(self, argument: str) -> Answer:
        """`/hold`: hold all that the town sends of itself; `/hold off`: let it go on."""

        def act(hand: Hand) -> Outcome:
            city = escape(self.town.name)
            if argument == "off":
                done = acts.release(hand.context.tx, self.town, hand.by)
                text = hand.say("coordinate.released") if done else hand.say("coordinate.not_held")
                return hand.show(text, Choice(hand.say("coordinate.do_calendar"), "/campaigns"))
            done = acts.hold(hand.context.tx, self.town, hand.by)
            text = hand.say("coordinate.held_now" if done else "coordinate.held_before", city=city)
            return hand.show(text, wording.hold_way(hand.desk, held=True))

        return self.gate.inside(act)

    def withdraw(self, argument: str) -> Answer:
        """`/withdraw jobs We check it.`: hide a card in this town, once that was asked; `/withdraw jobs back`."""
        name, _, reason = argument.partition(" ")

        def act(hand: Hand) -> Outcome:
            if name not in self.cards[hand.desk.language]:
                return self.which_card(hand, name)
            if folded(reason) == "back":
                return self.back(hand, name)
            if not reason:
                return hand.ask(f"why {name}", self.ask_reason(hand.context, name))
            return self.take_reason(hand, [name], reason)

        return self.gate.inside(act)

    def which_card(self, hand: Hand, name: str) -> Outcome:
        """Ask which card is meant; offer those that are called alike."""
        if not name:
            return hand.show(hand.say("coordinate.which_card"))
        known = self.cards[hand.desk.language]
        near = process.extract(name, known.keys(), scorer=fuzz.WRatio, limit=NEAR, score_cutoff=60)
        ways = [Choice(known[key], f"/withdraw {key}") for key, _, _ in near]
        return hand.show(hand.say("coordinate.unknown_card", id=escape(name)), *ways)

    def ask_reason(self, context: Context, name: str) -> Reply:
        """Ask why a card is withdrawn."""
        title = escape(self.cards[context.language].get(name, name))
        return Reply(context.say("coordinate.why", name=title), prompt=context.say("coordinate.your_reason"))

    def take_reason(self, hand: Hand, words: list[str], text: str) -> Outcome:
        """Ask whether a card is to be hidden for the reason that was typed."""
        name = words[0]
        if len(text) > LONGEST_REASON:
            long = Reply(hand.say("coordinate.long_reason", most=LONGEST_REASON))
            return hand.ask(f"why {name}", long, self.ask_reason(hand.context, name))
        return hand.ask(f"hide {name}\n{text}", self.ask_hide(hand.context, name, text))

    def ask_hide(self, context: Context, name: str, reason: str) -> Reply:
        """Ask whether a card is to be hidden."""
        say = context.say
        values = {"name": escape(self.cards[context.language].get(name, name)), "reason": escape(reason)}
        ways = (Choice(say("coordinate.yes_hide"), "yes"), Choice(say("coordinate.no_hide"), "no"))
        return Reply(say("coordinate.ask_hide", **values, city=escape(self.town.name)), ways)

    def hide(self, hand: Hand, words: list[str], text: str) -> Outcome:
        """Hide a card, or leave it; other words are another reason."""
        top, name = hand.context.session.top, words[0]
        reason, left = top.state.partition("\n")[2] if top else "", hand.context.session.leave(NAME)
        if text not in ("yes", "no"):
            return self.take_reason(hand, words, text)
        if text == "no":
            return hand.show(hand.say("coordinate.not_hidden")).then(left)
        entry = Entry(self.town.id, RUMOUR, name)
        done = withdrawn.withdraw(hand.context.tx, entry, reason, hand.context.now, hand.by.who)
        if not done:
            return hand.show(hand.say("coordinate.hidden_before")).then(left)
        back = Choice(hand.say("coordinate.do_back"), f"/withdraw {name} back")
        return hand.show(hand.say("coordinate.hidden"), back).then(left)

    def back(self, hand: Hand, name: str) -> Outcome:
        """Show a card again."""
        entry = Entry(self.town.id, RUMOUR, name)
        done = withdrawn.bring_back(hand.context.tx, entry, "", hand.context.now, hand.by.who)
        return hand.show(hand.say("coordinate.back" if done else "coordinate.not_back"))

    def audit(self, hand: Hand) -> Outcome:
        """Show what was done last."""
        found = audit.last(hand.context.tx, self.town.id, LAST_ACTS)
        way = Choice(hand.say("coordinate.do_calendar"), "/campaigns")
        return hand.show(wording.acts(hand.desk, found), way)

    def ask_again(self, context: Context, kind: str, words: list[str]) -> Reply:
        """Word an open question again."""
        top = context.session.top
        if kind == "plan":
            return self.ask_plan(context, words[0])
        if kind == "why":
            return self.ask_reason(context, words[0])
        return self.ask_hide(context, words[0], top.state.partition("\n")[2] if top else "")


def _read_plan(name: str, text: str) -> str | Sequence[str]:
    """Return how a setting is kept; where it cannot be read, what it may have meant."""
    if name == "zone":
        return typed.read_zone(text)
    if name == "quiet":
        return typed.read_hours(text) or ()
    return typed.read_spans(text) or ()
