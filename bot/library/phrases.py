"""The assistant's own sentences: Jinja2 in its sandbox, strict, with each language's own plural forms."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from babel import Locale

from bot.library.check import Register
from bot.library.pairs import PHRASES, Pair
from bot.library.plurals import FORMS, excused
from bot.library.problem import Problem, did_you_mean
from bot.library.source import At, Source, Tree, read
from bot.library.template import render, template_problem, values
from bot.talk.feature import Say

_COMMAND_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")  # what Telegram, the strictest, allows

Forms = dict[str, str]
"""A phrase: its plural forms, or only `other`."""


class Phrases:
    """Every phrase of every language; what a language lacks is said in the original's."""

    def __init__(self, by_language: Mapping[str, Mapping[str, Forms]], *, keeps: bool = False) -> None:
        self._by_language = by_language
        self._keeps = keeps
        self._original = next(iter(by_language.values()))

    def over(self, own: Mapping[str, Mapping[str, Forms]], languages: Iterable[str]) -> "Phrases":
        """Return the phrases in `languages`, the first now the one fallen back to, with `own` in their place."""
        first, *others = languages
        whole = _joined(_joined(self._original, self.forms(first)), own.get(first, {}))
        rest = {code: _joined(self.forms(code), own.get(code, {})) for code in others}
        return Phrases({first: whole, **rest}, keeps=self._keeps)

    def candid(self, *, keeps: bool) -> "Phrases":
        """Return the phrases as they are said where words that nobody knows are kept, or are not."""
        return Phrases(self._by_language, keeps=keeps)

    def forms(self, language: str) -> Mapping[str, Forms]:
        """Return every phrase of `language` by its key."""
        return self._by_language.get(language, {})

    @property
    def keys(self) -> set[str]:
        """The names of all phrases."""
        return set(self._original)

    def text(self, language: str, key: str, **values: Any) -> str:
        """Return phrase `key` in `language`; `count` chooses the plural form. Raises `KeyError` for an unknown key.

        Every phrase may ask for `keeps`, lest one promise what is not so.
        """
        mine = self._by_language.get(language, {})
        spoken, forms = (language, mine[key]) if key in mine else (next(iter(self._by_language)), self._original[key])
        form = "other"
        if len(forms) > 1:
            form = _plural(spoken, values["count"])
        written = forms.get(form, forms["other"])
        return render(written, {"keeps": self._keeps, **values})

    def say_in(self, language: str) -> Say:
        """Return the function that words phrases in `language`."""
        return partial(self.text, language)


def _joined(base: Mapping[str, Forms], own: Mapping[str, Forms]) -> Mapping[str, Forms]:
    """Return `base` with `own` in its place; itself where nothing changes, for forty cities may share it."""
    return own if own.keys() == base.keys() else {**base, **own} if own else base


def _plural(language: str, count: int) -> str:
    return str(Locale.parse(language).plural_form(count))


@dataclass
class Written:
    """What the phrase files hold, and what is wrong with them or lacking."""

    phrases: Phrases
    files: int
    problems: list[Problem]
    missing: list[tuple[str, str, At]]
    sources: dict[str, Source]

    def check_links(self, register: Register) -> None:
        """Add links of phrases that lead nowhere to the problems."""
        for source in self.sources.values():
            for at, text in _strings(source.tree, ()):
                self.problems += [source.problem(*found) for found in register.link_problems(at, text)]

    def pair(self, root: Path, original: str, language: str) -> Pair:
        """Return the original's file with that of `language`, where the pack lies in `root`."""
        name, path = f"phrases/{original}.yaml", root / "phrases" / f"{language}.yaml"
        return Pair(name, PHRASES, PHRASES, language, None, self.sources[original], self.sources.get(language), path)

    @property
    def described(self) -> dict[str, str | None]:
        """The commands that menus describe, by name, whatever the language: those that a link may call."""
        groups = (source.tree.get("describe") for source in self.sources.values() if isinstance(source.tree, dict))
        return {name: None for group in groups if isinstance(group, dict) for name in group}


def load_phrases(root: Path, languages: list[str]) -> Written:
    """Return the phrases of `root`, which may be unsound: look at `problems`."""
    original, *others = languages
    problems: list[Problem] = []
    sources = _sources(root, languages, problems)
    flat = {language: flatten(sources[language], problems) for language in languages if language in sources}
    if flat.get(original) == {} and isinstance(sources[original].tree, dict):
        problems.append(Problem(sources[original].path, 1, 1, "holds no phrases", "write them; every pack needs them"))
    flat = {language: phrases for language, phrases in flat.items() if phrases}
    for language in others:
        if language in flat and original in flat:
            _compare(flat[original], flat[language], language, sources[language], problems)
    for language, phrases in flat.items():
        _check_names(phrases, flat.get(original, {}), sources[language], problems)
    missing = [
        (language, f"{root.name}/phrases/{language}.yaml", tuple(key.split(".")))
        for language in others
        for key in flat.get(original, {}).keys() - flat.get(language, {}).keys()
    ]
    return Written(Phrases({original: {}, **flat}), len(sources), problems, sorted(missing), sources)


def load_over(root: Path, languages: list[str], shared: Phrases) -> Written:
    """Return `shared` with what a city says otherwise; no phrase need be there, and none may be new."""
    problems: list[Problem] = []
    name = f"{root.parent.name}/{root.name}"
    sources = _sources(root, languages, problems, name=name, needed=False)
    own = {language: flatten(source, problems) for language, source in sources.items()}
    for language, phrases in own.items():
        _compare(shared.forms(language) or shared.forms(languages[0]), phrases, language, sources[language], problems)
        _check_names(phrases, shared.forms(language), sources[language], problems)
    sound = {language: {key: forms for key, forms in phrases.items() if forms} for language, phrases in own.items()}
    return Written(shared.over(sound, languages), len(sources), problems, [], sources)


def _sources(
    root: Path, languages: list[str], problems: list[Problem], *, name: str | None = None, needed: bool = True
) -> dict[str, Source]:
    """Return the files of phrases by language; what cannot be read, or is of no language of the pack, is a problem."""
    sources: dict[str, Source] = {}
    original = root / "phrases" / f"{languages[0]}.yaml"
    paths = sorted((root / "phrases").glob("*.yaml"))
    if needed and original not in paths:
        problems.append(Problem(_name(root, original), 1, 1, "is missing", "write it; every pack needs it"))
    for path in paths:
        found = read(path, f"{name or root.name}/phrases/{path.name}")
        if isinstance(found, Problem):
            problems.append(found)
        elif path.stem not in languages:
            fix = f"add '{path.stem}: …' under 'languages:' in pack.yaml, or rename the file"
            problems.append(Problem(found.path, 1, 1, f"'{path.stem}' is not a language of the pack", fix))
        else:
            sources[path.stem] = found
    return sources


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root.parent).as_posix()


def _strings(tree: Tree, at: At) -> Iterator[tuple[At, str]]:
    if isinstance(tree, str):
        yield at, tree
    elif isinstance(tree, dict):
        for name, child in tree.items():
            yield from _strings(child, (*at, name))


def flatten(source: Source, problems: list[Problem]) -> dict[str, Forms]:
    """Return `group.name` → forms for a file of phrases; what is unsound is a problem and has no forms."""
    phrases: dict[str, Forms] = {}

    def walk(tree: Tree, at: At) -> None:
        plural = isinstance(tree, dict) and bool(tree) and tree.keys() <= {*FORMS}
        if isinstance(tree, dict) and not plural:
            for name, child in tree.items():
                walk(child, (*at, name))
            return
        forms = _forms(source, at, tree, problems)
        sound = [_check_template(source, (*at, name) if plural else at, form, problems) for name, form in forms.items()]
        phrases[".".join(map(str, at))] = forms if all(sound) else {}

    walk(source.tree, ())
    phrases.pop("", None)  # a file that is no mapping
    return phrases


def _forms(source: Source, at: At, tree: Tree, problems: list[Problem]) -> Forms:
    forms = {(*at, name): form for name, form in tree.items()} if isinstance(tree, dict) else {at: tree}
    if not_text := [spot for spot, form in forms.items() if not isinstance(form, str) or not at]:
        fix = "write one sentence after the key"
        problems += [source.problem(spot, "should be text", fix) for spot in not_text]
        return {}
    if not isinstance(tree, dict):
        return {"other": str(tree)}
    if "other" not in tree:
        problems.append(source.problem(at, "lacks the plural form 'other'", "write 'other:', which every language has"))
    return tree


def _check_template(source: Source, at: At, text: str, problems: list[Problem]) -> bool:
    """Say whether a phrase is sound, and note what is wrong with it if not."""
    if not text.strip():
        what = f"'{'.'.join(map(str, at))}' is empty"
        problems.append(source.problem(at, what, "write it, or remove the line"))
        return False
    if found := template_problem(text):
        problems.append(source.problem(at, *found))
        return False
    return True


def variables(forms: Forms) -> set[str]:
    """Return the values that a phrase names."""
    return {name for form in forms.values() for name in values(form)}


def _compare(
    original: Mapping[str, Forms], words: Mapping[str, Forms], language: str, source: Source, problems: list[Problem]
) -> None:
    needed = set(Locale.parse(language).plural_form.tags) | {"other"}
    for key, forms in words.items():
        at = tuple(key.split("."))
        if key not in original:
            problems.append(source.problem(at, f"the original has no '{key}'", did_you_mean(key, original), key=True))
            continue
        if not forms or not original[key]:
            continue  # said already
        if len(forms) > 1 and (lacks := needed - forms.keys() - excused(needed)):
            problems.append(
                source.problem(at, f"lacks the plural form '{min(lacks)}'", f"{language} needs {sorted(needed)}")
            )
        if any("{" in form for form in (*forms.values(), *original[key].values())):
            _compare_values(variables(original[key]), variables(forms), at, source, problems)


def _check_names(
    phrases: Mapping[str, Forms], original: Mapping[str, Forms], source: Source, problems: list[Problem]
) -> None:
    """Names of commands are typed, and shown in the menus of every platform: small plain letters, no two alike."""
    taken = {name: key for key, name in _names(original)}
    for key, name in _names(phrases):
        at = tuple(key.split("."))
        if not _COMMAND_NAME.fullmatch(name):
            fix = "use up to 32 small letters from a to z, digits and _"
            problems.append(source.problem(at, f"'{name}' cannot be the name of a command", fix))
        elif taken.setdefault(name, key) != key:
            what = f"'{name}' is the name of another command, '{taken[name].removeprefix('name.')}'"
            problems.append(source.problem(at, what, "choose another word"))


def _names(phrases: Mapping[str, Forms]) -> list[tuple[str, str]]:
    return [(key, forms["other"]) for key, forms in phrases.items() if key.startswith("name.") and forms]


def _compare_values(known: set[str], used: set[str], at: At, source: Source, problems: list[Problem]) -> None:
    problems += [
        source.problem(at, f"the original has no value '{name}'", did_you_mean(name, known))
        for name in sorted(used - known)
    ]
    problems += [
        source.problem(at, f"does not name '{name}'", f"write {{{{ {name} }}}} where it belongs")
        for name in sorted(known - used - {"count"})
    ]
