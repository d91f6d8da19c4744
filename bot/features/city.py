"""Which town a conversation belongs to: /city. An installation without cities has no such command."""

from collections.abc import Mapping
from dataclasses import replace

from bot.core.markup import escape
from bot.core.message import Choice
from bot.library.city import NO_CITY
from bot.storage import subscriptions
from bot.talk.feature import Answer, Command, Context, Feature, Outcome
from bot.talk.words import begins, folded


def feature(cities: Mapping[str, str]) -> Feature:
    """Return the feature; `cities` gives id → the town's name."""
    commands = (
        Command(
            "city",
            lambda argument: city(argument, cities),
            lambda typed, _: suggest(typed, cities),
            argument=True,
            admin=True,
            linkable=lambda argument: argument in ("", NO_CITY, *cities),
        ),
    )
    return Feature("city", commands if cities else ())


def city(argument: str, cities: Mapping[str, str]) -> Answer:
    """`/city granvilla`, by id or name: the town this conversation belongs to from now on; without one, ask."""
    wanted = folded(argument)
    chosen = next((name for name, called in cities.items() if wanted in (folded(name), folded(called))), None)

    def answer(context: Context) -> Outcome:
        say = context.say
        ways = (Choice(say("menu.help"), "/help"), Choice(say("menu.rumours"), "/rumours"))
        if chosen:
            text = say("city.chosen", city=escape(cities[chosen]))
            subscriptions.settle(context.tx, context.session.where, chosen)
            return context.show(text, *ways).then(replace(context.session, city=chosen))
        if wanted == NO_CITY:
            subscriptions.settle(context.tx, context.session.where, "")
            return context.show(say("city.none_chosen"), *ways).then(replace(context.session, city=NO_CITY))
        choices = [Choice(called, f"/city {name}") for name, called in cities.items()]
        text = say("city.unknown" if argument else "city.which")
        return context.show(text, *choices, Choice(say("city.none"), f"/city {NO_CITY}"))

    return answer


def suggest(typed: str, cities: Mapping[str, str]) -> list[Choice]:
    """Complete a town's name."""
    return [Choice(called, name) for name, called in cities.items() if begins(typed, name, called)]
