"""YAML as a tree of strings that knows where each was written.

YAML's own types are not used: they turn `no:` (Norwegian) into false and `18:30` into 1110. The schema gives types.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.library.problem import Problem

Tree = dict[str, Any] | list[Any] | str
At = tuple[str | int, ...]
"""An address in a tree: keys and list positions."""

LARGEST = 1 << 20
DEEPEST = 20
_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # five times as fast where libyaml is there


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its name for people, its tree, and the (line, column) of every key and value."""

    path: str
    tree: Tree
    values: dict[At, tuple[int, int]]
    keys: dict[At, tuple[int, int]]

    def problem(self, at: At, what: str, fix: str = "", *, key: bool = False) -> Problem:
        """Return a problem at `at`, or at the deepest part of it that stands in the file."""
        where = self.keys if key else self.values
        while at not in where and at:
            at = at[:-1]
        line, column = where.get(at, (1, 1))
        return Problem(self.path, line, column, what, fix)

    def has(self, at: At) -> bool:
        """Say whether something stands at `at`."""
        return at in self.values


class _RefusedError(Exception):
    def __init__(self, node: Any, what: str, fix: str) -> None:
        super().__init__(what)
        self.line, self.column = node.start_mark.line + 1, node.start_mark.column + 1
        self.what, self.fix = what, fix


def read(path: Path, name: str) -> Source | Problem:  # noqa: PLR0911  # one answer for each way a file can be broken
    """Read the file at `path`, called `name` in messages; return it, or the problem that stops it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return Problem(name, 1, 1, f"cannot be read: {error.strerror}", "check the file and its permissions")
    if len(data) > LARGEST:
        return Problem(name, 1, 1, f"is larger than {LARGEST} bytes", "split it into several files")
    try:
        return _compose(data.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        return Problem(name, line, column, "is not UTF-8 text", "save the file as UTF-8")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Problem(name, line, column, f"is not YAML: {error.problem}", _yaml_fix(str(error.problem)))
    except yaml.reader.ReaderError as error:
        return Problem(name, 1, 1, f"holds a character that YAML does not allow: {error.reason}", "remove it")
    except RecursionError:
        return Problem(name, 1, 1, f"is nested deeper than {DEEPEST} levels", "make it flatter")
    except _RefusedError as refused:
        return Problem(name, refused.line, refused.column, refused.what, refused.fix)


def _yaml_fix(problem: str) -> str:
    if "mapping values are not allowed" in problem:
        return 'put the text in double quotes: key: "text with: a colon"'
    if "found character" in problem or "expected <block end>" in problem:
        return "indent with spaces, and put text that begins with a special character in double quotes"
    return "compare it with a file of the same kind that is sound"


def _compose(text: str, name: str) -> Source:
    source = Source(name, {}, {(): (1, 1)}, {(): (1, 1)})
    node = yaml.compose(text, Loader=_Loader)
    if node is None:
        return source
    tree = _plain(node, (), source, set())
    return Source(name, tree, source.values, source.keys)


def _plain(node: Any, at: At, source: Source, met: set[int]) -> Tree:
    """Return `node` as plain data, noting where each part stands; refuse what a bomb is made of."""
    if id(node) in met:
        raise _RefusedError(node, "uses an anchor (&) and an alias (*)", "write the text out where it is needed")
    if len(at) > DEEPEST:
        raise _RefusedError(node, f"is nested deeper than {DEEPEST} levels", "make it flatter")
    met.add(id(node))
    source.values[at] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, at, source, met)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*at, number), source, met) for number, child in enumerate(node.value)]
    return str(node.value)


def _mapping(node: Any, at: At, source: Source, met: set[int]) -> Tree:
    tree: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _RefusedError(key, "a key should be a plain word", "write 'key: value'")
        name = str(key.value)
        if name in tree:
            raise _RefusedError(key, f"'{name}' stands here twice", "remove one of them")
        source.keys[(*at, name)] = (key.start_mark.line + 1, key.start_mark.column + 1)
        tree[name] = _plain(value, (*at, name), source, met)
    return tree
