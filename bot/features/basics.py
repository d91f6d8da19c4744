"""What works in the middle of anything: /start /help /language /privacy /export /forget /stop, hello and thanks."""

from collections.abc import Mapping
from dataclasses import replace

from bot.core import markup
from bot.core.message import Choice, Reply
from bot.matching.tongue import Tongue
from bot.storage import export as exporting
from bot.storage import reports, subscriptions
from bot.storage.retention import KEPT
from bot.talk.feature import Answer, Command, Context, Count, Feature, Heard, Outcome

ROLES = ("agent", "youth", "facilitator", "coordinator", "curious")
SURE = 0.99


def feature(languages: Mapping[str, str], tongues: Mapping[str, Tongue], *, keeps: bool = False) -> Feature:
    """Return the feature; `languages` gives code → the language's own name, `keeps` that unknown words are kept."""
    commands = (
        Command("start", start, linkable=lambda argument: argument in ("", *ROLES)),
        Command("help", lambda _: help_, linkable=_alone),
        Command("language", lambda argument: language(argument, languages), admin=True),
        Command("privacy", lambda _: lambda context: privacy(context, keeps=keeps), linkable=_alone),
        Command("export", lambda _: export, private=True),
        Command("forget", lambda _: forget, admin=True),
        Command("stop", lambda _: stop, ranked=True),
        Command("quiet", quiet, admin=True, shared=True),
        Command("bye", lambda _: bye, admin=True, shared=True),
        Command("joined", lambda _: joined, hidden=True),
        Command("channel", lambda _: channel, hidden=True),
    )
    return Feature("basics", commands, listen=lambda text: small_talk(text, tongues))


def _alone(argument: str) -> bool:
    return argument == ""


def start(argument: str) -> Answer:
    """`/start`: who are you? `/start youth`: where to begin. Says at once that this is an automated assistant."""

    def answer(context: Context) -> Outcome:
        say = context.say
        met = replace(context.session, met=True)
        if argument in ROLES:
            return context.show(say(f"start.{argument}_text"), *menu(context))
        roles = [Choice(say(f"start.{role}"), f"/start {role}") for role in ROLES]
        return context.show(f"{say('start.hello')}\n\n{say('start.who')}", *roles).then(met)

    return answer


def menu(context: Context) -> list[Choice]:
    """Return the ways on that always make sense."""
    return [Choice(context.say(f"menu.{name}"), f"/{name}") for name in ("rumours", "tip", "terms", "help")]


def help_(context: Context) -> Outcome:
    """List the commands."""
    return context.show(context.say("help.text"), *menu(context)[:3])


def language(argument: str, languages: Mapping[str, str]) -> Answer:
    """`/language es`, by code or by the language's own name; without one, ask."""
    wanted = argument.casefold()
    code = next((code for code, name in languages.items() if wanted in (code, name.casefold())), None)

    def answer(context: Context) -> Outcome:
        choices = [Choice(name, f"/language {other}") for other, name in languages.items()]
        if code is None:
            return context.show(context.say("language.unknown" if argument else "language.choose"), *choices)
        chosen = replace(context.session, language=code)
        subscriptions.speak(context.tx, context.session.where, code)
        return context.show(
            context.say_in(code)("language.chosen"), *menu(replace(context, say=context.say_in(code)))
        ).then(chosen)

    return answer


def privacy(context: Context, *, keeps: bool) -> Outcome:
    """Say what is kept and for how long."""
    unmatched = KEPT["unmatched"][2].days if keeps else 0
    hours = round(KEPT["bubbles"][2].total_seconds() / 3600)
    days = KEPT["sessions"][2].days
    months = KEPT["reports"][2].days // 30
    return context.show(
        context.say(
            "privacy.text",
            answers_hours=hours,
            session_days=days,
            report_months=months,
            unmatched_days=unmatched,
        )
    )


def export(context: Context) -> Outcome:
    """Show all that is stored of the conversation; in a shared chat, the way to ask for one's own."""
    say = context.say
    if context.shared:
        return context.show(say("talk.privately"), Choice(say("talk.open_private"), "/export"))
    kept = exporting.kept_of(context.tx, context.session.where, context.now)
    hours = round(KEPT["bubbles"][2].total_seconds() / 3600)
    text = say("export.text", answers_hours=hours, most=exporting.MOST)
    return Outcome((Reply(text), Reply(markup.escape(kept))))


def forget(context: Context) -> Outcome:
    """Delete everything of the conversation."""
    return replace(context.show(context.say("forget.done")), forget=True)


def quiet(argument: str) -> Answer:
    """`/quiet on`, `/quiet off`: whether a shared chat is answered only by command and button."""

    def answer(context: Context) -> Outcome:
        say, is_quiet = context.say, context.session.quiet
        if not context.shared:
            return context.show(say("quiet.private"))
        if argument in ("on", "off"):
            chosen = replace(context.session, quiet=argument == "on")
            return context.show(say(f"quiet.{argument}")).then(chosen)
        other = "off" if is_quiet else "on"
        text = say("quiet.on" if is_quiet else "quiet.off")
        return context.show(text, Choice(say(f"quiet.turn_{other}"), f"/quiet {other}"))

    return answer


def bye(context: Context) -> Outcome:
    """Leave a shared chat and forget it."""
    if not context.shared:
        return context.show(context.say("bye.private"), Choice(context.say("bye.forget"), "/forget"))
    return replace(context.show(context.say("bye.done")), forget=True, leave=True)


def joined(context: Context) -> Outcome:
    """Say, to a shared chat that somebody invited Hearsay into, what it does and when it is silent."""
    met = replace(context.session, met=True)
    ways = [Choice(context.say(f"menu.{name}"), f"/{name}") for name in ("rumours", "terms", "help")]
    return context.show(context.say("joined.text"), *ways).then(met)


def channel(context: Context) -> Outcome:
    """Tell whoever brought Hearsay into a channel what it can do there."""
    say, there = context.say, context.runs.chat.partition("/")[0] if context.runs else ""
    prompts = [Choice(say("joined.channel_prompts"), f"/subscribe {there}")] if there else []
    return context.show(say("joined.channel"), *prompts, Choice(say("menu.help"), "/help"))


def stop(context: Context) -> Outcome:
    """Leave every scene, what was about to be left for the city, and what was to be told of it later.

    Where nothing is open it ends the subscription, in a shared chat for those who run it; else it offers that.
    """
    say, session = context.say, context.session
    reports.hush(context.tx, session.where)
    left = replace(session, scenes=(), asked=None, listed=(), together=False)
    if subscriptions.of(context.tx, session.where) is None:
        return context.show(say("stop.done"), *menu(context)).then(left)
    if session.scenes or session.asked or (context.shared and not context.admin):
        end = Choice(say("stop.end"), "/unsubscribe")
        return context.show(say("stop.goes_on", shared=context.shared), end, *menu(context)).then(left)
    subscriptions.leave(context.tx, session.where, context.now)
    shown = context.show(say("stop.ended"), Choice(say("stop.again"), "/subscribe"), *menu(context))
    return shown.then(left).counted(Count("unsubscribed", "group" if context.shared else "person"))


def small_talk(text: str, tongues: Mapping[str, Tongue]) -> Heard | None:
    """Recognise a text that only greets, thanks or asks for help."""
    if any(tongue.is_help(text) for tongue in tongues.values()):
        return Heard(SURE, help_)
    if any(tongue.is_greeting(text) for tongue in tongues.values()):
        return Heard(SURE, lambda context: context.show(context.say("talk.hello"), *menu(context)))
    if any(tongue.is_thanks(text) for tongue in tongues.values()):
        return Heard(SURE, lambda context: context.show(context.say("talk.thanks")))
    return None
