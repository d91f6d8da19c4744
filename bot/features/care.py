"""Care: /safe for whoever is in danger, /support for whoever was hurt; attacks and insults are answered calmly."""

from dataclasses import replace
from datetime import timedelta

from bot.core.message import Choice
from bot.library.support import Routes
from bot.matching.care import Care, Sign
from bot.talk.feature import Answer, Command, Context, Feature, Heard, Outcome

STEPS = ("now", "online", "street", "told", "dark", "after")  # what it is about; a bubble for each

SURE = 1.0
PERHAPS = 0.98  # in free words above any card that is found; where an answer is awaited, it is that answer
INSULTED = 0.999999  # above whatever else is heard in free words, and no reason to leave what is open
ATTACKED = 0.97  # below a rumour found surely by dehumanising words, whose answer also offers its card
CALM = timedelta(minutes=10)


def feature(care: Care, routes: Routes) -> Feature:
    """Return the feature; `care` recognises who needs it, `routes` says where help is."""

    def heed(text: str) -> Heard | None:
        sign, is_clear = care.judge(text)
        if sign in ("danger", "hurt"):
            return Heard(SURE if is_clear else PERHAPS, lambda context: listen(context, sign))
        return {"attack": Heard(ATTACKED, stop, anywhere=True), "insult": Heard(INSULTED, calm)}.get(sign or "")

    def told(context: Context) -> Outcome:
        text = f"{context.say('support.believe')}\n\n{routes.told(context.say, context.language)}"
        return context.show(text, Choice(context.say("care.stay_safe"), "/safe"))

    commands = (
        Command("safe", safe, argument=True, private=True, linkable=lambda argument: argument in ("", *STEPS)),
        Command("support", lambda _: told, private=True, linkable=lambda argument: argument == ""),
    )
    return Feature("care", commands, heed=heed)


def listen(context: Context, sign: Sign) -> Outcome:
    """Answer somebody who is hurt or in danger: leave every scene, listen, show where help is, keep nothing.

    Where others look on, what they were in the middle of goes on.
    """
    say = context.say
    if context.shared or context.session.together:  # nothing of what was said, or of what it means, is shown to them
        return context.show(say("care.shared"), Choice(say("care.talk_privately"), "/safe"))
    left = replace(context.session, scenes=(), asked=None)
    if sign == "danger":
        return context.show(f"{say('care.danger')}\n\n{say('safe.first')}", *steps(context)).then(left)
    text = f"{say('care.hurt')}\n\n{say('care.rights')}\n\n{say('care.nothing_kept')}"
    ways = Choice(say("care.where_help_is"), "/support"), Choice(say("care.stay_safe"), "/safe")
    return context.show(text, *ways).then(left)


def safe(argument: str) -> Answer:
    """`/safe`: are you in danger now? `/safe online`: what helps there."""

    def answer(context: Context) -> Outcome:
        say = context.say
        if argument not in STEPS:
            return context.show(f"{say('safe.first')}\n\n{say('care.nothing_kept')}", *steps(context))
        ways = Choice(say("safe.back"), "/safe"), Choice(say("care.where_help_is"), "/support")
        return context.show(say(f"safe.{argument}_text"), *ways)

    return answer


def steps(context: Context) -> list[Choice]:
    """Return the ways on from "are you in danger now?"."""
    return [Choice(context.say(f"safe.{step}"), f"/safe {step}") for step in STEPS]


def stop(context: Context) -> Outcome:
    """Answer words that attack people's dignity: not repeated, not debated; support, a way to stop."""
    say = context.say
    ways = Choice(say("care.where_help_is"), "/support"), Choice(say("rumours.stay_safe"), "/technique stop-and-choose")
    return context.show(say("care.attack"), *ways)


def calm(context: Context) -> Outcome:
    """Answer an insult once; be silent towards further ones for a while."""
    now = round(context.now.timestamp())
    if now < context.session.calm_until:
        return Outcome()
    session = replace(context.session, calm_until=now + round(CALM.total_seconds()))
    return context.show(context.say("care.calm")).then(session)
