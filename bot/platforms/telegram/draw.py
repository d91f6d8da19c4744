"""Our small Markdown as text with entities, choices as keyboards: nothing that anybody typed can become markup."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from bot.core import markup
from bot.core.markup import Block, Span
from bot.core.message import Choice, Reply

Raw = dict[str, Any]
"""An object of the Bot API as it is sent; python-telegram-bot's own classes take four times as long (measured)."""

Door = Callable[[str], str | None]
"""Command → the link that opens it in the private chat, None where no link may say it."""

LONGEST_TEXT, LONGEST_CAPTION, LONGEST_PLACEHOLDER = 4096, 1024, 64  # UTF-16 units
LONGEST_DATA = 64  # bytes
_WIDTH = 34  # characters that one row of buttons shows on a narrow phone
_MOST_IN_A_ROW = 6


class Entity(NamedTuple):
    """A style, or a link, from `offset` on for `length` UTF-16 units."""

    type: str
    offset: int
    length: int
    url: str | None = None

    @property
    def raw(self) -> Raw:
        """Return it as it is sent."""
        bare = {"type": self.type, "offset": self.offset, "length": self.length}
        return {**bare, "url": self.url} if self.url else bare


def text(source: str, door: Door) -> tuple[str, list[Entity]]:
    """Return `source` as plain text and its entities, whose offsets count UTF-16 units.

    A link to a command opens it in the private chat; where no link may say it, the command stands beside the words,
    if there is room.
    """
    canvas, blocks = _Canvas(door), markup.parse(source)
    canvas.draw(blocks)
    if canvas.length > LONGEST_TEXT:
        canvas = _Canvas(door, spells=False)
        canvas.draw(blocks)
    return canvas.text, canvas.entities


class _Canvas:
    """Grows a text and notes what is where in it."""

    def __init__(self, door: Door, *, spells: bool = True) -> None:
        self._door = door
        self._spells = spells
        self._parts: list[str] = []
        self.length = 0
        self.entities: list[Entity] = []

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def draw(self, blocks: Sequence[Block]) -> None:
        quote: int | None = None
        for number, block in enumerate(blocks):
            if quote is not None and not block.quoted:
                self._note("blockquote", quote)
                quote = None
            if number:
                self._write("\n" if block.marker and blocks[number - 1].marker else "\n\n")
            if block.quoted and quote is None:
                quote = self.length
            self._block(block)
        if quote is not None:
            self._note("blockquote", quote)

    def _block(self, block: Block) -> None:
        if block.marker:
            self._write(f"{'  ' * block.depth}{block.marker} ")
        for span in block.spans:
            self._span(span)

    def _span(self, span: Span) -> None:
        start = self.length
        self._write(span.text)
        if span.bold:
            self._note("bold", start)
        if span.italic:
            self._note("italic", start)
        if span.link is None:
            return
        url = self._door(span.link) if span.link.startswith("/") else span.link
        if url:
            self._note("text_link", start, url)
        elif self._spells:
            self._write(f" ({span.link})")

    def _write(self, words: str) -> None:
        self._parts.append(words)
        self.length += units(words)

    def _note(self, sort: str, start: int, url: str | None = None) -> None:
        if self.length > start:
            self.entities.append(Entity(sort, start, self.length - start, url))


def units(words: str) -> int:
    """Return the length of `words` as Telegram counts it."""
    return len(words) if words.isascii() else len(words.encode("utf-16-le")) // 2


def keyboard(choices: Sequence[Choice], turn: int | None, opens: Door) -> Raw | None:
    """Return the buttons under a message; `opens` says which lead into the private chat instead of being pressed."""
    if not choices:
        return None
    return {"inline_keyboard": [[_button(choice, turn, opens) for choice in row] for row in _rows(choices)]}


def _button(choice: Choice, turn: int | None, opens: Door) -> Raw:
    if choice.is_command and (url := opens(choice.say)):
        return {"text": choice.label, "url": url}
    return {"text": choice.label, "callback_data": data(choice, turn)}


def data(choice: Choice, turn: int | None) -> str:
    """Return what a press on `choice` sends back: a command, or the number of its question and what it says."""
    return choice.say if choice.is_command else f"{turn or ''}|{choice.say}"


def pressed(sent: str) -> tuple[int | None, str]:
    """Return the turn and the words of what a press sent back, which anybody could have forged."""
    if sent.startswith("/"):
        return None, sent
    turn, _, say = sent.partition("|")
    return (int(turn) if turn.isdecimal() and len(turn) < 10 else 0), say


def _rows(choices: Sequence[Choice]) -> Iterator[list[Choice]]:
    """Yield as many buttons to a row, all of one width, as can be read on a narrow phone."""
    row: list[Choice] = []
    for choice in choices:
        longest = max(len(other.label) for other in (*row, choice))
        if row and (len(row) == _MOST_IN_A_ROW or (len(row) + 1) * (longest + 2) > _WIDTH):
            yield row
            row = []
        row.append(choice)
    yield row


def form(reply: Reply) -> Raw | None:
    """Return what opens the field to write in, shown in a group to whoever is answered."""
    if reply.prompt is None:
        return None
    placeholder = _cut(reply.prompt, LONGEST_PLACEHOLDER)
    return {"force_reply": True, "selective": True, "input_field_placeholder": placeholder}


@lru_cache(256)
def _cut(words: str, most: int) -> str:
    """Return at most `most` UTF-16 units of `words`."""
    return words.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore")


def caption(reply: Reply) -> str:
    """Return the text under a picture: what the picture shows comes first, for whoever cannot see it."""
    alt = _cut(" ".join(reply.image.alt.split()), LONGEST_CAPTION) if reply.image else ""
    return "\n\n".join(filter(None, (alt and f"*{markup.escape(alt)}*", reply.text)))


def toast(reply: Reply) -> str:
    """Return an aside as the one line that a press is answered with, at most 200 characters."""
    return _cut(markup.plain(markup.parse(reply.text)), 200)
