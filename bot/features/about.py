"""What Hearsay is and who answers for it: /about. How anti-rumours work goes: /method."""

from collections.abc import Callable, Mapping

from bot.core import markup
from bot.core.message import Choice, Reply
from bot.library.load import Pack
from bot.talk.feature import Answer, Command, Context, Feature, Outcome, Say

PAGES: Mapping[str, Callable[[Say], tuple[str, str]]] = {  # what a choice for it is called, and what it says
    "steps": lambda say: (say("method.steps"), say("method.steps_text")),
    "roles": lambda say: (say("method.roles"), say("method.roles_text")),
    "agent": lambda say: (say("method.agent"), say("method.agent_text")),
    "youth": lambda say: (say("method.youth"), say("method.youth_text")),
    "facilitator": lambda say: (say("method.facilitator"), say("method.facilitator_text")),
    "coordinator": lambda say: (say("method.coordinator"), say("method.coordinator_text")),
    "evidence": lambda say: (say("method.evidence"), say("method.evidence_text")),
}
MAIN = ("steps", "roles", "evidence")
ROLES = ("agent", "youth", "facilitator", "coordinator")


def feature(pack: Pack) -> Feature:
    """Return the feature; `pack` says who answers for what is said."""
    commands = (
        Command("about", lambda _: lambda context: about(context, pack), linkable=lambda argument: argument == ""),
        Command("method", method, argument=True, linkable=lambda argument: argument in ("", *PAGES)),
    )
    return Feature("about", commands)


def about(context: Context, pack: Pack) -> Outcome:
    """Say what this is and is not, then who answers for it; what nobody has filled in is called missing."""
    say = context.say
    what = [say("about.what", name=markup.escape(pack.name)), say("about.endorsed"), say("about.figures")]
    ways = Choice(say("method.name"), "/method"), Choice(say("about.privacy"), "/privacy")
    return Outcome((Reply("\n\n".join(what)), Reply(behind(say, pack), ways)))


def behind(say: Say, pack: Pack) -> str:
    """Return who and what stands behind the pack, line by line, and where a mistake can be told."""
    told = {
        say("about.operator"): _escaped(pack.operator),
        say("about.contact"): _linked(say, pack.contact),
        say("about.funder"): _escaped(pack.funder),
        say("about.licence"): _escaped(pack.licence),
        say("about.accessibility"): _linked(say, pack.accessibility),
        say("about.source"): _linked(say, pack.source),
    }
    lines = [f"- **{label}:** {value}" for label, value in told.items() if value]
    lacking = " · ".join(label for label, value in told.items() if not value)
    missing = [say("about.missing", what=lacking)] if lacking else []
    return "\n\n".join([say("about.behind"), *(["\n".join(lines)] if lines else []), *missing, mistakes(say, pack)])


def mistakes(say: Say, pack: Pack) -> str:
    """Return where somebody who found a mistake can tell it."""
    if pack.contact:
        return say("about.mistake_contact")
    return say("about.mistake_source") if pack.source else say("about.mistake_nowhere")


def _escaped(text: str | None) -> str | None:
    return markup.escape(text) if text else None


def _linked(say: Say, address: str | None) -> str | None:
    """Return a web address behind words, for not every platform links a label that is an address itself."""
    if address and address.startswith("https://"):
        return f"[{say('about.open')}](<{address}>)"
    return _escaped(address)


def method(argument: str) -> Answer:
    """`/method`: what anti-rumours work is. `/method steps`, `/method agent`: one page of it."""

    def answer(context: Context) -> Outcome:
        say = context.say
        text = PAGES[argument](say)[1] if argument in PAGES else say("method.text")
        return context.show(text, *ways_on(say, argument))

    return answer


def ways_on(say: Say, page: str) -> list[Choice]:
    """Return the pages near `page`: roles beside roles, and the way back to the beginning."""
    near = ROLES if page in ("roles", *ROLES) else MAIN
    pages = [Choice(PAGES[name](say)[0], f"/method {name}") for name in near if name != page]
    if page in PAGES:
        return [*pages, Choice(say("method.back"), "/method")]
    return [*pages, Choice(say("about.name"), "/about")]
