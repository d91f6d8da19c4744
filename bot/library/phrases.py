"""The assistant's own sentences: Jinja2 in its sandbox, strict, with each language's own plural forms."""

from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from babel import Locale
from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.library.problem import ContentError, Problem, did_you_mean
from bot.library.source import At, Source, Tree, read
from bot.talk.feature import Say

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
_REFUSED = (nodes.For, nodes.Mul, nodes.Pow, nodes.Call, nodes.Getattr, nodes.Getitem, nodes.Macro, nodes.Import)
_PLURALS = {"zero", "one", "two", "few", "many", "other"}

Forms = dict[str, str]
"""A phrase: its plural forms, or only `other`."""


class Phrases:
    """Every phrase of every language; what a language lacks is said in the original's."""

    def __init__(self, by_language: Mapping[str, Mapping[str, Forms]]) -> None:
        self._by_language = by_language
        self._original = next(iter(by_language.values()))

    @property
    def keys(self) -> set[str]:
        """The names of all phrases."""
        return set(self._original)

    def text(self, language: str, key: str, **values: Any) -> str:
        """Return phrase `key` in `language`; `count` chooses the plural form. Raises `KeyError` for an unknown key."""
        mine = self._by_language.get(language, {})
        spoken, forms = (language, mine[key]) if key in mine else (next(iter(self._by_language)), self._original[key])
        form = "other"
        if len(forms) > 1:
            form = _plural(spoken, values["count"])
        written = forms.get(form, forms["other"])
        return _template(written).render(values) if "{" in written else written

    def say_in(self, language: str) -> Say:
        """Return the function that words phrases in `language`."""
        return partial(self.text, language)


@lru_cache(maxsize=1024)
def _template(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)


def _plural(language: str, count: int) -> str:
    return str(Locale.parse(language).plural_form(count))


def load_phrases(root: Path, languages: list[str]) -> tuple[Phrases, list[tuple[str, str, At]]]:
    """Return the phrases of `root` and what translations lack. Raises `ContentError`."""
    problems: list[Problem] = []
    sources: dict[str, Source] = {}
    for language in languages:
        path = root / "phrases" / f"{language}.yaml"
        found = read(path, path.relative_to(root.parent).as_posix())
        if isinstance(found, Source):
            sources[language] = found
        elif path.exists() or language == languages[0]:
            problems.append(found)
    flat = {language: flatten(source, problems) for language, source in sources.items()}
    missing: list[tuple[str, str, At]] = []
    for language in languages[1:]:
        lacking = flat.get(languages[0], {}).keys() - flat.get(language, {}).keys()
        name = f"{root.name}/phrases/{language}.yaml"
        missing += [(language, name, tuple(key.split("."))) for key in lacking]
        if language in flat:
            _compare(flat[languages[0]], flat[language], language, sources[language], problems)
    if problems:
        raise ContentError(problems)
    return Phrases(flat), sorted(missing)


def flatten(source: Source, problems: list[Problem]) -> dict[str, Forms]:
    """Return `group.name` → forms for a file of phrases; check that each template is sound."""
    phrases: dict[str, Forms] = {}

    def walk(tree: Tree, at: At) -> None:
        if isinstance(tree, dict) and not (tree.keys() <= _PLURALS and "other" in tree):
            for name, child in tree.items():
                walk(child, (*at, name))
            return
        if isinstance(tree, list) or not at:
            problems.append(source.problem(at, "should be text", "write one sentence after the key"))
            return
        forms = {"other": tree} if isinstance(tree, str) else {name: str(form) for name, form in tree.items()}
        for name, form in forms.items():
            _check_template(source, (*at, name) if isinstance(tree, dict) else at, form, problems)
        phrases[".".join(map(str, at))] = forms

    walk(source.tree, ())
    return phrases


def _check_template(source: Source, at: At, text: str, problems: list[Problem]) -> None:
    try:
        parsed = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError as error:
        problems.append(
            source.problem(at, f"is not a sound template: {error.message}", "compare it with the original's")
        )
        return
    if next(parsed.find_all(_REFUSED), None):
        fix = "phrases only name values, {{ name }}, and ask for them, {% if name %}"
        problems.append(source.problem(at, "computes more than a phrase needs", fix))


def variables(forms: Forms) -> set[str]:
    """Return the values that a phrase names."""
    return {name for form in forms.values() for name in find_undeclared_variables(_ENVIRONMENT.parse(form))}


def _compare(
    original: Mapping[str, Forms], words: Mapping[str, Forms], language: str, source: Source, problems: list[Problem]
) -> None:
    needed = set(Locale.parse(language).plural_form.tags) | {"other"}
    for key, forms in words.items():
        at = tuple(key.split("."))
        if key not in original:
            problems.append(source.problem(at, f"the original has no '{key}'", did_you_mean(key, original), key=True))
            continue
        if len(forms) > 1 and (lacks := needed - forms.keys() - {"many"}):
            problems.append(
                source.problem(at, f"lacks the plural form '{min(lacks)}'", f"{language} needs {sorted(needed)}")
            )
        if any("{" in form for form in (*forms.values(), *original[key].values())):
            _compare_values(variables(original[key]), variables(forms), at, source, problems)


def _compare_values(known: set[str], used: set[str], at: At, source: Source, problems: list[Problem]) -> None:
    problems += [
        source.problem(at, f"the original has no value '{name}'", did_you_mean(name, known))
        for name in sorted(used - known)
    ]
    problems += [
        source.problem(at, f"does not name '{name}'", f"write {{{{ {name} }}}} where it belongs")
        for name in sorted(known - used - {"count"})
    ]
