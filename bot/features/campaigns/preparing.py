"""Preparing a day: its card, preview, texts of this year, approval, date, kit and results."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, get_args

from rapidfuzz import fuzz, process

from bot.core.markup import escape
from bot.core.message import Choice, Reply
from bot.core.platform import Limits
from bot.features.campaigns import acts, typed, wording
from bot.features.campaigns.acts import NAME, Spot, Standing, Verb
from bot.features.campaigns.campaign import VARIANTS
from bot.features.campaigns.hand import Gate, Hand
from bot.features.campaigns.town import written
from bot.features.campaigns.wording import LETTERS, SHORT, Desk
from bot.features.campaigns.writing import Mistake, mistake
from bot.storage import runs, subscriptions
from bot.talk.feature import Answer, Context, Outcome
from bot.talk.words import folded

STEPS_AWAY = (-7, -1, 1, 7)  # days by which a button moves a day
NEAR = 3  # days that are called alike
ALL = "all"
DECISIONS = ("keep", "file", "drop")


class Preparing:
    """What coordinators do about a day; `shapes` are the platforms' limits, by name."""

    def __init__(self, gate: Gate, shapes: Mapping[str, Limits]) -> None:
        self.gate = gate
        self.town = gate.town
        self.shapes = shapes
        self._ways = {
            "see": self.see,
            "approve": self.approve,
            "edit": self.edit,
            "move": self.move,
            "stop": self.stop,
            "kit": self.kit,
            "results": self.results,
        }
        self.typed = {"edit": self.take_text, "keep": self.keep, "move": self.take_day}

    def suggest(self, text: str, language: str) -> list[Choice]:
        """Complete a day by its id or name."""
        wanted, known = folded(text), self.town.campaigns.get(language) or self.town.campaigns[self.town.first]
        return [Choice(day.name, name) for name, day in known.items() if wanted in f"{name} {folded(day.name)}"]

    # -------------------- the calendar and a day

    def campaigns(self, argument: str) -> Answer:
        """`/campaigns`: what comes next; `/campaigns 2`: its second page; `/campaigns refugee-day`: a day's card."""
        name, *words = argument.split() or ["1"]
        if name.isdecimal():
            return self.gate.inside(lambda hand: self.calendar(hand, max(1, int(name[:4]))))
        return self.gate.inside(lambda hand: self.day(hand, name, words))

    def calendar(self, hand: Hand, page: int) -> Outcome:
        """Show what comes next."""
        tx = hand.context.tx
        days = acts.calendar(tx, hand.town, hand.context.now)
        held = self.town.id in runs.held(tx)
        last = max(1, -(-len(days) // wording.PAGE))
        return Outcome((wording.calendar(hand.desk, days, min(page, last), held=held),))

    def day(self, hand: Hand, name: str, words: list[str]) -> Outcome:
        """Do something with a day, or show its card."""
        one = hand.standing(name)
        if one is None:
            return self.gone(hand, name)
        verb, *rest = words or [""]
        if verb in self._ways:
            return self._ways[verb](hand, one, rest)
        if verb in get_args(Verb):
            return self.do(hand, one, next(known for known in get_args(Verb) if known == verb))
        return Outcome((self.card(hand, name),))

    def gone(self, hand: Hand, name: str) -> Outcome:
        """Say that there is no such day; offer those that are called alike."""
        names = {key: day.name for key, day in hand.town.campaigns[hand.desk.language].items()}
        near = process.extract(folded(name), [*names], scorer=fuzz.WRatio, limit=NEAR, score_cutoff=70)
        ways = [Choice(names[key], f"/campaign {key}") for key, _, _ in near]
        calendar = Choice(hand.say("coordinate.do_calendar"), "/campaigns")
        return hand.show(hand.say("coordinate.gone", id=escape(name)), *ways, calendar)

    def card(self, hand: Hand, name: str) -> Reply:
        """Return a day's card as it is now."""
        one, tx = hand.standing(name), hand.context.tx
        if one is None:
            return self.gone(hand, name).replies[0]
        year, _ = acts.results(tx, hand.town, name, hand.context.now)
        return wording.card(hand.desk, one, subscriptions.count(tx, self.town.id), results=year > 0)

    def after(self, hand: Hand, name: str, text: str) -> Outcome:
        """Say what was done, and show the card as it is by that."""
        return Outcome((Reply(text), self.card(hand, name)))

    def not_on(self, hand: Hand, one: Standing) -> Outcome:
        """Say that the town is to take part first."""
        return self.after(hand, one.id, hand.say("coordinate.not_on", name=escape(hand.desk.called(one.id))))

    def do(self, hand: Hand, one: Standing, verb: Verb) -> Outcome:
        """Take part, skip, pause, go on, or leave."""
        done = acts.do(hand.context.tx, hand.town, one, verb, hand.by)
        values = {"name": escape(hand.desk.called(one.id)), "date": hand.desk.day(one.day)}
        text = hand.say(f"coordinate.done_{verb}", **values) if done else hand.say("coordinate.not_now")
        return self.after(hand, one.id, text)

    def stop(self, hand: Hand, one: Standing, words: list[str]) -> Outcome:
        """Stop a day for this year, once that was asked."""
        if words == ["yes"] or one.state not in acts.FROM["stop"]:
            return self.do(hand, one, "stop")
        yes = Choice(hand.say("coordinate.yes_stop"), f"/campaign {one.id} stop yes")
        text = hand.say("coordinate.ask_stop", name=escape(hand.desk.called(one.id)))
        return hand.show(text, yes, wording.to_card(hand.desk, one.id))

    def kit(self, hand: Hand, one: Standing, words: list[str]) -> Outcome:
        """Show a page of the kit."""
        page = words[0] if words and words[0] in wording.PAGES else wording.PAGES[0]
        return Outcome((wording.kit(hand.desk, one, page, hand.context.now),))

    def results(self, hand: Hand, one: Standing, _: list[str]) -> Outcome:
        """Show how a day went."""
        year, found = acts.results(hand.context.tx, hand.town, one.id, hand.context.now)
        return Outcome((wording.results(hand.desk, one.id, year, found),))

    # -------------------- preview

    def see(self, hand: Hand, one: Standing, words: list[str]) -> Outcome:
        """Show what subscribers will see: `see`, `see es`, `see es s`, `see all`; ask first where that is much."""
        languages = [code for code in hand.town.languages if code in words]
        variants = [SHORT[word] for word in words if word in SHORT]
        if ALL in words:
            languages, variants = languages or list(hand.town.languages), list(VARIANTS)
        if not languages and len(hand.town.languages) > 1:
            ways = self.which_language(hand, one, "see")
            return hand.show(hand.say("coordinate.see_language"), *ways, self.all(hand, one, "see"))
        languages = languages or list(hand.town.languages)
        if not variants and len(one.campaign.messages) * len(languages) * len(VARIANTS) > wording.FEW:
            verb = f"see {languages[0]}"
            ways = self.which_variant(hand, one, verb)
            return hand.show(hand.say("coordinate.see_variant"), *ways, self.all(hand, one, verb))
        shown = wording.seen(hand.desk, one, languages, variants or list(VARIANTS), self.shapes)
        end = Reply(hand.say("coordinate.seen"), (wording.to_card(hand.desk, one.id),))
        return Outcome((*shown, end))

    def all(self, hand: Hand, one: Standing, verb: str) -> Choice:
        """Return the button for all of them."""
        return Choice(hand.say("coordinate.all"), f"/campaign {one.id} {verb} {ALL}")

    def which_language(self, hand: Hand, one: Standing, verb: str) -> list[Choice]:
        """Return a button for each language that `verb` may mean."""
        return [Choice(name, f"/campaign {one.id} {verb} {code}") for code, name in hand.town.languages.items()]

    def which_variant(self, hand: Hand, one: Standing, verb: str) -> list[Choice]:
        """Return a button for each variant that `verb` may mean."""
        return [
            Choice(hand.say(f"coordinate.variant_{variant}"), f"/campaign {one.id} {verb} {letter}")
            for variant, letter in LETTERS.items()
        ]

    # -------------------- approving

    def approve(self, hand: Hand, one: Standing, words: list[str]) -> Outcome:
        """Show what a day will say and ask; `approve 1a2b` approves it, if it is still what was shown."""
        if one.state not in acts.GOING:
            return self.not_on(hand, one)
        if not words:
            count = subscriptions.count(hand.context.tx, self.town.id)
            return Outcome((wording.to_approve(hand.desk, one, count),))
        done, tell = acts.approve(hand.context.tx, hand.town, one, words[0], hand.by)
        text = hand.say(f"coordinate.{done}", name=escape(hand.desk.called(one.id)))
        return replace(self.after(hand, one.id, text), tell=tell)

    def wake(self, what: dict[str, Any]) -> Answer:
        """Hear that another coordinator approved a day, and that one more is to."""

        def answer(context: Context) -> Outcome:
            hand = self.gate.told(context)
            one = hand.standing(what["campaign"]) if hand and what["city"] == self.town.id else None
            if hand is None or one is None or one.approved or one.state not in acts.GOING:
                return Outcome()
            values = {"who": hand.desk.by(what["who"]), "name": escape(hand.desk.called(one.id))}
            text = hand.say("coordinate.asked", **values, date=hand.desk.day(one.day))
            return hand.show(text, wording.way(hand.desk, one.id, "approve"), wording.to_card(hand.desk, one.id))

        return answer

    # -------------------- editing

    def edit(self, hand: Hand, one: Standing, words: list[str]) -> Outcome:
        """Ask which text, then for the new one: `edit`, `edit 0`, `edit 0 es`, `edit 0 es s`."""
        if one.state not in acts.GOING:
            return self.not_on(hand, one)
        messages = list(one.campaign.messages)
        number = int(words[0][:3]) if words and words[0].isdecimal() else -1
        if not 0 <= number < len(messages):
            named = [wording.named(hand.desk, message) for message in messages]
            ways = [Choice(name, f"/campaign {one.id} edit {at}") for at, name in enumerate(named)]
            return hand.show(hand.say("coordinate.edit_message"), *ways, wording.to_card(hand.desk, one.id))
        language = next((word for word in words[1:] if word in hand.town.languages), None)
        if language is None and len(hand.town.languages) > 1:
            ways = self.which_language(hand, one, f"edit {number}")
            return hand.show(hand.say("coordinate.edit_language"), *ways)
        language = language or hand.town.first
        letter = next((word for word in words[1:] if word in SHORT), None)
        if letter is None:
            ways = self.which_variant(hand, one, f"edit {number} {language}")
            return hand.show(hand.say("coordinate.edit_variant"), *ways)
        return self.ask_text(hand, one, (messages[number], language, SHORT[letter]))

    def ask_text(self, hand: Hand, one: Standing, spot: Spot, wrong: Mistake | None = None) -> Outcome:
        """Ask for a text, or say what is wrong with the one that came and ask again."""
        message, language, variant = spot
        now = written(hand.town, one.id, message, language, variant, one.said)
        where = wording.spot(hand.desk, message, language, variant)
        asked = wording.to_write(hand.desk, where, variant, now, wrong)
        return hand.ask(f"edit {one.id} {message} {language} {LETTERS[variant]}", asked)

    def spot(self, hand: Hand, words: list[str]) -> tuple[Standing, Spot] | None:
        """Return the day and the text that a scene is about; None where either is no more."""
        name, message, language, letter = words
        one = hand.standing(name)
        if one is None or message not in one.campaign.messages or language not in hand.town.languages:
            return None
        return one, (message, language, SHORT[letter])

    def take_text(self, hand: Hand, words: list[str], text: str) -> Outcome:
        """Look at a text that was typed: say what is wrong with it, or show it drawn and ask whether to keep it."""
        found = self.spot(hand, words)
        if found is None:
            return self.gone(hand, words[0]).then(hand.context.session.leave(NAME))
        one, spot = found
        if wrong := mistake(text, spot[2], sober=one.campaign.sober):
            return self.ask_text(hand, one, spot, wrong)
        shown = wording.drawn(hand.desk, one, spot[0], spot[1], text)
        head = Reply(f"{hand.say('coordinate.drawn')}\n\n{wording.parts(hand.desk, shown, self.shapes)}")
        return hand.ask(f"keep {' '.join(words)}\n{text}", head, shown, self.decide(hand.context))

    def decide(self, context: Context) -> Reply:
        """Ask what becomes of a text."""
        say = context.say
        ways = (
            Choice(say("coordinate.keep"), "keep"),
            Choice(say("coordinate.again"), "again"),
            Choice(say("coordinate.file"), "file"),
            Choice(say("coordinate.drop"), "drop"),
        )
        return Reply(say("coordinate.keep_it"), ways)

    def keep(self, hand: Hand, words: list[str], text: str) -> Outcome:
        """Keep the text that was shown, ask for another one, or go back to the file's; other words are another text."""
        top = hand.context.session.top
        found, new = self.spot(hand, words), top.state.partition("\n")[2] if top else ""
        if found is None:
            return self.gone(hand, words[0]).then(hand.context.session.leave(NAME))
        one, spot = found
        if text == "again":
            return self.ask_text(hand, one, spot)
        if text not in DECISIONS:
            return self.take_text(hand, words, text)
        said = self.decided(hand, found, new, text)
        return self.after(hand, one.id, said).then(hand.context.session.leave(NAME))

    def decided(self, hand: Hand, found: tuple[Standing, Spot], new: str, word: str) -> str:
        """Do what was decided about a text; return what to say of it."""
        one, spot = found
        if word == "drop":
            return hand.say("coordinate.dropped")
        if word == "file":
            done = acts.unedit(hand.context.tx, one, spot, hand.by)
            return hand.say("coordinate.files" if done else "coordinate.files_already")
        if acts.edit(hand.context.tx, one, spot, new, hand.by):
            return hand.say("coordinate.kept")
        return hand.say("coordinate.not_on", name=escape(hand.desk.called(one.id)))

    # -------------------- moving

    def move(self, hand: Hand, one: Standing, words: list[str]) -> Outcome:
        """Ask for a date, or move a day to it: `move`, `move 0618`."""
        if words and (day := _near(words[0], one.own_day)):
            return self.moved(hand, one, day)
        if one.state not in acts.GOING:
            return self.not_on(hand, one)
        return hand.ask(f"move {one.id}", self.ask_day(hand.desk, one, hand.context))

    def ask_day(self, desk: Desk, one: Standing, context: Context) -> Reply:
        """Ask for a date, with some near ones to pick."""
        now = desk.town.today(context.now)
        days = [date.fromordinal(one.own_day.toordinal() + away) for away in (*STEPS_AWAY, 0)]
        ways = [
            Choice(desk.day(day), f"/campaign {one.id} move {day:%m%d}")
            for day in days
            if day >= now and day != one.day
        ]
        text = desk.say(
            "coordinate.which_date", date=desk.day(one.day), example=ways[0].label if ways else desk.day(one.day)
        )
        return Reply(text, tuple(ways), prompt=desk.say("coordinate.your_date"))

    def take_day(self, hand: Hand, words: list[str], text: str) -> Outcome:
        """Read the date that was typed."""
        one = hand.standing(words[0])
        if one is None:
            return self.gone(hand, words[0]).then(hand.context.session.leave(NAME))
        day = typed.read_day(text, {"en", *hand.town.languages}, one.own_day)
        if isinstance(day, str):
            told = hand.say(f"coordinate.{day}", example=hand.desk.day(one.own_day))
            return hand.ask(f"move {one.id}", Reply(told), self.ask_day(hand.desk, one, hand.context))
        return self.moved(hand, one, day)

    def moved(self, hand: Hand, one: Standing, day: date) -> Outcome:
        """Move a day, or say why not and ask again."""
        done = acts.move(hand.context.tx, hand.town, one, day, hand.by)
        values = {"name": escape(hand.desk.called(one.id)), "date": hand.desk.day(day)}
        text = hand.say(f"coordinate.{done}", **values)
        if done in ("past", "far"):
            return hand.ask(f"move {one.id}", Reply(text), self.ask_day(hand.desk, one, hand.context))
        return self.after(hand, one.id, text).then(hand.context.session.leave(NAME))

    def ask_again(self, hand: Hand, kind: str, words: list[str]) -> Reply | None:
        """Word an open question about a day again; None where the day is no more."""
        if kind == "keep":
            return self.decide(hand.context)
        if kind == "move":
            one = hand.standing(words[0])
            return self.ask_day(hand.desk, one, hand.context) if one else None
        found = self.spot(hand, words)
        return self.ask_text(hand, *found).replies[-1] if found else None


def _near(digits: str, own: date) -> date | None:
    """Return the date that a button's month and day mean, the nearest to a day's own."""
    found = typed.read_day(f"{digits[2:]}/{digits[:2]}", (), own) if len(digits) == 4 else "no_date"
    return None if isinstance(found, str) else found
