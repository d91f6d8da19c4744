"""What each translation was made from: a generated file a language, so that nobody who translates has to keep a hash.

`translated/<language>.yaml` holds for each text two short digests, of the original and of the translation, as they
stood when they were last known to agree. Where the original is another since and the translation is not, it has
*changed*. Without the file, or a line of it, nothing is known to have changed and nothing breaks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2s
from pathlib import Path

from bot.library.pairs import Unit
from bot.library.problem import ContentError, Problem
from bot.library.rewrite import flow
from bot.library.source import read

FOLDER = "translated"
_HEAD = "# Written by `hearsay translate {language} --mark`: which original each translation was made from."


def digest(text: Iterable[str]) -> str:
    """Return a short digest of a text in all its forms."""
    return blake2s("\0".join(text).encode(), digest_size=4).hexdigest()


@dataclass
class Marks:
    """The digests of one language: original's file → address → `original.translation`."""

    path: Path
    language: str
    by_file: dict[str, dict[str, str]] = field(default_factory=dict)

    def knows(self, unit: Unit) -> bool:
        """Say whether anything was noted of a text."""
        return unit.address in self.by_file.get(unit.pair.name, {})

    def changed(self, unit: Unit) -> bool:
        """Say whether the original is another since it was noted, and the translation is not."""
        noted = self.by_file.get(unit.pair.name, {}).get(unit.address)
        if not noted or not unit.words or not unit.follows:
            return False
        original, _, words = noted.partition(".")
        return digest(unit.original) != original and digest(unit.words) == words

    def note(self, unit: Unit, words: tuple[str, ...], original: tuple[str, ...] | None = None) -> None:
        """Note that `words` say what the original says, or what it said as `original`."""
        noted = f"{digest(original or unit.original)}.{digest(words)}"
        self.by_file.setdefault(unit.pair.name, {})[unit.address] = noted

    def keep(self, units: Iterable[Unit]) -> None:
        """Forget whatever is not among `units`, which are all there are."""
        known = {(unit.pair.name, unit.address) for unit in units if unit.words}
        kept = {
            name: {at: noted for at, noted in noted_there.items() if (name, at) in known}
            for name, noted_there in self.by_file.items()
        }
        self.by_file = {name: there for name, there in kept.items() if there}

    @property
    def text(self) -> str:
        """The file: a line for each original, so that two people seldom change the same."""
        lines = [_HEAD.format(language=self.language)]
        lines += [f"{name}: {flow(there)}" for name, there in sorted(self.by_file.items())]
        return "\n".join(lines) + "\n"


def load(root: Path, language: str) -> Marks:
    """Return the marks of `language` in the pack at `root`, none where there is no file. Raises `ContentError`."""
    path = root / FOLDER / f"{language}.yaml"
    if not path.exists():
        return Marks(path, language)
    name = path.relative_to(root.parent).as_posix()
    found = read(path, name)
    if isinstance(found, Problem):
        fix = f"remove the file, then run: hearsay translate {language} --mark"
        raise ContentError([Problem(name, found.line, found.column, found.what, fix)])
    return Marks(path, language, _sound(found.tree))


def _sound(tree: object) -> dict[str, dict[str, str]]:
    files = tree.items() if isinstance(tree, Mapping) else ()
    return {
        name: {at: noted for at, noted in there.items() if isinstance(noted, str)}
        for name, there in files
        if isinstance(there, Mapping)
    }
