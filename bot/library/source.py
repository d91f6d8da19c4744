"""YAML as a tree of strings, each of which can be found again where it was written.

YAML's own types are not used: they turn `no:` (Norwegian) into false and `18:30` into 1110. The schema gives types.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from bot.library.problem import Problem

Tree = dict[str, Any] | list[Any] | str
At = tuple[str | int, ...]
"""An address in a tree: keys and list positions."""

LARGEST = 1 << 20
DEEPEST = 20
_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # five times as fast where libyaml is there


class Marks(NamedTuple):
    """The (line, column) of every value and every key of one file."""

    values: dict[At, tuple[int, int]]
    keys: dict[At, tuple[int, int]]


@dataclass(frozen=True)
class Source:
    """One file: its name for people, its tree, and its bytes, in which a problem finds its place."""

    path: str
    tree: Tree
    data: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The file as it stands."""
        return self.data.decode("utf-8", "replace")

    @cached_property
    def marks(self) -> Marks:
        """Where everything stands; the bytes are read again for it, because nearly no file is ever asked."""
        start = (1, 1)
        marks = Marks({(): start}, {(): start})
        _plant(self.data.decode("utf-8-sig"), marks)
        return marks

    def problem(self, at: At, what: str, fix: str = "", *, key: bool = False) -> Problem:
        """Return a problem at `at`, or at the deepest part of it that stands in the file."""
        where = self.marks.keys if key else self.marks.values
        while at not in where and at:
            at = at[:-1]
        line, column = where.get(at, (1, 1))
        return Problem(self.path, line, column, what, fix)

    def has(self, at: At) -> bool:
        """Say whether something stands at `at`."""
        return self._part(at) is not None

    def has_parts(self, at: At) -> bool:
        """Say whether what stands at `at` has parts of its own, so that it is best pointed at by its name."""
        return isinstance(self._part(at), dict)

    def _part(self, at: At) -> Tree | None:
        part: Any = self.tree
        for name in at:
            known = range(len(part)) if isinstance(part, list) else part if isinstance(part, dict) else ()
            if name not in known:
                return None
            part = part[name]
        return part  # type: ignore[no-any-return]  # a tree of trees


class _RefusedError(Exception):
    def __init__(self, event: Any, what: str, fix: str) -> None:
        super().__init__(what)
        self.line, self.column = _spot(event)
        self.what, self.fix = what, fix


def read(path: Path, name: str) -> Source | Problem:  # one answer for each way a file can be broken
    """Read the file at `path`, called `name` in messages; return it, or the problem that stops it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return Problem(name, 1, 1, f"cannot be read: {error.strerror}", "check the file and its permissions")
    if len(data) > LARGEST:
        return Problem(name, 1, 1, f"is larger than {LARGEST} bytes", "split it into several files")
    try:
        return _compose(data, name)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8")  # without the mark, which the codec took away
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return Problem(name, line, column, "is not UTF-8 text", "save the file as UTF-8")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Problem(name, line, column, f"is not YAML: {error.problem}", _yaml_fix(str(error.problem)))
    except _RefusedError as refused:
        return Problem(name, refused.line, refused.column, refused.what, refused.fix)


def _yaml_fix(problem: str) -> str:
    if "mapping values are not allowed" in problem:
        return 'put the text in double quotes: key: "text with: a colon"'
    if "found character" in problem or "expected <block end>" in problem:
        return "indent with spaces, and put text that begins with a special character in double quotes"
    return "compare it with a file of the same kind that is sound"


def _compose(data: bytes, name: str) -> Source:
    text = data.decode("utf-8-sig")
    _check_characters(text)
    return Source(name, _plant(text), data)


def parsed(text: str) -> Tree:
    """Return the tree of `text`. Raises an exception of its own for what is no YAML, or no YAML of ours."""
    return _plant(text)


def _check_characters(text: str) -> None:
    if found := yaml.reader.Reader.NON_PRINTABLE.search(text):
        before = text[: found.start()]
        column = len(before) - before.rfind("\n") - 1
        mark = yaml.Mark("", found.start(), before.count("\n"), column, None, 0)
        raise _RefusedError(yaml.Event(mark), "holds a character that YAML does not allow", "remove it")


def _plant(text: str, marks: Marks | None = None) -> Tree:
    """Return the tree of `text`, noting in `marks` where each part stands.

    It grows from events: libyaml's composer recurses in C, and deep nesting would end the process.
    """
    events = yaml.parse(text, Loader=_Loader)
    next(events)  # the stream begins
    if not isinstance(next(events), yaml.DocumentStartEvent):
        return {}
    tree = _part(next(events), events, (), marks)
    next(events)  # the document ends
    if isinstance(more := next(events), yaml.DocumentStartEvent):
        raise _RefusedError(more, "holds a second document", "remove the line '---', or write two files")
    return tree


def _part(event: Any, events: Iterator[Any], at: At, marks: Marks | None) -> Tree:
    """Return what begins with `event` as plain data; refuse what a bomb is made of."""
    _check_anchor(event)
    if len(at) > DEEPEST:
        raise _RefusedError(event, f"is nested deeper than {DEEPEST} levels", "make it flatter")
    if marks:
        marks.values[at] = _spot(event)
    if isinstance(event, yaml.ScalarEvent):
        return str(event.value)
    if isinstance(event, yaml.MappingStartEvent):
        return _mapping(events, at, marks)
    return _sequence(events, at, marks)


def _sequence(events: Iterator[Any], at: At, marks: Marks | None) -> Tree:
    parts: list[Any] = []
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        parts.append(_part(event, events, (*at, len(parts)), marks))
    return parts


def _mapping(events: Iterator[Any], at: At, marks: Marks | None) -> Tree:
    tree: dict[str, Any] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        name = _key(event)
        if name in tree:
            raise _RefusedError(event, f"'{name}' stands here twice", "remove one of them")
        if marks:
            marks.keys[(*at, name)] = _spot(event)
        tree[name] = _part(next(events), events, (*at, name), marks)
    return tree


def _key(event: Any) -> str:
    _check_anchor(event)
    if not isinstance(event, yaml.ScalarEvent):
        raise _RefusedError(event, "a key should be a plain word", "write 'key: value'")
    return str(event.value)


def _check_anchor(event: Any) -> None:
    if event.anchor:
        fix = "write the text out; put it in double quotes if it begins with & or *"
        raise _RefusedError(event, "uses an anchor (&) or an alias (*)", fix)


def _spot(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1
