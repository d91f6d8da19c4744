"""Change values in a YAML file's text, so that comments and order stay; write new files in the pack's own format."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import yaml

from bot.library.pairs import part
from bot.library.source import At, Tree, parsed

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_STEP = 2
_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def put(text: str, changes: Mapping[At, Tree], order: Tree) -> str:
    """Return the YAML `text` with `changes` in it; what is new stands where `order`, the original's tree, has it.

    Comments stay, save inside a value that is replaced; a file too odd to be changed in place is written anew below
    the comments at its top.
    """
    body = text.removeprefix("\ufeff").replace("\r\n", "\n")
    tree = parsed(body)
    wanted = _with(tree, changes, order)
    if tree == wanted:
        return text
    edited = _edited(body, changes, order)
    if _read(edited) != wanted:
        edited = _head(body) + written(wanted)
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    return bom + (edited.replace("\n", "\r\n") if "\r\n" in text else edited)


def written(tree: Tree, *, top: str = "") -> str:
    """Return a mapping as a whole file in the pack's format, below the line `top`."""
    return (f"{top}\n" if top else "") + "".join(f"{line}\n" for line in _block(tree, 0))


def _read(text: str) -> Tree | None:
    try:
        return parsed(text)
    except Exception:  # whatever it is, the file is then written anew
        return None


def _head(text: str) -> str:
    lines = text.split("\n")
    count = next((number for number, line in enumerate(lines) if not line.startswith("#")), 0)
    return "".join(f"{line}\n" for line in lines[:count])


def _with(tree: Tree, changes: Mapping[At, Tree], order: Tree) -> Tree:
    """Return `tree` with `changes` in it, new keys in their order."""
    root: Any = deepcopy(tree) if isinstance(tree, dict) else {}
    for at, value in changes.items():
        spot: Any = root
        for name in at[:-1]:
            if not isinstance(part(spot, (name,)), dict | list):
                spot[name] = {}
            spot = spot[name]
        spot[at[-1]] = deepcopy(value)
    arranged: Tree = _arranged(root, order)
    return arranged


def _arranged(tree: Any, order: Any) -> Any:
    """Return a mapping with its keys in the order of `order`, those that it does not have at the end."""
    if not isinstance(tree, dict):
        return tree
    inner = order if isinstance(order, dict) else {}
    names = [*(name for name in inner if name in tree), *(name for name in tree if name not in inner)]
    return {name: _arranged(tree[name], inner.get(name)) for name in names}


# -------------------- the text as nodes


@dataclass
class _Node:
    """A value: where it begins and ends in the text, whether it stands inside { } or [ ], and its keys by name."""

    start: int
    end: int
    inside: bool
    flow: bool = False
    is_mapping: bool = False
    colons: dict[str, int] = field(default_factory=dict)
    begins: dict[str, int] = field(default_factory=dict)
    parts: dict[str | int, "_Node"] = field(default_factory=dict)


class _Nodes:
    """Reads a text as nodes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0]
        for line in text.split("\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.events: Iterator[Any] = yaml.parse(text, Loader=_Loader)

    def root(self) -> _Node | None:
        next(self.events)
        if not isinstance(next(self.events), yaml.DocumentStartEvent):
            return None
        return self._node(next(self.events), inside=False)

    def _offset(self, mark: Any) -> int:
        offset: int = min(self.starts[mark.line] + mark.column, len(self.text))
        return offset

    def _node(self, event: Any, *, inside: bool) -> _Node:
        start, end = self._offset(event.start_mark), self._offset(event.end_mark)
        if isinstance(event, yaml.ScalarEvent):
            return _Node(start, start + len(self.text[start:end].rstrip()), inside)
        flow = bool(event.flow_style)
        node = _Node(start, start, inside, flow, isinstance(event, yaml.MappingStartEvent))
        (self._mapping if node.is_mapping else self._sequence)(node, inside=inside or flow)
        return node

    def _mapping(self, node: _Node, *, inside: bool) -> None:
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            name = str(event.value)
            node.begins[name] = self._offset(event.start_mark)
            node.colons[name] = self.text.index(":", self._offset(event.end_mark))
            node.parts[name] = self._node(next(self.events), inside=inside)
        self._close(node, event)

    def _sequence(self, node: _Node, *, inside: bool) -> None:
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            node.parts[len(node.parts)] = self._node(event, inside=inside)
        self._close(node, event)

    def _close(self, node: _Node, event: Any) -> None:
        last = next(reversed(node.parts.values()), None)
        node.end = self._offset(event.end_mark) if node.flow else last.end if last else node.end


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    text: str


def _edited(text: str, changes: Mapping[At, Tree], order: Tree) -> str:
    """Return `text` with every change made in its place, from the last to the first."""
    root = _Nodes(text).root()
    if root is None or not root.is_mapping or not root.parts or root.flow:
        return _head(text) + written(_with({}, changes, order))
    new: dict[At, dict[At, Tree]] = {}
    edits: list[_Edit] = []
    for at, value in changes.items():
        node, here = _deepest(root, at)
        if here != at and node.is_mapping and node.parts:
            new.setdefault(here, {})[at] = value
        elif part(parsed(text), here) != value:
            edits += _replaced(text, root, here, _with({}, {at[len(here) :]: value}, {}) if here != at else value)
    for here, added in new.items():
        edits += _inserted(text, _deepest(root, here)[0], here, _with({}, added, order), order)
    edits.sort(key=lambda edit: (edit.start, edit.end))
    for edit in edits[::-1]:  # of several at one spot the last first
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _deepest(root: _Node, at: At) -> tuple[_Node, At]:
    node = root
    for number, name in enumerate(at):
        if name not in node.parts:
            return node, at[:number]
        node = node.parts[name]
    return node, at


def _replaced(text: str, root: _Node, at: At, value: Tree) -> list[_Edit]:
    """Return what puts `value` in the place of the one that stands at `at`; items of a list of equal length singly."""
    holder, node = _deepest(root, at[:-1])[0], _deepest(root, at)[0]
    singly = isinstance(value, list) and len(value) == len(node.parts) and not node.is_mapping
    if singly and all(isinstance(item, str) for item in value) and not any(n.parts for n in node.parts.values()):
        inside = node.inside or node.flow
        pairs = zip(node.parts.values(), value, strict=True)
        return [
            _Edit(child.start, child.end, _scalar(item, inside=inside))
            for child, item in pairs
            if parsed(f"- {text[child.start : child.end]}") != [item]
        ]
    if isinstance(value, dict) and value.keys() == node.parts.keys():
        return [edit for name, inner in value.items() for edit in _replaced(text, root, (*at, name), inner)]
    colon = holder.colons[str(at[-1])]
    inside = holder.inside or holder.flow
    indent = _column(text, holder.begins[str(at[-1])])
    return [_Edit(colon + 1, max(node.end, colon + 1), _after_key(value, indent, inside=inside))]


def _inserted(text: str, node: _Node, at: At, tree: Tree, order: Tree) -> Iterator[_Edit]:
    """Yield what adds to the mapping `node`, which stands at `at`, the keys of `tree` there that it lacks."""
    added: Any = part(tree, at)
    names = list(part(order, at) or added)
    for name in sorted(added, key=lambda name: names.index(name) if name in names else len(names)):
        before = [other for other in names[: names.index(name)] if other in node.parts] if name in names else []
        yield _beside(text, node, before[-1] if before else None, f"{_scalar(name, inside=True)}:", added[name])


def _beside(text: str, node: _Node, before: str | None, key: str, value: Tree) -> _Edit:
    """Return what adds a key after the key `before`, or in front of all others."""
    first = next(iter(node.begins.values()))
    indent = _column(text, first)
    if node.flow or node.inside:
        whole = f"{key}{_after_key(value, indent, inside=True)}"
        spot = node.parts[before].end if before else first
        return _Edit(spot, spot, f", {whole}" if before else f"{whole}, ")
    whole = f"{key}{_after_key(value, indent, inside=False)}"
    if not before:
        return _Edit(first, first, f"{whole}\n{' ' * indent}")
    spot = text.find("\n", node.parts[before].end)
    spot = len(text.rstrip("\n")) if spot < 0 else spot
    return _Edit(spot, spot, f"\n{' ' * indent}{whole}")


def _column(text: str, offset: int) -> int:
    return offset - (text.rfind("\n", 0, offset) + 1)


# -------------------- values as YAML


def _after_key(value: Tree, indent: int, *, inside: bool) -> str:
    """Return what follows `key:`, whose key stands at the column `indent`."""
    if inside:
        return f" {flow(value)}"
    if isinstance(value, str):
        return f" {_text(value, indent)}"
    if not value or _is_small(value):
        return f" {flow(value)}"
    return "\n" + "\n".join(f"{' ' * (indent + _STEP)}{line}".rstrip() for line in _block(value, 0))


def _is_small(value: Tree) -> bool:
    """Say whether a value stands on one line by custom, as `{status: draft, drafted: people}` does."""
    return (
        isinstance(value, dict)
        and all(isinstance(part, str) and " " not in part for part in value.values())
        and (len(flow(value)) < 60)
    )


def _block(value: Tree, indent: int) -> Iterator[str]:
    """Yield the lines of a mapping or list."""
    parts: Sequence[tuple[str, Tree]] = (
        [(f"{_scalar(name, inside=True)}:", child) for name, child in value.items()]
        if isinstance(value, dict)
        else [("-", child) for child in value]
    )
    for mark, child in parts:
        if mark == "-" and isinstance(child, dict | list) and child:
            first, *others = _block(child, 0)
            yield from (f"{' ' * indent}- {first}", *(f"{' ' * (indent + _STEP)}{line}" for line in others))
            continue
        text = _after_key(child, 0, inside=False).split("\n")
        yield f"{' ' * indent}{mark}{text[0]}"
        yield from (f"{' ' * indent}{line}" if line else "" for line in text[1:])


def flow(value: Tree) -> str:
    """Return a value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(name, inside=True)}: {flow(child)}" for name, child in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return _scalar(value, inside=True)


def _text(value: str, indent: int) -> str:
    """Return a text after its key; several lines as they are, below `|-`."""
    lines = value.split("\n")
    sound = len(lines) > 1 and value == value.strip() and not any(line != line.strip() for line in lines)
    if not sound or "\r" in value or _is_odd(value):
        return _scalar(value, inside=False)
    return "|-\n" + "\n".join(f"{' ' * (indent + _STEP)}{line}" if line else "" for line in lines)


def _is_odd(value: str) -> bool:
    return bool(yaml.reader.Reader.NON_PRINTABLE.search(value)) or any(
        mark in value for mark in "\x85\u2028\u2029\ufeff"
    )


def _scalar(value: str, *, inside: bool) -> str:
    """Return a text on one line, in double quotes where it needs them."""
    frames = (("{a: ", "}"), ("[", "]")) if inside else (("a: ", ""), ("- ", ""))
    if all(_stays(value, *frame) for frame in frames):
        return value
    return '"' + "".join(_ESCAPED.get(sign) or (_hex(sign) if _is_odd(sign) else sign) for sign in value) + '"'


def _hex(sign: str) -> str:
    return f"\\U{ord(sign):08x}" if ord(sign) > 0xFFFF else f"\\u{ord(sign):04x}"


def _stays(value: str, before: str, after: str) -> bool:
    if not value or value != value.strip() or "\n" in value or _is_odd(value):
        return False
    try:
        return parsed(f"{before}{value}{after}") in ({"a": value}, [value])
    except Exception:  # whatever it is, quotes are needed
        return False
