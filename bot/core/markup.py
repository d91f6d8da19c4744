"""Our small Markdown: paragraphs, lists, quotes; bold, italic, links. Parsed once here, drawn by each platform."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARKDOWN = MarkdownIt("zero").enable(["emphasis", "link", "list", "blockquote", "newline", "escape", "backticks"])
_MARKDOWN.normalizeLink = lambda url: url  # type: ignore[method-assign]  # a command is no URL: keep it as written
_COMMAND_LINK = re.compile(r"(?<!\\)\]\((/[^)>]*)\)")
_ONLY_LINK = re.compile(r"^\[([^\]\n]+)\]\((/[^)\n]*)\)$\n*", re.MULTILINE)
_SPECIAL = re.compile(r"([\\`*_\[\]<>&])")
_LINE_START = re.compile(r"^(\s*\d*)([-+>#.)])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style; `link` is a URL or a command such as `/term prejudice`."""

    text: str
    bold: bool = False
    italic: bool = False
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or an item of a list, possibly inside a quote; `marker` is `•` or `2.` before an item."""

    spans: tuple[Span, ...]
    marker: str = ""
    depth: int = 0
    quoted: bool = False

    @property
    def plain(self) -> str:
        """The words alone."""
        return "".join(span.text for span in self.spans)


Blocks = tuple[Block, ...]


@lru_cache(maxsize=2048)
def parse(text: str) -> Blocks:
    """Return `text` as a flat run of blocks; anything that is not our Markdown stays as typed."""
    blocks: list[Block] = []
    lists: list[int | None] = []
    quotes = 0
    marker = ""
    for token in _MARKDOWN.parse(_COMMAND_LINK.sub(r"](<\1>)", text)):
        match token.type:
            case "bullet_list_open":
                lists.append(None)
            case "ordered_list_open":
                lists.append(int(token.attrGet("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
            case "list_item_open":
                marker, lists[-1] = _next_marker(lists[-1])
            case "blockquote_open":
                quotes += 1
            case "blockquote_close":
                quotes -= 1
            case "inline":
                spans = tuple(_join(_spans(token.children or [])))
                blocks.append(Block(spans, marker, max(len(lists) - 1, 0), quotes > 0))
                marker = ""
    return tuple(blocks)


def _next_marker(count: int | None) -> tuple[str, int | None]:
    return ("•", None) if count is None else (f"{count}.", count + 1)


def _spans(tokens: Iterable[Token]) -> Iterator[Span]:
    style = Span("")
    for token in tokens:
        match token.type:
            case "strong_open" | "strong_close":
                style = replace(style, bold=token.nesting == 1)
            case "em_open" | "em_close":
                style = replace(style, italic=token.nesting == 1)
            case "link_open":
                style = replace(style, link=str(token.attrGet("href")))
            case "link_close":
                style = replace(style, link=None)
            case "softbreak" | "hardbreak":
                yield replace(style, text="\n")
            case _:
                yield replace(style, text=token.content)


def _join(spans: Iterable[Span]) -> Iterator[Span]:
    """Merge neighbours of one style, so that drawing and splitting see whole runs."""
    last: Span | None = None
    for span in spans:
        if not span.text:
            continue
        if last and replace(last, text="") == replace(span, text=""):
            last = replace(last, text=last.text + span.text)
            continue
        if last:
            yield last
        last = span
    if last:
        yield last


def escape(text: str) -> str:
    """Return `text`, typed by somebody, such that parsing shows it as typed and never as markup."""
    return _LINE_START.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", text))


def plain(blocks: Sequence[Block]) -> str:
    """Return the words with list markers, blocks apart by an empty line, items by a line end."""
    parts: list[str] = []
    for number, block in enumerate(blocks):
        if number:
            parts.append("\n" if block.marker and blocks[number - 1].marker else "\n\n")
        parts.append(f"{'  ' * block.depth}{block.marker} {block.plain}" if block.marker else block.plain)
    return "".join(parts)


def write(blocks: Sequence[Block]) -> str:
    """Return Markdown that parses to `blocks` again."""
    return "\n\n".join(_write_block(block) for block in blocks)


def _write_block(block: Block) -> str:
    text = "".join(_write_span(span) for span in block.spans)
    marker = "- " if block.marker == "•" else f"{block.marker} " if block.marker else ""
    lead = ("> " if block.quoted else "") + "  " * block.depth
    return lead + marker + text.replace("\n", "\n" + lead + " " * len(marker))


def _write_span(span: Span) -> str:
    text = escape(span.text)
    mark = "*" * (span.italic + 2 * span.bold)
    inner = text.strip()
    if mark and inner:
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        text = f"{before}{mark}{inner}{mark}{after}"
    return f"[{text}](<{span.link}>)" if span.link else text


def lift(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return `text` without the lines that are only a link to a command, and these as label and command."""
    found = _ONLY_LINK.findall(text)
    return (_ONLY_LINK.sub("", text).rstrip() if found else text), found


def links(text: str) -> list[str]:
    """Return the targets of all links in `text`."""
    return [span.link for block in parse(text) for span in block.spans if span.link]
