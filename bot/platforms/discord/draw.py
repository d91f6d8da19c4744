"""Bubbles as Discord shows them: its Markdown, buttons, a select. Nothing typed can become markup or ping anybody."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from urllib.parse import quote

import discord
from discord import ui

from bot.core import markup
from bot.core.fit import fit
from bot.core.markup import Block, Span
from bot.core.message import Choice, Image, Reply
from bot.platforms.limits import DISCORD

MOST = 2000  # characters of one message, markup included
BUTTONS = 10  # more choices than these are easier to find in a select
LABEL, TITLE, PLACEHOLDER, VALUE, ALT, URL = 80, 45, 150, 100, 1024, 512
SELECT = "choose"

Mention = Callable[[str], str]
"""How a command such as `/term prejudice` is written so that people can use it."""

_SPECIAL = re.compile(r"([\\*_~|`<>\[\]()#@])")
_LINE_START = re.compile(r"^(\s*\d*)([-+.])", re.MULTILINE)
_EVERYBODY = re.compile(r"@(?=everyone|here)", re.IGNORECASE)
_APART = "\u200b"  # a space without width: keeps styles, or letters, from meaning something together
_PRESSED = re.compile(r"(?P<turn>\d*)\|(?P<say>.+)", re.DOTALL)
_ASKED = re.compile(r"(?P<turn>\d*)\?")


def escape(text: str) -> str:
    """Return `text` such that Discord shows it as it is: no markup, no mention, no link."""
    plain = _SPECIAL.sub(r"\\\1", _EVERYBODY.sub("@" + _APART, text)).replace("://", "\\://")
    return _LINE_START.sub(r"\1\\\2", plain)


def code(command: str) -> str:
    """Return a command in code style, where nothing needs escaping but the mark itself."""
    return f"`{command.replace('`', chr(39)).replace('@', '@' + _APART)}`"


def pages(text: str, mention: Mention = code) -> list[str]:
    """Return `text`, our small Markdown, as contents of at most 2,000 characters each."""
    blocks = markup.parse(text)
    drawn = _blocks(blocks, mention)
    if len(drawn) <= MOST:
        return [drawn]
    room = len(markup.plain(blocks)) // 2
    parts = fit(Reply(text), replace(DISCORD, text=max(room, 1)))
    if len(parts) < 2:
        return [drawn[:MOST]]
    return [page for part in parts for page in pages(part.text, mention)]


def _blocks(blocks: Sequence[Block], mention: Mention) -> str:
    parts: list[str] = []
    for number, block in enumerate(blocks):
        if number:
            parts.append("\n" if block.marker and blocks[number - 1].marker else "\n\n")
        parts.append(_block(block, mention))
    return "".join(parts)


def _block(block: Block, mention: Mention) -> str:
    depth = min(block.depth, 5)
    marker = {"": "", "•": "- "}.get(block.marker, f"{block.marker} ")
    lead = ("> " if block.quoted else "") + "  " * depth
    text = "".join(_spans(block.spans, mention))
    return lead + marker + text.replace("\n", "\n" + lead + " " * len(marker))


def _spans(spans: Sequence[Span], mention: Mention) -> Iterator[str]:
    """Draw spans; marks that would touch are kept apart."""
    marked = False
    for span in spans:
        marks = span.bold or span.italic
        yield (_APART if marked and marks else "") + _span(span, mention)
        marked = marks


def _span(span: Span, mention: Mention) -> str:
    text = "\n".join(_styled(line, span) for line in span.text.split("\n"))
    if span.link is None:
        return text
    if span.link.startswith("/"):
        return f"{text} ({mention(span.link)})"
    return _link(text, span.link)


def _styled(line: str, span: Span) -> str:
    """Style a line, without the spaces at its ends, where marks would not be marks."""
    mark, inner = "*" * (span.italic + 2 * span.bold), line.strip()
    if not (mark and inner):
        return escape(line)
    start = line.index(inner)
    return f"{line[:start]}{mark}{escape(inner)}{mark}{line[start + len(inner) :]}"


def _link(text: str, url: str) -> str:
    """Return a link without a preview; what is no web address, or too long for one, stays words."""
    safe = quote(url, safe="%/:?#[]!$&'()*+,;=~-._")
    if not url.startswith(("https://", "http://")) or len(safe) > URL or not text.strip():
        return text
    return f"[{text.replace(chr(10), ' ')}](<{safe}>)"


def view(reply: Reply, turn: int | None, placeholder: str) -> ui.View | None:
    """Return the buttons, or the select, and the way to answer in one's own words; None where there are none."""
    items = list(_items(reply, turn, placeholder))
    if not items:
        return None
    shown = ui.View(timeout=None)
    for item in items:
        shown.add_item(item)
    shown.stop()  # who presses is heard without it, after a restart as well; so nothing needs to remember it
    return shown


def _items(reply: Reply, turn: int | None, placeholder: str) -> Iterator[ui.Item[ui.View]]:
    if len(reply.choices) > BUTTONS:
        yield _select(reply.choices, turn, placeholder)
    else:
        yield from (_button(choice, turn) for choice in reply.choices)
    if reply.prompt is not None:
        yield ui.Button(label=cut(reply.prompt, LABEL), custom_id=asked(turn), style=discord.ButtonStyle.primary)


def _button(choice: Choice, turn: int | None) -> ui.Button[ui.View]:
    return ui.Button(label=cut(choice.label, LABEL), custom_id=pressed(choice, turn))


def _select(choices: Iterable[Choice], turn: int | None, placeholder: str) -> ui.Select[ui.View]:
    options = [discord.SelectOption(label=cut(c.label, VALUE), value=pressed(c, turn)) for c in choices]
    return ui.Select(custom_id=SELECT, placeholder=cut(placeholder, PLACEHOLDER), options=options)


def form(title: str, label: str, custom_id: str) -> ui.Modal:
    """Return the form in which an answer is written; `custom_id` is that of the button that opens it."""
    field = ui.TextInput[ui.Modal](custom_id="answer", style=discord.TextStyle.paragraph, max_length=4000)
    shown = ui.Modal(title=cut(title, TITLE), timeout=None, custom_id=custom_id)
    shown.add_item(ui.Label(text=cut(label, TITLE), component=field))
    shown.stop()
    return shown


def picture(image: Image) -> discord.File:
    """Return an image with its description."""
    source = image.path or image.data
    if source is None:
        raise ValueError("an image without a picture")
    if isinstance(source, bytes):
        return discord.File(BytesIO(source), "picture.png", description=cut(image.alt, ALT))
    return discord.File(source, description=cut(image.alt, ALT))


def pressed(choice: Choice, turn: int | None) -> str:
    """Return what a button carries: the turn of the question it answers, and what pressing it says."""
    carried = f"{'' if turn is None or choice.is_command else turn}|{choice.say}"
    if len(carried) > VALUE:
        raise ValueError("a choice says more than a button can carry")
    return carried


def asked(turn: int | None) -> str:
    """Return what the button carries that opens a form."""
    return f"{'' if turn is None else turn}?"


def read_press(carried: str) -> tuple[str, int | None] | None:
    """Return what `pressed` wrote."""
    found = _PRESSED.fullmatch(carried)
    return (found["say"], _turn(found)) if found else None


def read_asked(carried: str) -> tuple[int | None] | None:
    """Return what `asked` wrote."""
    found = _ASKED.fullmatch(carried)
    return (_turn(found),) if found else None


def _turn(found: re.Match[str]) -> int | None:
    return int(found["turn"]) if found["turn"] else None


def cut(text: str, most: int) -> str:
    """Return `text` in at most `most` characters, never empty."""
    text = text.strip() or "…"
    return text if len(text) <= most else text[: most - 1] + "…"
