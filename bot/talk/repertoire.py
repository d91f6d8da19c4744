"""All that Hearsay can do and say at one moment; a reload swaps the whole."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import fuzz, process

from bot.core.message import Choice
from bot.storage.withdrawn import Hidden
from bot.talk.feature import Command, Feature, Heard, Say
from bot.talk.words import folded

LINK = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what Telegram, the strictest, lets a link carry
NOTHING: Hidden = {}
NEAR = 60  # of 100: a command name this like one of ours is offered


@dataclass(frozen=True)
class Repertoire:
    """The features with their commands, the phrases of each language, the pack's languages, its own first, the city."""

    features: tuple[Feature, ...]
    say_in: Callable[[str], Say]
    languages: dict[str, str]
    city: str = ""

    @cached_property
    def commands(self) -> dict[str, Command]:
        """Every command by its name."""
        return {command.name: command for feature in self.features for command in feature.commands}

    def menu(self, *, shared: bool = False) -> list[Command]:
        """Return the commands that a menu shows, in a private or a shared chat."""
        return [command for command in self.commands.values() if not command.hidden and (shared or not command.shared)]

    @cached_property
    def _called(self) -> dict[str, Command]:
        """Every command by its names in every language."""
        theirs = {
            self.say_in(language)(f"name.{name}"): command
            for language in reversed(self.languages)
            for name, command in self.commands.items()
            if not command.hidden
        }
        return {**theirs, **self.commands}

    def command(self, name: str) -> Command | None:
        """Return the command that is called `name` in any language."""
        return self._called.get(folded(name))

    def is_private(self, say: str) -> bool:
        """Say whether a command as `Choice.say` holds it is answered to its asker alone."""
        command = self.command(say.removeprefix("/").partition(" ")[0])
        return command is not None and command.private

    def linked(self, payload: str) -> str | None:
        """Return the command that a link's `rumour_jobs` stands for, None where such a link leads nowhere."""
        name, _, argument = payload.partition("_")
        command, argument = self.command(name), argument.replace("_", " ")
        fits = command and command.linkable and command.linkable(argument)
        return f"/{command.name} {argument}".strip() if command and fits else None

    def payload(self, say: str) -> str | None:
        """Return the link's word for a command as `Choice.say` holds it, None where no link may say it."""
        payload = say.removeprefix("/").replace(" ", "_")
        return payload if LINK.fullmatch(payload) and self.linked(payload) else None

    @cached_property
    def by_name(self) -> dict[str, Feature]:
        """Every feature by its name."""
        return {feature.name: feature for feature in self.features}

    @property
    def language(self) -> str:
        """The pack's own language."""
        return next(iter(self.languages))

    def spoken(self, *wanted: str | None) -> str:
        """Return the first of `wanted` that the pack speaks (`es-MX` counts as `es`), else the pack's own language."""
        for code in wanted:
            short = (code or "").lower().partition("-")[0]
            if short in self.languages:
                return short
        return self.language

    def nearest_commands(self, name: str) -> list[str]:
        """Return up to three command names that `name` may have meant."""
        names = [command.name for command in self.commands.values() if not command.hidden]
        found = process.extract(name, names, scorer=fuzz.ratio, limit=3, score_cutoff=NEAR)
        return [match[0] for match in found]

    def heed(self, text: str) -> Heard | None:
        """Return what the surest feature heeds in anything that was typed."""
        return surest(feature.heed(text) for feature in self.features)

    def listen(self, text: str) -> Heard | None:
        """Return what the surest feature would answer to free text."""
        return surest(feature.listen(text) for feature in self.features)

    def offers(self, say: str, hidden: Hidden) -> bool:
        """Say whether a choice may say this: it opens nothing that is `hidden`."""
        name, _, argument = say.removeprefix("/").partition(" ")
        command = self.commands.get(name) if say.startswith("/") else None
        return command is None or command.shows(argument) not in hidden

    def complete(self, command: Command, typed: str, language: str, hidden: Hidden) -> list[Choice]:
        """Complete a command's half-typed argument with what is not `hidden`."""
        found = command.suggest(typed, language) if command.suggest else []
        return [choice for choice in found if command.shows(choice.say) not in hidden]

    def suggest(self, text: str, language: str, hidden: Hidden = NOTHING, most: int = 25) -> list[str]:
        """Complete what is being typed: command names, then a command's argument. Pure, in memory."""
        if not text.startswith("/"):
            return []
        name, space, argument = text[1:].partition(" ")
        if not space:
            begun = [command for command in self.menu() if command.name.startswith(folded(name))]
            return [f"/{command.name}{' ' if command.argument else ''}" for command in begun][:most]
        command = self.command(name)
        if command is None or command.suggest is None:
            return []
        return [f"/{name} {found.say}" for found in self.complete(command, argument, language, hidden)][:most]

    def search(self, text: str, language: str, most: int, hidden: Hidden = NOTHING) -> list[Choice]:
        """Return linkable commands that show what `text` may mean, names that begin with it first. Pure, in memory."""
        found = [
            Choice(choice.label, f"/{command.name} {choice.say}")
            for command in self.commands.values()
            if command.suggest and command.linkable
            for choice in self.complete(command, text, language, hidden)
        ]
        start = folded(text)
        return sorted(found, key=lambda choice: not folded(choice.label).startswith(start))[:most]


@dataclass(frozen=True)
class Repertoires:
    """What Hearsay can do in each city, and "" elsewhere; a conversation that names no city is in `default`."""

    by_city: Mapping[str, Repertoire]
    default: str = ""

    def of(self, city: str) -> Repertoire:
        """Return what is said in `city`; what is said everywhere, where it is not known or broken."""
        return self.by_city[self.city(city)]

    def city(self, chosen: str) -> str:
        """Return the id of the city whose pack answers a conversation that chose `chosen`, "" for the shared one."""
        found = chosen or self.default
        return found if found in self.by_city else ""

    @property
    def is_single(self) -> bool:
        """Say whether every conversation is answered alike."""
        return len(self.by_city) == 1


def surest(heard: Iterable[Heard | None]) -> Heard | None:
    """Return the one with the highest score, the first of equals, None where there is none."""
    return max(filter(None, heard), key=lambda found: found.score, default=None)
