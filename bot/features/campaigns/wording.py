"""What coordinators see: the calendar, a day's card, previews, the kit, results, how the town plans. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from bot.core.fit import fit
from bot.core.markup import escape
from bot.core.message import Choice, Reply
from bot.core.platform import Limits
from bot.features.campaigns.acts import FROM, GOING, Result, Standing, State
from bot.features.campaigns.campaign import VALUES, VARIANTS, Campaign, Prompt, Variant
from bot.features.campaigns.due import heard_at, timeline
from bot.features.campaigns.planned import OFF, ON
from bot.features.campaigns.town import Town, prompt_reply, values, written
from bot.features.campaigns.writing import LONGEST, Mistake
from bot.library.figures import draw_day
from bot.library.template import render
from bot.storage.audit import Act
from bot.storage.coordinators import Coordinator
from bot.storage.runs import COMMAND_LINE
from bot.talk.assistant import lifted
from bot.talk.feature import Say

# The variants as buttons say them, for a choice holds 48 bytes.
SHORT: Mapping[str, Variant] = {"t": "text", "s": "short", "c": "child"}
LETTERS: Mapping[Variant, str] = {variant: letter for letter, variant in SHORT.items()}
PAGE = 8  # days on a page of the calendar
FEW = 3  # texts that are shown without asking which
SEEN = 4  # characters of a digest that a button holds

Ways = Literal["see", "approve", "edit", "move", "kit", "results"]
PAGES = ("concept", "steps", "calls", "lists")
WENT = ("reached", "unsubscribed", "blocked", "gone", "limited", "late", "language", "quota", "other")
SKIPPED = ("late", "unapproved", "other")
USUAL = ("soon", "today", "thanks")
FLAGS: Mapping[str, str] = {"two": "two_approve", "any": "any_language"}
TYPED = ("zone", "quiet", "holidays")


@dataclass(frozen=True)
class Desk:
    """In whose words something is drawn: how phrases are said, the language, the planned town."""

    say: Say
    language: str
    town: Town

    def called(self, campaign: str) -> str:
        """Return a day's name."""
        return self.town.campaigns[self.language][campaign].name

    def day(self, day: date) -> str:
        """Return a date as it is written here."""
        return draw_day(day, self.language)

    def spoken(self, code: str) -> str:
        """Return a language's own name."""
        return self.town.languages.get(code, code)

    def by(self, number: int) -> str:
        """Return how whoever acted is called."""
        if number == COMMAND_LINE:
            return self.say("coordinate.by_command")
        return self.say("coordinate.by_number", number=number)


def way(desk: Desk, campaign: str, verb: str, said: str = "") -> Choice:
    """Return the button that does something with a day."""
    return Choice(desk.say(f"coordinate.do_{verb}"), f"/campaign {campaign} {said or verb}")


def to_card(desk: Desk, campaign: str) -> Choice:
    """Return the button that leads to a day's card."""
    return Choice(desk.say("coordinate.do_card"), f"/campaign {campaign}")


# -------------------- the calendar


def calendar(desk: Desk, days: Sequence[Standing], page: int, *, held: bool) -> Reply:
    """Return a page of what comes next, the first being 1, with ways on."""
    say = desk.say
    shown = days[(page - 1) * PAGE : page * PAGE]
    lines = "\n".join(line(desk, one) for one in shown) or say("coordinate.no_days")
    head = say("coordinate.calendar", city=escape(desk.town.name))
    warned = [say("coordinate.held", city=escape(desk.town.name))] if held else []
    choices = [Choice(desk.called(one.id), f"/campaign {one.id}") for one in shown]
    if len(days) > page * PAGE:
        choices.append(Choice(say("coordinate.more"), f"/campaigns {page + 1}"))
    choices.append(Choice(say("coordinate.do_planning"), "/planning"))
    choices.append(Choice(say("coordinate.do_roster"), "/coordinator"))
    choices.append(hold_way(desk, held=held))
    return Reply("\n\n".join([*warned, head, lines]), tuple(choices))


def hold_way(desk: Desk, *, held: bool) -> Choice:
    """Return the button that holds all messages, or lets them go on."""
    if held:
        return Choice(desk.say("coordinate.do_release"), "/hold off")
    return Choice(desk.say("coordinate.do_hold"), "/hold")


def line(desk: Desk, one: Standing) -> str:
    """Return a day in one line."""
    marks = " · ".join(marks_of(desk, one))
    return f"- **{desk.day(one.day)}** {escape(desk.called(one.id))} · {marks}"


def marks_of(desk: Desk, one: Standing) -> Iterator[str]:
    """Yield where a town stands with a day, in a word or two each."""
    yield desk.say(f"coordinate.state_{one.state}")
    if one.state in GOING:
        yield desk.say("coordinate.mark_approved" if one.approved else "coordinate.mark_unapproved")
    if one.day != one.own_day:
        yield desk.say("coordinate.mark_moved")
    if one.lacking and one.state != "out":
        yield desk.say("coordinate.mark_lacking")


# -------------------- a day's card


def card(desk: Desk, one: Standing, subscribers: int, *, results: bool) -> Reply:
    """Return a day's card: its state, what it says when, what lacks, and what can be done."""
    say = desk.say
    parts = [f"{say('coordinate.head', name=escape(desk.called(one.id)), date=desk.day(one.day))}"]
    parts.append(" · ".join(marks_of(desk, one)))
    if one.day != one.own_day:
        parts.append(say("coordinate.moved_from", date=desk.day(one.own_day)))
    parts.append("\n".join(says(desk, one)))
    if one.state in GOING:
        parts += [*lacks(desk, one), *changes(desk, one), approval(desk, one)]
        parts.append(say("coordinate.subscribers", count=subscribers))
    choices = [way(desk, one.id, verb) for verb in ways(one.state, begun=one.begun, approved=one.approved)]
    choices += [way(desk, one.id, "results")] if results else []
    return Reply("\n\n".join(parts), (*choices, Choice(say("coordinate.do_calendar"), "/campaigns")))


def ways(state: State, *, begun: bool, approved: bool) -> Iterator[str]:
    """Yield what can be done with a day that stands so."""
    verbs = [verb for verb, states in FROM.items() if state in states]
    if state in GOING:
        yield "see"
        yield from [] if approved else ["approve"]
        yield from ("edit", "move")
    else:
        yield "see"
    early = ("leave", "skip") if state == "on" and not begun else ()
    late = ("stop",) if begun else ()
    yield from (verb for verb in verbs if verb in ("join", "pause", "resume", *early, *late))
    yield "kit"


def says(desk: Desk, one: Standing) -> Iterator[str]:
    """Yield when each message goes out."""
    for name, prompt in one.campaign.messages.items():
        yield f"- {when(desk, one, name, prompt)}"


def when(desk: Desk, one: Standing, message: str, prompt: Prompt) -> str:
    """Return on which date, and at what hour, a message goes out."""
    day, hour = desk.day(one.day + timedelta(days=prompt.day)), heard_at(prompt.hour, desk.town.planning.silent)
    return desk.say("coordinate.says", date=day, hour=f"{hour:%H:%M}", message=named(desk, message))


def lacks(desk: Desk, one: Standing) -> Iterator[str]:
    """Yield for each language what cannot be said in it, and what becomes of it."""
    by_language: dict[str, list[str]] = {}
    for message, language in one.lacking:
        by_language.setdefault(language, []).append(named(desk, message))
    for code, messages in by_language.items():
        spoken, listed = desk.spoken(code), ", ".join(messages)
        if desk.town.planning.any_language:
            first = desk.spoken(desk.town.first)
            yield desk.say("coordinate.lacks_other", spoken=spoken, messages=listed, first=first)
        else:
            yield desk.say("coordinate.lacks", spoken=spoken, messages=listed)


def changes(desk: Desk, one: Standing) -> Iterator[str]:
    """Yield what the town says otherwise this year."""
    if one.edits:
        spots = "; ".join(spot(desk, edit.message, edit.language, edit.variant) for edit in one.edits)
        yield desk.say("coordinate.edited", spots=spots)


def named(desk: Desk, message: str) -> str:
    """Return what a message is called: the usual ones in words, others by their ids."""
    return desk.say(f"coordinate.message_{message}") if message in USUAL else message


def spot(desk: Desk, message: str, language: str, variant: str) -> str:
    """Return which text is meant."""
    return f"{named(desk, message)}, {desk.spoken(language)}, {desk.say(f'coordinate.variant_{variant}')}"


def approval(desk: Desk, one: Standing) -> str:
    """Return who approved a day as it is now, and whether that is enough."""
    if not one.approvers:
        return desk.say("coordinate.unapproved")
    who = ", ".join(desk.by(number) for number in sorted(one.approvers))
    return desk.say("coordinate.approved_by" if one.approved else "coordinate.half_by", who=who)


# -------------------- what it will look like


def seen(
    desk: Desk, one: Standing, languages: Iterable[str], variants: Sequence[Variant], shapes: Mapping[str, Limits]
) -> Iterator[Reply]:
    """Yield each message as subscribers see it, below a line that says when, and in how many parts on each platform."""
    for language in languages:
        for message in one.campaign.messages:
            for variant in variants:
                yield from _seen(desk, one, message, language, variant, shapes)


def _seen(
    desk: Desk, one: Standing, message: str, language: str, variant: Variant, shapes: Mapping[str, Limits]
) -> Iterator[Reply]:
    head = headed(desk, one, message, language, variant)
    text = written(desk.town, one.id, message, language, variant, one.said)
    normal = written(desk.town, one.id, message, language, "text", one.said)
    if text is None:
        yield Reply(f"{head}\n\n{desk.say('coordinate.not_written')}")
    elif variant != "text" and text == normal:
        yield Reply(f"{head}\n\n{desk.say('coordinate.same_as_text')}")
    else:
        reply = drawn(desk, one, message, language, text)
        yield Reply(f"{head}\n\n{parts(desk, reply, shapes)}")
        yield reply


def headed(desk: Desk, one: Standing, message: str, language: str, variant: Variant) -> str:
    """Return which text it is, and when it goes out."""
    at = when(desk, one, message, one.campaign.messages[message])
    return f"{at} · {desk.spoken(language)} · {desk.say(f'coordinate.variant_{variant}')}"


def drawn(desk: Desk, one: Standing, message: str, language: str, text: str) -> Reply:
    """Return a text as subscribers see it."""
    return replace(prompt_reply(desk.town, one.id, message, language, text, one.day), broadcast=False)


def parts(desk: Desk, reply: Reply, shapes: Mapping[str, Limits]) -> str:
    """Return in how many messages each platform shows a reply."""
    counted = (
        desk.say("coordinate.parts", platform=name.capitalize(), count=len(fit(lifted(reply), limits)))
        for name, limits in shapes.items()
    )
    return " · ".join(counted)


def to_approve(desk: Desk, one: Standing, subscribers: int) -> Reply:
    """Return all that a day will say, for whoever approves it, and the button for that."""
    told = [
        f"{headed(desk, one, message, language, variant)}\n\n{_quote(desk, one, message, language, variant)}"
        for message in one.campaign.messages
        for language in desk.town.languages
        for variant in VARIANTS
        if variant == "text" or (message, language, variant) in one.said
    ]
    first = one.day + timedelta(days=min(prompt.day for prompt in one.campaign.messages.values()))
    asked = [desk.say("coordinate.ask_approve", date=desk.day(first), count=subscribers)]
    asked += [desk.say("coordinate.variants_too")]
    asked += [desk.say("coordinate.two_needed")] if desk.town.planning.two_approve else []
    yes = way(desk, one.id, "approve", f"approve {one.digest[:SEEN]}")
    return Reply("\n\n".join([*told, *asked]), (yes, way(desk, one.id, "see"), to_card(desk, one.id)))


def _quote(desk: Desk, one: Standing, message: str, language: str, variant: Variant) -> str:
    text = written(desk.town, one.id, message, language, variant, one.said)
    if text is None:
        return quoted(desk.say("coordinate.not_written"))
    return quoted(render(text, values(desk.town, one.id, language, one.day)))


def quoted(text: str) -> str:
    """Return a text as a quote, its paragraphs kept."""
    return "\n".join(f"> {part}".rstrip() for part in text.split("\n"))


# -------------------- a text


def named_values(names: Iterable[str] = tuple(sorted(VALUES))) -> str:
    """Return values as a text names them."""
    return ", ".join(f"{{{{ {name} }}}}" for name in names)


def to_write(desk: Desk, where: str, variant: Variant, now: str | None, wrong: Mistake | None = None) -> Reply:
    """Ask for a text, showing what it says now, as it is written; or what is wrong with what came."""
    if wrong:
        return Reply(told(desk, wrong), prompt=desk.say("coordinate.your_text"))
    most = LONGEST[variant]
    asked = desk.say("coordinate.write", spot=where, most=most, values=escape(named_values()))
    said = [desk.say("coordinate.now_says"), quoted(escape(now))] if now else []
    return Reply("\n\n".join([asked, *said]), prompt=desk.say("coordinate.your_text"))


def told(desk: Desk, found: Mistake) -> str:
    """Return what is wrong with a text, where, and what to write."""
    known: dict[str, object] = {
        "line": found.line,
        "column": found.column,
        "example": named_values(["city"]),
        "question": "{% if city %} … {% endif %}",
        "end": "{% endif %}",
        **found.values,
    }
    if "near" in known:
        known["near"] = named_values([str(known["near"])])
    return desk.say(f"coordinate.mistake_{found.why}", **{name: _plain(value) for name, value in known.items()})


def _plain(value: object) -> object:
    return escape(value) if isinstance(value, str) else value


# -------------------- the kit


def kit(desk: Desk, one: Standing, page: str, now: datetime) -> Reply:
    """Return a page of what helps to prepare a day; where there is no kit, why it matters and what to talk about."""
    say, campaign = desk.say, desk.town.campaigns[desk.language][one.id]
    if campaign.kit is None:
        talk = "\n".join(f"- {question}" for question in campaign.talk)
        return Reply("\n\n".join([say("coordinate.no_kit"), campaign.why, talk]), (to_card(desk, one.id),))
    pages = {"concept": _concept, "steps": _steps, "calls": _calls, "lists": _lists}
    text = "\n\n".join(pages[page](desk, one, campaign, now))
    ways_on = tuple(way(desk, one.id, other, f"kit {other}") for other in PAGES if other != page)
    return Reply(text, (*ways_on, to_card(desk, one.id)))


def _concept(desk: Desk, one: Standing, campaign: Campaign, _: datetime) -> Iterator[str]:
    say = desk.say
    assert campaign.kit  # noqa: S101  # seen by the only caller
    concept = campaign.kit.concept
    yield say("coordinate.kit_concept", name=escape(campaign.name), date=desk.day(one.day))
    yield f"**{say('coordinate.kit_question')}** {concept.question}"
    yield f"**{say('coordinate.kit_message')}** {concept.message}"
    yield f"**{say('coordinate.kit_here')}** {concept.here}"
    yield f"**{say('coordinate.kit_audience')}** {concept.audience}"
    yield _listed(say("coordinate.kit_partners"), concept.partners)
    yield _listed(say("coordinate.kit_risks"), concept.risks)
    yield _listed(say("coordinate.kit_measures"), concept.measures)
    if campaign.kit.history:
        yield f"**{say('coordinate.kit_history')}** {campaign.kit.history}"


def _listed(head: str, points: Iterable[str]) -> str:
    return "\n".join([f"**{head}**", "", *(f"- {point}" for point in points)])


def _steps(desk: Desk, one: Standing, campaign: Campaign, now: datetime) -> Iterator[str]:
    """Yield what to do on which day, closer together where the town joined late."""
    assert campaign.kit  # noqa: S101
    steps = {**desk.town.steps[desk.language], **campaign.kit.steps}
    joined = desk.town.today(one.since or now)
    days = timeline(steps, (one.day - joined).days)
    known = values(desk.town, one.id, desk.language, one.day)
    yield desk.say("coordinate.kit_steps")
    if days != {name: step.day for name, step in steps.items()}:
        yield desk.say("coordinate.kit_late")
    yield "\n".join(
        f"- **{desk.day(one.day + timedelta(days=offset))}** {render(steps[name].do, known)}"
        for name, offset in sorted(days.items(), key=lambda item: item[1])
    )


def _calls(desk: Desk, one: Standing, campaign: Campaign, _: datetime) -> Iterator[str]:
    assert campaign.kit  # noqa: S101
    known = values(desk.town, one.id, desk.language, one.day)
    if campaign.slogan:
        yield f"**{desk.say('coordinate.kit_slogan')}** {campaign.slogan}"
    yield _listed(desk.say("coordinate.kit_calls"), (render(call, known) for call in campaign.kit.calls))
    yield f"**{desk.say('coordinate.kit_hashtags')}** {known['hashtags']}"


def _lists(desk: Desk, _: Standing, __: Campaign, ___: datetime) -> Iterator[str]:
    found = desk.town.checklists[desk.language].values()
    yield desk.say("coordinate.kit_lists" if found else "coordinate.no_lists")
    yield from (_listed(escape(each.name), each.points) for each in found)


# -------------------- afterwards


def results(desk: Desk, name: str, year: int, found: Sequence[Result]) -> Reply:
    """Return how a day went: how many heard it, how many did not and why."""
    say = desk.say
    if not found:
        return Reply(say("coordinate.no_results", name=escape(desk.called(name))), (to_card(desk, name),))
    lines = [result(desk, one) for one in found]
    head = say("coordinate.results", name=escape(desk.called(name)), year=year)
    return Reply("\n\n".join([head, *lines]), (to_card(desk, name),))


def result(desk: Desk, one: Result) -> str:
    """Return how one message went."""
    say = desk.say
    schools = f", {say('coordinate.for_schools')}" if one.audience == "schools" else ""
    head = f"**{desk.day(one.day)}, {named(desk, one.message)}{schools}:**"
    if one.state == "skipped":
        why = one.why if one.why in SKIPPED else "other"
        return f"{head} {say(f'coordinate.skipped_{why}')}"
    if one.state == "planned":
        return f"{head} {say('coordinate.to_come')}"
    sums = dict.fromkeys(WENT, 0)
    for what, count in one.counts.items():
        sums[what if what in WENT else "other"] += count
    told_ = [say(f"coordinate.went_{what}", count=count) for what, count in sums.items() if count or what == "reached"]
    going = [say("coordinate.going")] if one.state == "telling" else []
    return f"{head}\n\n" + "\n".join(f"- {part}" for part in (*told_, *going))


def acts(desk: Desk, found: Sequence[Act]) -> str:
    """Return what was done in a town, the newest first."""
    zone = desk.town.hours.zone
    if not found:
        return desk.say("coordinate.no_acts")
    lines = []
    for act in found:
        moment = f"{desk.day(act.at.astimezone(zone).date())}, {act.at.astimezone(zone):%H:%M}"
        what = " · ".join(filter(None, (did(desk, act.act), escape(act.what), escape(act.reason))))
        lines.append(f"- {moment}, {desk.by(int(act.who or COMMAND_LINE))}: {what}")
    return "\n".join([desk.say("coordinate.acts"), "", *lines])


ACTS = (
    *("join", "leave", "skip", "pause", "resume", "stop", "move", "approve", "edit", "unedit"),
    *("hold", "release", "plan", "invite", "become", "go", "withdraw", "back"),
)


def did(desk: Desk, act: str) -> str:
    """Return what an act is called; one that is not known here as it was noted."""
    return desk.say(f"coordinate.act_{act}") if act in ACTS else act


# -------------------- how the town plans


def planning(desk: Desk) -> Reply:
    """Return how a town plans, with a way to change each thing."""
    say, town = desk.say, desk.town
    plan = town.planning
    lines = {
        "zone": town.zone,
        "quiet": plan.quiet.replace("-", "–"),
        "holidays": "; ".join(_span(desk, *days) for days in plan.free_days) or say("coordinate.none"),
        "languages": ", ".join(town.languages.values()),
        "two_approve": say("coordinate.yes" if plan.two_approve else "coordinate.no"),
        "any_language": say("coordinate.yes" if plan.any_language else "coordinate.no"),
        "join": ", ".join(desk.called(name) for name in plan.join if name in town.campaigns[desk.language])
        or say("coordinate.none"),
    }
    told_ = "\n".join(f"- {say(f'coordinate.plan_{name}')}: {escape(value)}" for name, value in lines.items())
    buttons = [Choice(say(f"coordinate.do_{name}"), f"/planning {name}") for name in TYPED]
    for word, name in FLAGS.items():
        turn = f"{word} off" if getattr(plan, name) else f"{word} on"
        buttons.append(Choice(say(f"coordinate.do_{turn.replace(' ', '_')}"), f"/planning {turn}"))
    buttons.append(Choice(say("coordinate.do_calendar"), "/campaigns"))
    return Reply(f"{say('coordinate.planning', city=escape(town.name))}\n\n{told_}", tuple(buttons))


def _span(desk: Desk, first: date, last: date) -> str:
    return desk.day(first) if first == last else f"{desk.day(first)} – {desk.day(last)}"


def flag(turn: str) -> str | None:
    """Return how a setting that is on or off is kept, None for any other word."""
    return {"on": ON, "off": OFF}.get(turn)


# -------------------- who prepares it


def roster(desk: Desk, me: Coordinator, found: Sequence[Coordinator]) -> Reply:
    """Return which numbers prepare a town's days."""
    say = desk.say
    numbers = ", ".join(str(one.number) for one in found)
    text = say("coordinate.roster", number=me.number, numbers=numbers, city=escape(desk.town.name))
    ways_on = (
        Choice(say("coordinate.do_calendar"), "/campaigns"),
        Choice(say("coordinate.do_invite"), "/invite"),
        Choice(say("coordinate.do_audit"), "/audit"),
        Choice(say("coordinate.do_go"), "/coordinator leave"),
    )
    return Reply(text, ways_on)
