"""The rumour card and what lies behind each of its choices.

The rumour itself is never shown. Whatever admits a kernel or a caution also carries the true sentence, so that no
cropped screenshot says the opposite.
"""

from collections.abc import Iterator

from bot.core.markup import escape
from bot.core.message import Choice, Reply
from bot.features.rumours.entry import Rumour
from bot.library.common import Citation, Fact, provenance_line
from bot.library.figures import draw_day, draw_year, fill
from bot.library.load import Pack
from bot.library.support import Routes
from bot.talk.feature import Context

SECTIONS = ("facts", "feeling", "talk", "caution", "sources", "town", "support")
Sources = dict[str, Citation]


def card(context: Context, name: str, rumour: Rumour, sources: Sources, pack: Pack) -> Reply:
    """Return the card for the middle of a conversation: the truth, words to say, a question, one checked fact.

    The town's own figure, where its pack has one, stands beside it.
    """
    say = context.say
    parts = [
        f"**{rumour.truth}**",
        say("rumours.say", sentence=rumour.say),
        say("rumours.ask", question=rumour.ask[0]),
        first_fact(context, rumour, sources),
        *town_fact(context, rumour, sources, pack),
        say("rumours.about", name=rumour.name),
    ]
    return Reply("\n\n".join(parts), tuple(card_choices(context, name, rumour)), link=f"/rumour {name}")


def card_choices(context: Context, name: str, rumour: Rumour) -> Iterator[Choice]:
    """Yield what lies behind the card; where dignity is attacked there is support instead of debate."""
    say = context.say
    if len(rumour.facts) > 1:
        yield Choice(say("rumours.more_facts"), f"/rumour {name} facts")
    yield Choice(say("rumours.the_feeling"), f"/rumour {name} feeling")
    if rumour.sensitivity == "high":
        yield Choice(say("rumours.get_support"), f"/rumour {name} support")
        yield Choice(say("rumours.stay_safe"), f"/rumour {name} talk")
    else:
        yield Choice(say("rumours.how_to_talk"), f"/rumour {name} talk")
    yield Choice(say("rumours.honest_caution"), f"/rumour {name} caution")
    yield Choice(say("rumours.the_sources"), f"/rumour {name} sources")
    yield Choice(say("rumours.our_town"), f"/rumour {name} town")
    yield Choice(say("useful.ask"), f"/useful rumour {name}")
    yield Choice(say("rumours.not_it"), f"/not {name}")


def first_fact(context: Context, rumour: Rumour, sources: Sources) -> str:
    """Return the card's fact, or the plain word that there is none; a contested one says so."""
    if not rumour.facts:
        return context.say("rumours.no_figure", why=rumour.no_figure)
    line = fact_line(context, next(iter(rumour.facts.values())), sources)
    contested = " " + context.say("rumours.contested") if rumour.contested else ""
    return context.say("rumours.fact", fact=line) + contested


def fact_line(context: Context, fact: Fact, sources: Sources) -> str:
    """Return a fact with its place, year and source."""
    sentence = fill(fact.say, fact.figures, context.language)
    source = sources[fact.source]
    year = draw_year(fact.year, context.language)
    return context.say(
        "rumours.fact_line", fact=sentence, place=fact.where, year=year, source=source.by or source.title
    )


def facts(context: Context, rumour: Rumour, sources: Sources) -> str:
    """Return every fact, the true sentence first."""
    lines = [f"- {fact_line(context, fact, sources)}" for fact in rumour.facts.values()]
    contested = [context.say("rumours.contested")] if rumour.contested else []
    return "\n\n".join([f"**{rumour.truth}**", "\n".join(lines), *contested])


def feeling(context: Context, rumour: Rumour) -> str:
    """Return the feeling behind it and the other questions to ask."""
    questions = "\n".join(f"- {question}" for question in rumour.ask)
    return "\n\n".join([rumour.feeling, context.say("rumours.questions"), questions])


def caution(context: Context, rumour: Rumour) -> str:
    """Return what is true in it and what not to claim, never without the true sentence."""
    say = context.say
    return "\n\n".join(
        [
            f"**{rumour.truth}**",
            say("rumours.kernel", kernel=rumour.kernel),
            say("rumours.caution", caution=rumour.caution),
        ]
    )


def town(context: Context, rumour: Rumour, sources: Sources, pack: Pack) -> str:
    """Return the town's own figure, the true sentence first, or what is missing and who has it."""
    if told := town_fact(context, rumour, sources, pack):
        return "\n\n".join([f"**{rumour.truth}**", *told])
    return context.say("rumours.town_missing", need=rumour.local.need, who=rumour.local.who)


def town_fact(context: Context, rumour: Rumour, sources: Sources, pack: Pack) -> list[str]:
    """Return the figure that the town's pack has, with whose it is; nothing where it has none."""
    if not rumour.local.fact:
        return []
    fact = fact_line(context, rumour.local.fact, sources)
    city = pack.city or pack.name
    return [context.say("rumours.town_fact", city=escape(city), fact=fact, who=escape(pack.operator or city))]


def source_lines(context: Context, rumour: Rumour, sources: Sources) -> str:
    """Return each source once: title, who, how it was read, when it was last opened; then how the card came about."""
    facts = [*rumour.facts.values(), *filter(None, [rumour.local.fact])]
    cited = dict.fromkeys(fact.source for fact in facts)
    lines = [f"- {source_line(context, sources[name])}" for name in cited]
    read = [context.say("rumours.sources_read"), "\n".join(lines)] if lines else [context.say("rumours.no_sources")]
    card = context.say("provenance.card")
    return "\n\n".join([*read, provenance_line(context.say, rumour.provenance, context.language, card)])


def source_line(context: Context, source: Citation) -> str:
    """Return one source as a line with its link."""
    title = f"[{source.title}]({source.url})"
    day = draw_day(source.checked, context.language)
    how = context.say(f"rumours.via_{source.via}", day=day)
    return ", ".join(filter(None, (title, source.by))) + f". {how}"


def support(context: Context, rumour: Rumour, routes: Routes) -> str:
    """Return where help may be found, honest about what the town has not filled in yet."""
    own = [rumour.support] if rumour.support else []
    return "\n\n".join([context.say("support.believe"), *own, routes.told(context.say, context.language)])
