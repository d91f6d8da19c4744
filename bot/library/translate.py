"""Lay a translation over its original: a file of the same shape that holds only words."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from bot.library.problem import Problem, did_you_mean, unknown
from bot.library.shape import Own, Words, chosen, field_type, has_words, leaves, unwrap
from bot.library.source import At, Source, Tree


def lay(original: Source, words: Source, kind: Any, problems: list[Problem]) -> Tree:
    """Return the original's tree with the words of the translation; what is not words is a problem."""
    return _Layer(original, words, problems).lay(original.tree, words.tree, kind, ())


def missing(original: Source, words: Source, kind: Any) -> Iterator[At]:
    """Yield where the original has words that the translation lacks, a list as a whole."""
    seen: set[At] = set()
    for leaf in leaves(kind, original.tree):
        at = _list_of(leaf.at)
        if isinstance(leaf.mark, Words) and at not in seen and not words.has(at):
            seen.add(at)
            yield at


def _list_of(at: At) -> At:
    first = next((position for position, part in enumerate(at) if isinstance(part, int)), len(at))
    return at[:first]


class _Layer:
    def __init__(self, original: Source, words: Source, problems: list[Problem]) -> None:
        self.original = original
        self.words = words
        self.problems = problems

    def lay(self, base: Tree | None, over: Tree, kind: Any, at: At) -> Tree:
        inner = chosen(unwrap(kind)[0], base)
        if isinstance(over, dict) and _is_model(inner):
            return self._lay_model(base, over, inner, at)
        if isinstance(over, dict) and get_origin(inner) is dict:
            return self._lay_mapping(base, over, get_args(inner)[1], at)
        if not has_words(kind):
            self._complain(at, "only words are translated", "remove it: the original's holds for every language")
            return base if base is not None else over
        return over

    def _lay_model(self, base: Tree | None, over: dict[str, Any], model: type[BaseModel], at: At) -> Tree:
        merged = (
            {name: part for name, part in base.items() if not _is_own(model, name)} if isinstance(base, dict) else {}
        )
        for name, value in over.items():
            here = (*at, name)
            kind = field_type(model, name)
            if _is_own(model, name):
                merged[name] = value
            elif kind is None:
                self._complain(here, *unknown(name, value, model.model_fields))
            elif name not in merged and get_origin(unwrap(kind)[0]) is not list:
                self._complain(here, f"the original has no '{name}'", "add it there first, or remove it here")
            else:
                merged[name] = self.lay(merged.get(name), value, kind, here)
        return merged

    def _lay_mapping(self, base: Tree | None, over: dict[str, Any], kind: Any, at: At) -> Tree:
        merged = dict(base) if isinstance(base, dict) else {}
        for name, value in over.items():
            if name not in merged:
                self._complain((*at, name), f"the original has no '{name}'", did_you_mean(name, merged))
                continue
            merged[name] = self.lay(merged[name], value, kind, (*at, name))
        return merged

    def _complain(self, at: At, what: str, fix: str) -> None:
        self.problems.append(self.words.problem(at, what, fix, key=True))


def _is_own(model: type[BaseModel], name: str) -> bool:
    kind = field_type(model, name)
    return kind is not None and isinstance(unwrap(kind)[1], Own)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
