"""Texts that name values: Jinja2 in its sandbox, strict, without whatever could run long, grow large or reach out."""

from collections.abc import Mapping, Set
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.library.problem import did_you_mean

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
# What a phrase has no need of, and with which a template could run long, grow large or reach out.
_REFUSED = (
    *(nodes.For, nodes.Macro, nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.CallBlock),
    *(
        nodes.Add,
        nodes.Sub,
        nodes.Mul,
        nodes.Div,
        nodes.FloorDiv,
        nodes.Pow,
        nodes.Mod,
        nodes.Neg,
        nodes.Pos,
        nodes.Compare,
        nodes.Test,
        nodes.Concat,
        nodes.Call,
        nodes.Filter,
        nodes.FilterBlock,
        nodes.Getattr,
        nodes.Getitem,
        nodes.Assign,
    ),
)


def template_problem(text: str, known: Set[str] | None = None) -> tuple[str, str] | None:
    """Return what is wrong with a text and how to mend it; with `known`, only those values may be named."""
    try:
        parsed = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError as error:
        return f"is not a sound template: {error.message}", "compare it with the original's"
    if next(parsed.find_all(_REFUSED), None):
        return (
            "computes more than a phrase needs",
            "phrases only name values, {{ name }}, and ask for them, {% if name %}",
        )
    unknown = set() if known is None else find_undeclared_variables(parsed) - known
    if known is not None and unknown:
        name = min(unknown)
        return f"there is no value '{name}'", did_you_mean(name, known) or f"there are: {', '.join(sorted(known))}"
    return None


def values(text: str) -> set[str]:
    """Return the values that a sound text names."""
    return find_undeclared_variables(_ENVIRONMENT.parse(text))


def render(text: str, given: Mapping[str, Any]) -> str:
    """Return a sound text with its values."""
    return _template(text).render(given) if "{" in text else text


@lru_cache(maxsize=1024)
def _template(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)
