"""What no single field shows: prose that breaks the rules, references and links that lead nowhere."""

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from bot.core import markup
from bot.library.problem import did_you_mean
from bot.library.shape import Leaf, Opens, Ref, Words
from bot.library.source import At

Found = tuple[At, str, str]
"""A problem before it has a place: address, what, fix."""

UNWRITTEN = "TODO"
_PLACE = re.compile(r"\{(\w+)\}")
_LINK_TARGET = re.compile(r"\]\([^)]*\)")


def prose_problems(leaf: Leaf) -> Iterator[Found]:
    """Yield what is wrong with a piece of prose: unwritten, digits, a figure it cannot take, too many words."""
    mark, text = leaf.mark, leaf.value
    if not isinstance(mark, Words):
        return
    if UNWRITTEN in text:
        yield leaf.at, "is not written yet", "write it, or remove the line"
    words = len(text.split())
    if mark.most and words > mark.most:
        yield leaf.at, f"is {words} words long", f"say it in at most {mark.most}"
    if mark.typed:
        return
    if any(map(str.isdigit, _LINK_TARGET.sub("]", _PLACE.sub("", text)))):
        yield leaf.at, "a number stands in the sentence", "put it under 'figures:' and take it by name: {share}"
    if not mark.figures and (taken := _PLACE.search(text)):
        yield leaf.at, f"no figure is called '{taken[1]}'", "only the 'say' of a fact takes figures"


@dataclass(frozen=True)
class Register:
    """What can be referred to: ids by the name of their kind, commands with the kind that their argument names."""

    ids: Mapping[str, Set[str]]
    commands: Mapping[str, str | None]

    def problems(self, leaf: Leaf) -> Iterator[Found]:
        """Yield references and links of one string that lead nowhere."""
        if isinstance(leaf.mark, Ref):
            yield from self._reference(leaf, leaf.mark)
        elif isinstance(leaf.mark, Opens):
            yield from self.link_problems(leaf.at, f"[ ]({leaf.value})")
        elif isinstance(leaf.mark, Words) and "](" in leaf.value:
            yield from self.link_problems(leaf.at, leaf.value)

    def _reference(self, leaf: Leaf, ref: Ref) -> Iterator[Found]:
        known = self.ids.get(ref.kind, set())
        # Nothing known means that the file they stand in is broken, which is said already.
        if known and leaf.value not in known:
            yield leaf.at, f"no {ref.label or ref.kind} is called '{leaf.value}'", did_you_mean(leaf.value, known)

    def link_problems(self, at: At, text: str) -> Iterator[Found]:
        """Yield links to commands that lead nowhere."""
        for target in markup.links(text):
            if not target.startswith("/"):
                continue
            command, _, argument = target[1:].partition(" ")
            if command not in self.commands:
                yield at, f"no command is called '/{command}'", did_you_mean(command, self.commands)
                continue
            kind = self.commands[command]
            if "{" in argument:
                continue  # a value, known only when the phrase is said
            if argument and kind and argument not in self.ids.get(kind, {argument}):
                yield at, f"no {kind} is called '{argument}'", did_you_mean(argument, self.ids[kind])


def named(tree: Any, field: str) -> set[str]:
    """Return the ids that the mapping `field` of a single file offers."""
    inner = tree.get(field) if isinstance(tree, dict) else None
    return set(inner) if isinstance(inner, dict) else set()
