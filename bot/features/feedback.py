"""Was this useful? One press under a card or a technique; counted for editors, without text and without address."""

from collections.abc import Collection, Mapping

from bot.core.message import Choice
from bot.storage import sessions
from bot.talk.feature import Answer, Command, Context, Count, Feature, Outcome

VERDICTS = ("yes", "no")
REASONS = {"old": "outdated", "tone": "wrong-tone", "town": "not-our-town"}


def feature(entries: Mapping[str, Collection[str]]) -> Feature:
    """Return the feature; `entries` gives kind (rumour, technique) → the ids that can be judged."""
    return Feature("feedback", (Command("useful", lambda argument: useful(argument, entries), hidden=True),))


def useful(argument: str, entries: Mapping[str, Collection[str]]) -> Answer:
    """`/useful rumour jobs`: ask; `/useful rumour jobs no`: ask why; `… old`: note that too. True for ever."""
    kind, name, said, *_ = (*argument.split(), "", "", "")
    judged = f"{kind} {name}"
    if name not in entries.get(kind, ()):
        return lambda context: context.show(context.say("useful.gone"), Choice(context.say("menu.help"), "/help"))

    def answer(context: Context) -> Outcome:
        say = context.say
        if said in REASONS:
            counts = (*_count(context, "not-useful", judged), *_count(context, REASONS[said], judged, part="why"))
            return context.show(say("useful.thanks"), aside=context.shared).counted(*counts)
        if said == "yes":
            return context.show(say("useful.thanks"), aside=context.shared).counted(*_count(context, "useful", judged))
        if said == "no":
            ways = [Choice(say(f"useful.{why}"), f"/useful {judged} {why}") for why in REASONS]
            return context.show(say("useful.why"), *ways).counted(*_count(context, "not-useful", judged))
        return context.show(
            say("useful.ask"),
            *(Choice(say(f"useful.{verdict}"), f"/useful {judged} {verdict}") for verdict in VERDICTS),
        )

    return answer


def _count(context: Context, what: str, judged: str, part: str = "verdict") -> tuple[Count, ...]:
    """Return the count, or none where this conversation was counted for the entry today.

    What knows that is a key in `seen`, beside those of updates: it says that a verdict was given, not which, is gone
    after two days, and with `/forget` at once.
    """
    key = f"useful/{context.now:%Y-%m-%d}/{judged}/{part}"
    return (Count(what, judged),) if sessions.first_time(context.tx, context.session.where, key, context.now) else ()
