"""The marks that models put on their fields, and the walk over a tree that finds them.

A model says of each string what it is: words (which a translation may replace), or a reference to another entry.
Translation, references, links and the rules of prose all follow from these marks.
"""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, StringConstraints

from bot.library.source import At, Tree


class Entry(BaseModel):
    """What every model of a content file is: frozen, and strict about unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Words:
    """Text in one language: at most `most` words; `figures` may be taken by name; `typed` by people, never shown."""

    most: int | None = None
    figures: bool = False
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Ref:
    """The id of an entry of another kind, called `label` in messages."""

    kind: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Own:
    """What each file says of itself: a translation never takes it from its original."""


@dataclass(frozen=True, slots=True)
class File:
    """A file beside the one that names it, such as `images/desk.png`."""


@dataclass(frozen=True, slots=True)
class Opens:
    """A command, such as `/rumour jobs`, that must lead somewhere."""


Mark = Words | Ref | Own | File | Opens

LONGEST_TITLE = 34
"""The narrowest button of all platforms: Discord's guideline for labels with an icon."""

Text = Annotated[str, Words(), StringConstraints(min_length=1, max_length=1000)]
Title = Annotated[str, Words(), StringConstraints(min_length=1, max_length=LONGEST_TITLE)]
Phrase = Annotated[str, Words(typed=True), StringConstraints(min_length=1, max_length=300)]
"""What people type, for matching; never shown."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A string in a tree, where it stands, and its mark."""

    at: At
    value: str
    mark: Mark | None


@cache
def unwrap(kind: Any) -> tuple[Any, Mark | None]:
    """Return a field's type without `Annotated` and `None`, and the mark it carries; a choice of models stays one."""
    mark = None
    while True:
        origin = get_origin(kind)
        if origin is Annotated:
            kind, *metadata = get_args(kind)
            mark = next((data for data in metadata if isinstance(data, Mark)), mark)
        elif origin in (Union, types.UnionType):
            parts = [part for part in get_args(kind) if part is not type(None)]
            if len(parts) > 1:
                return kind, mark
            kind = parts[0]
        else:
            return kind, mark


@cache
def members(kind: Any) -> dict[str, type[BaseModel]]:
    """Return the models that `kind` chooses from, by what each one's `kind:` says; none where it is no choice."""
    if get_origin(kind) not in (Union, types.UnionType):
        return {}
    models = [unwrap(part)[0] for part in get_args(kind)]
    return {get_args(model.model_fields["kind"].annotation)[0]: model for model in models}


def chosen(kind: Any, tree: Any) -> Any:
    """Return the model that `tree` is of where `kind` chooses from several, None where it says none; else `kind`."""
    choice = members(kind)
    return choice.get(str(tree.get("kind")) if isinstance(tree, dict) else "") if choice else kind


@cache
def field_type(model: type[BaseModel], name: str) -> Any:
    """Return the annotation of a field, marks included; None where the model has no such field."""
    field = model.model_fields.get(name)
    return Annotated[field.annotation, *field.metadata] if field and field.metadata else field and field.annotation


def leaves(kind: Any, tree: Tree, at: At = ()) -> Iterator[Leaf]:
    """Yield every string of `tree` with the mark that `kind` puts on it; what does not fit the kind is passed over."""
    kind, mark = unwrap(kind)
    kind = chosen(kind, tree)
    if isinstance(tree, str):
        yield Leaf(at, tree, mark)
    elif isinstance(tree, list):
        inner = (get_args(kind) or (str,))[0]
        for number, child in enumerate(tree):
            yield from leaves(inner, child, (*at, number))
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, child in tree.items():
            if (inner := field_type(kind, name)) is not None:
                yield from leaves(inner, child, (*at, name))
    elif get_origin(kind) is dict:
        for name, child in tree.items():
            yield from leaves(get_args(kind)[1], child, (*at, name))


@cache
def has_words(kind: Any) -> bool:
    """Say whether anything below `kind` is words."""
    kind, mark = unwrap(kind)
    if isinstance(mark, Words):
        return True
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return any(has_words(field_type(kind, name)) for name in kind.model_fields)
    return any(has_words(part) for part in get_args(kind))
