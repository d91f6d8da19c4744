"""Where help is: who listens, and how they are reached. A city's pack fills in its own."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from bot.core.markup import escape
from bot.library.load import Kind, Link
from bot.library.shape import Entry, Text, Words
from bot.talk.feature import Say

_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{1,22}")


def _as_phone(text: str) -> str:
    if not _PHONE.fullmatch(text):
        raise ValueError(f"'{text}' is no telephone number; write digits and spaces, for example +34 900 000 000")
    return text


class Route(Entry):
    """One way to help: for whom, and how it is reached."""

    name: Annotated[str, Words(), StringConstraints(min_length=1, max_length=80)] = Field(
        description="Whom it is for, or who it is"
    )
    about: Text = Field(description="What they do, in one sentence")
    phone: Annotated[str, AfterValidator(_as_phone)] | None = Field(None, description="Telephone number")
    hours: Annotated[str, Words(), StringConstraints(min_length=1, max_length=80)] | None = Field(
        None, description="When somebody answers, in words"
    )
    link: Link | None = Field(None, description="https address")


class Support(Entry):
    """`support.yaml`: every way to help by its id, in the order in which they are told."""

    routes: dict[str, Route] = Field(min_length=1, description="Ways to help by id")


class Routes:
    """The ways to help, in each language; those that a city's own pack names stand together, under its name."""

    def __init__(self, support: Mapping[str, Support], shared: Mapping[str, Support], city: str | None) -> None:
        self._support = support
        self._shared = next(iter(shared.values())).routes
        self._city = city

    def told(self, say: Say, language: str) -> str:
        """Return where help may be found, honest about what the town has not filled in yet."""
        first, *others = self._support[language].routes.items()  # whoever is in danger now must not look for it
        own = [route for name, route in others if self._is_own(name, route)]
        rest = [route for name, route in others if not self._is_own(name, route)]
        if not own:
            return f"{_lines(say, [first[1], *rest])}\n\n{say('support.town_missing')}"
        town = f"{say('support.town', city=escape(self._city or ''))}\n{_lines(say, own)}"
        everywhere = f"{say('support.everywhere')}\n{_lines(say, rest)}"
        return "\n\n".join([_lines(say, [first[1]]), town, everywhere])

    def _is_own(self, name: str, route: Route) -> bool:
        shared = self._shared.get(name)
        known = shared is not None and (route.phone, route.link) == (shared.phone, shared.link)
        return self._city is not None and not known


def _lines(say: Say, routes: Sequence[Route]) -> str:
    words = ("name", "about", "phone", "hours", "link")
    return "\n".join(f"- {say('support.route', **{word: getattr(route, word) for word in words})}" for route in routes)


SUPPORT = Kind("support", "support.yaml", Support)
KINDS = (SUPPORT,)
