"""Tell us: what somebody heard and nobody knows yet, left for the city without who they are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

from bot.core import markup
from bot.core.message import Choice, Reply
from bot.features.reports.limits import enough
from bot.features.reports.naming import NAMING, Names
from bot.features.reports.words import refusal
from bot.storage import reports
from bot.storage.reports import Draft
from bot.storage.retention import KEPT
from bot.talk.feature import Answer, Command, Context, Count, Feature, Outcome
from bot.talk.words import folded

KINDS = (NAMING,)
NAME = reports.FEATURE
PLACES = ("school", "work", "bar", "street", "home", "transport", "online", "other")
REASONS = ("unclear", "no-rumour", "no-figures", "person")
BY_CODE = frozenset({"web"})
CODE_LETTERS, CODE_LENGTH = "abcdefghkmnpqrstuvwxyz23456789", 8

Cards = Mapping[str, Mapping[str, str]]  # language → id of a card → its neutral name


def feature(names: Names, cards: Cards, hurts: Callable[[str], bool], districts: Sequence[str] = ()) -> Feature:
    """Return the feature.

    `hurts` says whether words attack people, and are not shown again; `districts` are the town's own, to choose from.
    """
    return _Reports(names, cards, hurts, districts).feature()


class _Reports:
    def __init__(self, names: Names, cards: Cards, hurts: Callable[[str], bool], districts: Sequence[str]) -> None:
        self._names = names
        self._cards = cards
        self._hurts = hurts
        self._districts = districts

    def feature(self) -> Feature:
        begin = Command("report", self.read, argument=True, private=True, linkable=lambda argument: argument == "")
        return Feature(NAME, (begin,), resume=self.resume, ask=self.ask, wake=self.wake)

    def read(self, argument: str) -> Answer:
        """`/report`: ask for the words; `/report <words>`: take them; `/report <code>`: say what became of them."""
        if _is_code(argument):
            return lambda context: _look_up(context, argument.lower(), self._cards)
        if argument:
            take = self._take_words(argument)
            return lambda context: self._begin(context) or take(context)
        return lambda context: self._begin(context) or _prompted(context)

    def resume(self, text: str) -> Answer:
        """Take what the open step asks for; a code is looked up, whatever it was typed for."""
        take = self._take_words(text)

        def answer(context: Context) -> Outcome:
            step = context.session.top.state if context.session.top else ""
            held = reports.draft(context.tx, context.session.where)
            if step == "words" and _is_code(text):
                return _look_up(context, text.lower(), self._cards).then(context.session.leave(NAME))
            if step == "words":
                return take(context)
            if held is None:
                return context.show(context.say("report.gone"), _again(context)).then(context.session.leave(NAME))
            return self._step(context, held, step, text)

        return answer

    def ask(self, context: Context) -> Reply | None:
        """Ask again what is open."""
        held = reports.draft(context.tx, context.session.where)
        step = context.session.top.state if context.session.top else "words"
        if step == "words":
            return _words_wanted(context)
        return self._question(context, step) if held else None

    def wake(self, what: dict[str, str | None]) -> Answer:
        """Tell who asked that there is an answer, or that there will be none."""
        return lambda context: _tell(context, what, self._cards)

    def _begin(self, context: Context) -> Outcome | None:
        """Return why nothing can be left now, None where it can."""
        say, where = context.say, context.session.where
        if context.shared:
            return context.show(say("talk.privately"), Choice(say("talk.open_private"), "/report"))
        return _enough_today(context) if enough(reports.of_today(context.tx, where, context.now), 0) else None

    def _take_words(self, text: str) -> Answer:
        """Judge the words before the transaction; keep them as a draft, or say why not and how to mend it."""
        why = "hurtful" if self._hurts(text) else refusal(text, self._names)

        def answer(context: Context) -> Outcome:
            if why:
                again = Reply(context.say(f"report.not_{why}"), prompt=context.say("report.your_words"))
                return Outcome((again,), context.session.enter(NAME, "words"))
            reports.put_draft(context.tx, context.session.where, Draft(text), context.now)
            return self._to(context, "place")

        return answer

    def _step(self, context: Context, held: Draft, step: str, said: str) -> Outcome:
        take = {"place": self._take_place, "district": self._take_district, "keep": self._take_verdict}
        return take[step](context, held, said) if step in take else _take_wish(context, held, said)

    def _take_place(self, context: Context, held: Draft, said: str) -> Outcome:
        if said not in PLACES:
            return self._to(context, "place")
        held = replace(held, place=said)
        reports.put_draft(context.tx, context.session.where, held, context.now)
        return self._to(context, "district") if self._districts else self._show(context, held)

    def _take_district(self, context: Context, held: Draft, said: str) -> Outcome:
        offered = self._districts
        if said != "none" and said not in _numbered(offered):
            return self._to(context, "district")
        held = replace(held, district=_numbered(offered).get(said, ""))
        reports.put_draft(context.tx, context.session.where, held, context.now)
        return self._show(context, held)

    def _take_verdict(self, context: Context, held: Draft, said: str) -> Outcome:
        if said == "keep":
            return self._keep(context, held)
        if said == "change":
            return _prompted(context)
        if said == "drop":
            reports.drop_draft(context.tx, context.session.where)
            ways = Choice(context.say("menu.rumours"), "/rumours"), Choice(context.say("menu.tip"), "/tip")
            return context.show(context.say("report.dropped"), *ways).then(context.session.leave(NAME))
        return self._show(context, held)

    def _keep(self, context: Context, held: Draft) -> Outcome:
        tx, where, now = context.tx, context.session.where, context.now
        reached = enough(reports.of_today(tx, where, now), reports.of_minute(tx, now))
        if reached == "today":
            return _enough_today(context)
        if reached:
            waits = context.show(context.say("report.enough_now"), *_verdicts(context))
            return waits.then(context.session.enter(NAME, "keep"))
        city, language = context.city, context.language
        number = reports.keep(tx, where, held, city=city, language=language, now=now)
        # The words need no second place; the number stays until it is said whether an answer is wanted.
        reports.put_draft(tx, where, Draft("", report=number), now)
        return self._to(context, "wish").counted(Count("report", held.place or ""))

    def _show(self, context: Context, held: Draft) -> Outcome:
        """Show the words as they will be kept, apart from the question, which the session remembers for longer."""
        say = context.say
        place = " · ".join(filter(None, (say(f"report.at_{held.place}"), markup.escape(held.district or ""))))
        days = KEPT["reports"][2].days
        shown = say("report.shown", words=markup.escape(held.words), place=place, months=days // 30)
        session = context.session.enter(NAME, "keep")
        return Outcome((Reply(shown), self._question(context, "keep")), session)

    def _to(self, context: Context, step: str) -> Outcome:
        return Outcome((self._question(context, step),), context.session.enter(NAME, step))

    def _question(self, context: Context, step: str) -> Reply:
        say = context.say
        if step == "place":
            return Reply(say("report.where"), tuple(Choice(say(f"report.at_{place}"), place) for place in PLACES))
        if step == "district":
            offered = [Choice(name, said) for said, name in _numbered(self._districts).items()]
            return Reply(say("report.which_district"), (*offered, Choice(say("report.no_district"), "none")))
        if step == "keep":
            return Reply(say("report.keep_it"), _verdicts(context))
        wish = say("report.want_code" if _by_code(context) else "report.want_told")
        return Reply(wish, (Choice(say("report.no_thanks"), "no"), Choice(say("report.yes_please"), "yes")))


def _numbered(districts: Sequence[str]) -> dict[str, str]:
    """Return what is said for each district: a number, for a name may be too long for a button."""
    return {f"d{number}": name for number, name in enumerate(districts, 1)}


def _is_code(text: str) -> bool:
    bare = text.lower()
    return len(bare) == CODE_LENGTH and set(bare) <= set(CODE_LETTERS) and any(map(str.isdigit, bare))


def _code(chance: Random) -> str:
    """Return a code that is no word: a figure stands in it."""
    letters = "".join(chance.choices(CODE_LETTERS, k=CODE_LENGTH - 1))
    return letters + chance.choice("23456789")


def _by_code(context: Context) -> bool:
    """Say whether nobody can be told here later: on the web, and in one person's corner of a shared chat."""
    where = context.session.where
    return where.platform in BY_CODE or where.person is not None


def _verdicts(context: Context) -> tuple[Choice, ...]:
    return tuple(Choice(context.say(f"report.{said}"), said) for said in ("keep", "change", "drop"))


def _words_wanted(context: Context) -> Reply:
    return Reply(context.say("report.what_heard"), prompt=context.say("report.your_words"))


def _prompted(context: Context) -> Outcome:
    return Outcome((_words_wanted(context),), context.session.enter(NAME, "words"))


def _again(context: Context) -> Choice:
    return Choice(context.say("report.again"), "/report")


def _enough_today(context: Context) -> Outcome:
    ways = Choice(context.say("menu.rumours"), "/rumours"), Choice(context.say("menu.tip"), "/tip")
    return context.show(context.say("report.enough_today"), *ways).then(context.session.leave(NAME))


def _take_wish(context: Context, held: Draft, said: str) -> Outcome:
    """Note whether there is somebody to tell; only a clear yes is one."""
    tx, where, say = context.tx, context.session.where, context.say
    reports.drop_draft(tx, where)
    left = context.session.leave(NAME)
    tip = Choice(say("menu.tip"), "/tip")
    if folded(said) not in ("yes", folded(say("report.yes_please"))) or held.report is None:
        return context.show(say("report.thanks"), tip).then(left)
    if _by_code(context):
        code = _code(context.chance)
        reports.give_code(tx, held.report, code)
        return context.show(say("report.code", code=code), tip).then(left)
    reports.ask(tx, held.report, where, context.language, context.now)
    return context.show(say("report.will_tell"), tip).then(left)


def _look_up(context: Context, code: str, cards: Cards) -> Outcome:
    """Say what became of the report that `code` was given for; its words are not shown."""
    found = reports.by_code(context.tx, code)
    if found is None:
        return context.show(context.say("report.no_such_code"), _again(context))
    return _became(context, found.state, {"card": found.card, "reason": found.reason}, cards)


def _tell(context: Context, what: Mapping[str, str | None], cards: Cards) -> Outcome:
    language = context.session.language or what["language"] or context.language
    language = language if language in cards else context.language
    told = replace(context, language=language, say=context.say_in(language))
    state = "answered" if what["card"] else "declined"
    return _became(told, state, what, cards)


def _became(context: Context, state: str, outcome: Mapping[str, str | None], cards: Cards) -> Outcome:
    say, card = context.say, outcome["card"] or ""
    name = cards[context.language].get(card)
    if state == "answered" and name:
        return context.show(say("report.answered"), Choice(name, f"/rumour {card}"))
    if state == "answered":
        return context.show(say("report.answer_gone"), Choice(say("menu.rumours"), "/rumours"))
    if state == "declined":
        reason = outcome["reason"] if outcome["reason"] in REASONS else "unclear"
        return context.show(say(f"report.declined_{reason}"), Choice(say("menu.rumours"), "/rumours"))
    return context.show(say("report.no_answer_yet"), Choice(say("menu.tip"), "/tip"))
