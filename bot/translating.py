"""`hearsay translate`: what a translation lacks, and its way out to a PO file and back."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from babel import Locale, localedata

from bot.app import load_content, load_pairs
from bot.library import marks, po
from bot.library.common import PROVENANCE
from bot.library.pairs import PHRASES, Pair, Unit, part, units
from bot.library.problem import ContentError, Problem
from bot.library.rewrite import put
from bot.library.source import At, Source, Tree, parsed
from bot.settings import Settings, SettingsError
from bot.whole import write

_ROUNDS = 5
_READABLE = 0o644
_SCHEMA = "# yaml-language-server: $schema="


@dataclass(frozen=True)
class Work:
    """All that is to be translated into one language, and what its translations were made from."""

    settings: Settings
    language: str
    pack: str
    units: list[Unit]
    marks: marks.Marks

    def changed(self, unit: Unit) -> bool:
        """Say whether the original of a text is another since it was translated."""
        return self.marks.changed(unit)


def begin(settings: Settings, language: str) -> Work:
    """Return the work on `language`. Raises `SettingsError` where the pack does not have it, and `ContentError`."""
    content, pairs = load_pairs(settings.content, settings.roots)
    pack = content.library.pack
    if language not in list(pack.languages)[1:]:
        raise SettingsError(_how_to_add(language, list(pack.languages)))
    found = [unit for pair in pairs[language] for unit in units(pair)]
    return Work(settings, language, pack.name, found, marks.load(settings.content, language))


def _how_to_add(language: str, known: list[str]) -> str:
    if language == known[0]:
        return f"'{language}' is the original; it is translated into: {', '.join(known[1:]) or 'nothing yet'}."
    if not language.isalpha() or not localedata.exists(language):
        return f"No language is called '{language}'; use a code such as 'es'."
    name = (Locale.parse(language).display_name or language).capitalize()
    return (
        f"The pack does not have '{language}' yet. Add a line under 'languages:' in pack.yaml:\n"
        f"  {language}: {name}\n"
        f"Nothing breaks by it: whatever is not translated is said in '{known[0]}'. Then:\n"
        f"  hearsay translate {language} --export {language}.po   and, translated as far as you like,\n"
        f"  hearsay translate {language} --take {language}.po\n"
        f"How people type and who needs care are written in the language, not translated: see\n"
        f"matching/, care/ and naming/ in the content's README."
    )


# -------------------- what is missing


def listed(work: Work) -> Iterator[str]:
    """Yield, file by file, what is missing and what changed since its translation, and a line that counts."""
    missing = [unit for unit in work.units if not unit.words]
    changed = [unit for unit in work.units if work.changed(unit)]
    by_file: dict[str, list[tuple[str, Unit]]] = {}
    for what, found in (("missing", missing), ("changed", changed)):
        for unit in found:
            by_file.setdefault(unit.pair.words_name, []).append((what, unit))
    for name, there in sorted(by_file.items()):
        yield from _file_lines(name, there)
    done = len(work.units) - len(missing)
    yield f"{work.language}: {done} of {len(work.units)} texts are translated, {len(changed)} changed since."
    if unknown := sum(1 for unit in work.units if unit.words and not work.marks.knows(unit)):
        yield f"Of {unknown} nobody noted the original; do it now: hearsay translate {work.language} --mark"


def _file_lines(name: str, there: list[tuple[str, Unit]]) -> Iterator[str]:
    if there[0][1].pair.words is None:
        yield f"{name}: has no translation ({len(there)} texts)"
        return
    yield name
    yield from (f"  {what}  {unit.address}" for what, unit in there)


def mark(work: Work, names: Iterable[str]) -> str:
    """Note which original each translation was made from; return what was noted.

    That is: of texts nothing is known of, of translations that were changed since, and of all in the files `names`.
    """
    wanted = {_short(name, work) for name in names}
    if unknown := sorted(wanted - {unit.pair.name for unit in work.units}):
        raise SettingsError(f"--mark: no original is called {unknown[0]!r}; name it such as glossary/bias.yaml.")
    known, noted = {name: dict(there) for name, there in work.marks.by_file.items()}, 0
    for unit in work.units:
        if unit.words and (unit.pair.name in wanted or not work.changed(unit)):
            work.marks.note(unit, unit.words)
            noted += known.get(unit.pair.name, {}).get(unit.address) != work.marks.by_file[unit.pair.name][unit.address]
    work.marks.keep(work.units)
    _write(work.marks.path, work.marks.text)
    return f"{work.marks.path}: {noted} noted."


def _short(name: str, work: Work) -> str:
    """Return the original's name of a file that was named as it lies in the folder, or by its translation's."""
    names = {unit.pair.words_name: unit.pair.name for unit in work.units}
    names |= {unit.pair.original.path: unit.pair.name for unit in work.units}
    return names.get(name, name)


def export(work: Work, path: Path) -> None:
    """Write all texts to a PO file. Raises `SettingsError` where that cannot be."""
    _write(path, po.export(work.units, work.language, work.pack, work.changed))


def _write(path: Path, data: str | bytes) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
        mode = path.stat().st_mode if path.exists() else _READABLE
        write(path, data.encode() if isinstance(data, str) else data)
        path.chmod(mode)  # a draft is for its owner alone, a pack's file for whoever runs it
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from None


# -------------------- a PO file taken back


@dataclass(frozen=True)
class Outcome:
    """What came of taking a PO file: how many texts are new, in which files, and what is wrong with the others."""

    taken: int
    files: list[str]
    problems: list[Problem]


def take(work: Work, path: Path, drafted: str = "people") -> Outcome:
    """Put what a PO file says into the pack's own files; what is wrong with a text leaves that text as it was.

    What is empty or fuzzy stays as it is. A file that is new, or was read before, is a draft again, `drafted` by people
    or a machine.
    """
    found, problems = po.take(path, work.units, work.language)
    sound = {taken.unit.name: taken for taken in found if taken.is_new}
    for _ in range(_ROUNDS):
        files = _files(sound.values(), drafted)
        wrong = _wrong(work, files, sound, path) if files else []
        if not wrong:
            break
        problems += [problem for problem, _ in wrong]
        for _, names in wrong:
            for name in names:
                sound.pop(name, None)
    else:
        files, sound = {}, {}
    for target, (_, text) in files.items():
        _write(target, text)
    _note(work, [taken for taken in found if not taken.is_new or taken.unit.name in sound])
    return Outcome(len(sound), sorted(pair.words_name for pair, _ in files.values()), sorted(set(problems)))


def _note(work: Work, taken: list[po.Taken]) -> None:
    """Note what translations were made from: the new ones, and those that somebody said are right still."""
    confirmed = [one for one in taken if one.is_new or work.changed(one.unit)]
    for one in confirmed:
        work.marks.note(one.unit, one.words, one.original)
    if confirmed:
        _write(work.marks.path, work.marks.text)


def _files(taken: Iterable[po.Taken], drafted: str) -> dict[Path, tuple[Pair, str]]:
    """Return each file's new text by its path."""
    by_path: dict[Path, list[po.Taken]] = {}
    for one in taken:
        by_path.setdefault(one.unit.pair.path, []).append(one)
    return {path: (ones[0].unit.pair, _text(ones, drafted)) for path, ones in by_path.items()}


def _text(taken: list[po.Taken], drafted: str) -> str:
    pair = taken[0].unit.pair
    changes: dict[At, Tree] = {one.unit.at: one.value for one in taken}
    old: Tree = pair.words.tree if pair.words else {}
    if pair.kind != PHRASES and part(pair.original.tree, (PROVENANCE,)) is not None:
        changes |= _provenance(part(old, (PROVENANCE,)), drafted)
    return put(pair.words.text if pair.words else _top(pair), changes, pair.original.tree)


def _provenance(old: object, drafted: str) -> dict[At, Tree]:
    """Return what a file says of itself now: whoever changes a text that was read sets it back to draft."""
    if isinstance(old, dict) and old.get("status") == "draft":
        return {}
    by = old.get("drafted", drafted) if isinstance(old, dict) else drafted
    return {(PROVENANCE,): {"status": "draft", "drafted": str(by)}}


def _top(pair: Pair) -> str:
    """Return the first line of a new file: the editors' schema, where the original has one."""
    first = pair.original.text.partition("\n")[0].strip()
    if pair.kind == PHRASES or not first.startswith(_SCHEMA):
        return ""
    return first.removesuffix(".json") + ".words.json\n"


# -------------------- tried before it is written


def _wrong(
    work: Work, files: Mapping[Path, tuple[Pair, str]], taken: Mapping[str, po.Taken], path: Path
) -> list[tuple[Problem, list[str]]]:
    """Return what would be wrong with the content: each problem placed in the PO file, and the texts that it means."""
    with TemporaryDirectory(prefix="hearsay-") as folder:
        roots = {"": work.settings.content, **work.settings.roots}
        copies = {name: _copy(root, Path(folder) / (name or "content")) for name, root in roots.items()}
        for target, (_, text) in files.items():
            name = next(name for name, root in roots.items() if root in target.parents)
            (copies[name] / target.relative_to(roots[name])).write_bytes(text.encode())
        try:
            load_content(copies.pop(""), copies)
        except ContentError as error:
            found = error.problems
        else:
            return []
    texts = {pair.words_name: (pair, text) for pair, text in files.values()}
    return [_placed(problem, texts, taken, path) for problem in found]


def _copy(root: Path, folder: Path) -> Path:
    folder.mkdir()
    return Path(shutil.copytree(root, folder / root.name)) if root.is_dir() else folder / root.name


def _placed(
    problem: Problem, texts: Mapping[str, tuple[Pair, str]], taken: Mapping[str, po.Taken], path: Path
) -> tuple[Problem, list[str]]:
    pair, text = texts.get(problem.path, (None, ""))
    there = {name: one for name, one in taken.items() if one.unit.pair is pair}
    if not there:
        named = [name for name, one in taken.items() if f"'{one.unit.pair.entry}'" in problem.what]
        return problem, named or list(taken)  # else nothing says which text it comes from
    at = _address(Source(problem.path, parsed(text.removeprefix("\ufeff")), text.encode()), problem)
    meant = [name for name, one in there.items() if _overlap(one.unit.at, at)] or list(there)
    line = taken[meant[0]].line
    return Problem(str(path), line, 1, f"{meant[0]}: {problem.what}", problem.fix), meant


def _address(source: Source, problem: Problem) -> At:
    spot = (problem.line, problem.column)
    found = [at for at, where in (*source.marks.values.items(), *source.marks.keys.items()) if where == spot and at]
    return max(found, key=len, default=())


def _overlap(one: At, other: At) -> bool:
    shorter = min(len(one), len(other))
    return bool(shorter) and one[:shorter] == other[:shorter]
