"""The days that come, /days, and what each of them is, /day."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import Connection

from bot.core.markup import escape
from bot.core.message import Choice
from bot.features.campaigns import planned
from bot.features.campaigns.campaign import Campaign
from bot.features.campaigns.coming import Coming, coming
from bot.features.campaigns.due import Run
from bot.features.campaigns.find import OFFERED, DayFinder
from bot.features.campaigns.release import as_run
from bot.features.campaigns.town import Town, values
from bot.library.common import provenance_line
from bot.library.figures import draw_days
from bot.library.template import render
from bot.matching.tongue import Tongue
from bot.storage import runs, subscriptions
from bot.talk.feature import Answer, Command, Context, Count, Feature, Heard, Outcome, Say
from bot.talk.words import begins

NAME = "days"
ALL = "all"
PAGE = 6
YEAR = timedelta(days=364)  # so that no day comes twice
SURE = 0.94  # a day's whole name: a little less than a word's
NAMED = 0.96  # "refugee day": the words of one name alone, the "day" among them
LOOSE = 0.15  # words of several names: only where nobody else knows them


def feature(town: Town, tongues: Mapping[str, Tongue]) -> Feature:
    """Return the feature for `town`, as its pack says; `tongues` is how each language is typed."""
    return _Showing(town, tongues).feature()


def at_present(tx: Connection, town: Town) -> tuple[Town, list[Run]]:
    """Return the town as its coordinators planned it by now, and its part in campaigns."""
    return planned.at_present(tx, town), [as_run(kept) for kept in runs.of_city(tx, town.id)]


def when(say: Say, one: Coming, today: date) -> str:
    """Return in words how near a day is; "" where it is neither this week nor the next."""
    monday = today - timedelta(days=today.weekday())
    weeks = (one.first - monday).days // 7
    if one.first <= today <= one.last:
        return say("days.today") if one.first == one.last else say("days.now")
    if one.first - today == timedelta(days=1):
        return say("days.tomorrow")
    return say("days.this_week") if weeks == 0 else say("days.next_week") if weeks == 1 else ""


class _Showing:
    def __init__(self, town: Town, tongues: Mapping[str, Tongue]) -> None:
        self._town = town
        self._ids = town.campaigns[town.first].keys()
        self._finder = DayFinder(town.campaigns)
        self._tongues = tongues

    def feature(self) -> Feature:
        return Feature(
            NAME,
            (
                Command("days", self.days, argument=True, linkable=_is_page),
                Command("day", self.day, self.suggest, argument=True, linkable=lambda a: a in self._ids),
            ),
            listen=self.listen,
        )

    def days(self, argument: str) -> Answer:
        """`/days`: those that the town takes part in; `/days all 2`: the second page of all there are."""
        words = argument.split() if _is_page(argument) else []
        everything, number = ALL in words, next((int(word) for word in words if word.isdecimal()), 1)
        return lambda context: self._list(context, number, everything=everything)

    def day(self, argument: str) -> Answer:
        """`/day refugee-day`, or whatever the day is called; without a name, those that come."""
        if argument in self._ids:
            return lambda context: self._show(context, argument)
        return (lambda context: self._look_up(context, argument)) if argument else self.days("")

    def suggest(self, typed: str, language: str) -> list[Choice]:
        """Complete names; where none begins so, offer those that are near."""
        named = self._town.campaigns[language].items()
        found = [name for name, campaign in named if begins(typed, name, campaign.name)]
        near = found or self._near(typed, language)
        return [Choice(self._town.campaigns[language][name].name, name) for name in near]

    def listen(self, text: str) -> Heard | None:
        """Claim the name of a day standing alone, and, where nobody else knows them, some words of it."""
        asked = [tongue.asked_for(text) for tongue in self._tongues.values()]
        exact = next(filter(None, (self._finder.exact(words) for words in asked)), None)
        if exact:
            return Heard(SURE, lambda context: self._show(context, exact))
        near = next(filter(None, (self._finder.remembered(words) for words in asked)), ())
        if not near:
            return None
        return Heard(NAMED if len(near) == 1 else LOOSE, lambda context: self._offer(context, text, near))

    def _near(self, typed: str, language: str) -> Sequence[str]:
        found = self._finder.find(typed, language)
        return [found.day] if found.day else found.near

    def _look_up(self, context: Context, words: str) -> Outcome:
        return self._offer(context, words, self._near(words, context.language))

    def _offer(self, context: Context, words: str, near: Sequence[str]) -> Outcome:
        """Show the day that is meant, or those near to it."""
        if len(near) == 1:
            return self._show(context, near[0])
        say, named = context.say, self._town.campaigns[context.language]
        choices = [Choice(named[name].name, f"/day {name}") for name in near[:OFFERED]]
        text = say("days.near" if choices else "days.unknown", word=escape(words[:60]))
        return context.show(text, *choices, Choice(say("days.see_all"), f"/days {ALL}"))

    def _list(self, context: Context, number: int, *, everything: bool) -> Outcome:
        say, (town, taken) = context.say, at_present(context.tx, self._town)
        today = town.today(context.now)
        found = [one for one in coming(town, taken, today, today + YEAR) if everything or one.joined]
        last = max(1, -(-len(found) // PAGE))
        number = min(max(number, 1), last)
        shown = found[(number - 1) * PAGE : number * PAGE]
        heading = say("days.all" if everything else "days.own" if found else "days.none", city=escape(town.name))
        lines = "\n".join(self._line(context, one, today, marked=everything) for one in shown)
        named = dict.fromkeys(one.campaign for one in shown)
        choices = [Choice(self._named(context, name).name, f"/day {name}") for name in named]
        choices += _pages(say, number, last, everything=everything)
        if not subscriptions.of(context.tx, context.session.where):
            choices.append(Choice(say("days.subscribe"), "/subscribe"))
        return context.show("\n\n".join(filter(None, (heading, lines))), *choices, link=_page(number, all_=everything))

    def _line(self, context: Context, one: Coming, today: date, *, marked: bool) -> str:
        say = context.say
        return say(
            "days.line",
            date=draw_days(one.first, one.last, context.language),
            name=self._named(context, one.campaign).name,
            when=when(say, one, today),
            joined=marked and one.joined,
        )

    def _named(self, context: Context, name: str) -> Campaign:
        return self._town.campaigns[context.language][name]

    def _show(self, context: Context, name: str) -> Outcome:
        """Say what a day is: its date, where it comes from, why it matters, and what to talk about at a table."""
        say, campaign = context.say, self._named(context, name)
        town, taken = at_present(context.tx, self._town)
        one = self._next(town, taken, name, town.today(context.now))
        given = values(town, name, context.language, one.first if one else context.now.date())
        campaign = replaced(campaign, given)
        parts = [
            self._head(context, campaign, one, town.today(context.now)),
            say("days.why", why=campaign.why),
            f"> {campaign.slogan}" if campaign.slogan else "",
            say("days.talk_sober" if campaign.sober else "days.talk") + "\n\n" + _listed(campaign.talk),
            origin(say, campaign),
            f"*{provenance_line(say, campaign.provenance, context.language, say('provenance.text'))}*",
        ]
        choices = [*_ways(campaign, name), Choice(say("days.more"), "/days")]
        shown = context.show("\n\n".join(filter(None, parts)), *choices, link=f"/day {name}")
        return shown.counted(Count("day", name))

    def _head(self, context: Context, campaign: Campaign, one: Coming | None, today: date) -> str:
        say = context.say
        full = f"*{campaign.full}*" if campaign.full and campaign.full != campaign.name else ""
        if one is None:
            return "\n\n".join(filter(None, (say("days.undated", name=campaign.name), full)))
        dated = draw_days(one.first, one.last, context.language)
        is_near = when(say, one, today)
        return "\n\n".join(filter(None, (say("days.head", name=campaign.name, date=dated, when=is_near), full)))

    def _next(self, town: Town, taken: Sequence[Run], name: str, today: date) -> Coming | None:
        """Return when the day comes next; None where no date is known yet, as of movable feasts years ahead."""
        found = coming(town, taken, today, today + 2 * YEAR)
        return next((one for one in found if one.campaign == name), None)


def origin(say: Say, campaign: Campaign) -> str:
    """Return who proclaimed a day, in which document and since when; plainly, where nobody opened the source yet."""
    basis = campaign.basis
    since = str(basis.since) if basis.since else ""
    told = say("days.basis", by=basis.by.rstrip("."), document=escape(basis.document or ""), since=since)
    return told if basis.checked else f"{told} {say('days.unchecked')}"


def replaced(campaign: Campaign, given: Mapping[str, str]) -> Campaign:
    """Return a campaign with the values that its reason and questions name."""
    talk = [render(text, given) for text in campaign.talk]
    return campaign.model_copy(update={"why": render(campaign.why, given), "talk": talk})


def _ways(campaign: Campaign, name: str) -> list[Choice]:
    """Return where the day's prompts lead, each once, beside to the day itself."""
    by_command: dict[str, Choice] = {}
    labels: set[str] = set()
    for prompt in campaign.messages.values():
        for way in prompt.ways.values():
            if way.opens != f"/day {name}" and way.opens not in by_command and way.label not in labels:
                by_command[way.opens] = Choice(way.label, way.opens)
                labels.add(way.label)
    return list(by_command.values())


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _is_page(argument: str) -> bool:
    words = argument.split()
    rest = words[1:] if words[:1] == [ALL] else words
    return not rest or (len(rest) == 1 and rest[0].isdecimal() and len(rest[0]) < 3)


def _page(number: int, *, all_: bool) -> str:
    return " ".join(filter(None, ("/days", ALL if all_ else "", str(number) if number > 1 else "")))


def _pages(say: Say, number: int, last: int, *, everything: bool) -> list[Choice]:
    """Return the ways to the pages beside this one, and to the other list."""
    found = []
    if number > 1:
        found.append(Choice(say("days.earlier"), _page(number - 1, all_=everything)))
    if number < last:
        found.append(Choice(say("days.later"), _page(number + 1, all_=everything)))
    other = Choice(say("days.see_own"), "/days") if everything else Choice(say("days.see_all"), f"/days {ALL}")
    return [*found, other]
