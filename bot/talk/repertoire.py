"""All that Hearsay can do and say at one moment; a reload swaps the whole."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import fuzz, process

from bot.talk.feature import Command, Feature, Heard, Say
from bot.talk.words import folded

NEAR = 60  # of 100: a command name this like one of ours is offered


@dataclass(frozen=True)
class Repertoire:
    """The features with their commands, the phrases of each language, and the pack's languages, its own first."""

    features: tuple[Feature, ...]
    say_in: Callable[[str], Say]
    languages: dict[str, str]

    @cached_property
    def commands(self) -> dict[str, Command]:
        """Every command by its name."""
        return {command.name: command for feature in self.features for command in feature.commands}

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

    def listen(self, text: str) -> Heard | None:
        """Return what the surest feature would answer to free text."""
        heard = [found for feature in self.features if (found := feature.listen(text))]
        return max(heard, key=lambda found: found.score, default=None)

    def suggest(self, text: str, language: str, most: int = 25) -> list[str]:
        """Complete what is being typed: command names, then a command's argument. Pure, in memory."""
        if not text.startswith("/"):
            return []
        name, space, argument = text[1:].partition(" ")
        if not space:
            visible = (command for command in self.commands.values() if not command.hidden)
            return [f"/{c.name}{' ' if c.argument else ''}" for c in visible if c.name.startswith(folded(name))][:most]
        command = self.commands.get(name)
        if command is None or command.suggest is None:
            return []
        return [f"/{name} {found}" for found in command.suggest(argument, language)][:most]
