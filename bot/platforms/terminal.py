"""The terminal: rich text and Tab completion for people, plain lines for scripts."""

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import InMemoryHistory
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bot.core import markup
from bot.core.markup import Block
from bot.core.message import Address, Message, Reply
from bot.core.platform import Limits, Sending
from bot.delivery import Delivery
from bot.platforms import limits
from bot.talk.assistant import Assistant
from bot.talk.feature import Say
from bot.talk.transcript import bubbles, lines

NAME = "terminal"
WIDEST = 88  # longer lines are hard to read


First = Callable[[], str | None]


class Terminal:
    """One conversation on standard input and output, drawn with the limits of any platform."""

    name = NAME
    pulls = False

    def __init__(self, drawn_as: str = NAME, record: Path | None = None, out: TextIO | None = None) -> None:
        self.where = Address(NAME, "here")
        self._limits = limits.BY_NAME[drawn_as]
        self._console = Console(file=out or sys.stdout, highlight=False, soft_wrap=False)
        self._pretty = self._console.is_terminal
        self._record = record.open("w", encoding="utf-8") if record else None
        self._shown: list[list[str]] = []
        if self._record:
            self._record.write(f"on {drawn_as}\n")

    def limits(self, address: Address) -> Limits:  # noqa: ARG002  # one terminal is like another
        """Return the limits to draw with."""
        return self._limits

    def made(self, address: Address) -> None:
        """Never called: a terminal's bubbles are sent."""

    async def leave(self, address: Address) -> None:
        """Do nothing: nobody else is here."""

    async def send(self, address: Address, reply: Reply, sending: Sending) -> str | None:  # noqa: ARG002
        """Print `reply`; a line that was printed cannot be edited, so a newer card is printed anew."""
        self._shown.append(lines(reply))
        if self._pretty:
            self._console.print()
            for drawn in _rich(reply):
                self._console.print(drawn, width=min(self._console.width, WIDEST))
        else:
            self._console.file.write(_plain(reply) + "\n\n")
            self._console.file.flush()
        return None

    async def talk(
        self,
        assistant: Assistant,
        delivery: Delivery,
        language: str | None,
        first: First = lambda: None,
    ) -> None:
        """Talk until the input ends; what `first` returns is said before the next line that is typed."""
        say = assistant.repertoire.say_in(assistant.repertoire.spoken(language))
        if self._pretty:
            self._console.print(Text(say("terminal.welcome"), style="dim"))
        if self._record and language:
            self._record.write(f"in {language}\n")
        number = 0
        async for text in self._typed(assistant, language, say, first):
            for said in filter(None, (first(), text)):
                number += 1
                self._note(said)
                await assistant.handle(Message(self.where, said, f"line-{number}", language=language))
                await delivery.idle()
                self._note_answer()
            if self._pretty:
                self._console.print()
        if self._pretty:
            self._console.print(Text(say("terminal.bye"), style="dim"))
        if self._record:
            self._record.close()

    async def _typed(self, assistant: Assistant, language: str | None, say: Say, first: First) -> AsyncIterator[str]:
        if not (self._pretty and sys.stdin.isatty()):
            for line in sys.stdin:
                yield line.rstrip("\n")
            return
        yield first() or "/start"
        session: PromptSession[str] = PromptSession(
            history=InMemoryHistory(), completer=_Completions(assistant, language), complete_while_typing=True
        )
        while True:
            try:
                yield await session.prompt_async(say("terminal.prompt"))
            except (EOFError, KeyboardInterrupt):
                return

    def _note(self, text: str) -> None:
        if self._record:
            self._record.write(f"\n> {text}\n")

    def _note_answer(self) -> None:
        if self._record:
            self._record.write(bubbles(self._shown))
            self._record.flush()
        self._shown.clear()


class _Completions(Completer):
    """What Tab offers: commands and their arguments."""

    def __init__(self, assistant: Assistant, language: str | None) -> None:
        self._assistant = assistant
        self._language = language

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:  # noqa: ARG002
        typed = document.text_before_cursor
        repertoire = self._assistant.repertoire
        for found in repertoire.suggest(typed, repertoire.spoken(self._language)):
            yield Completion(found, start_position=-len(typed))


def _plain(reply: Reply) -> str:
    drawn = lines(reply)
    text = markup.plain(markup.parse(reply.text))
    rest = drawn[len(drawn) - len(reply.choices) - bool(reply.prompt) :]
    return "\n".join([text, *rest])


def _rich(reply: Reply) -> Iterable[Padding | Text]:
    last: Block | None = None
    for block in markup.parse(reply.text):
        if last and not (last.marker and block.marker):
            yield Text()
        yield Padding(_block(block), (0, 0, 0, 2 + 2 * block.depth + 2 * block.quoted))
        last = block
    if reply.choices:
        yield Text()
    for number, choice in enumerate(reply.choices, 1):
        yield Text.assemble(("  "), (f"[{number}]", "bold cyan"), f" {choice.label}")
    if reply.prompt:
        yield Text(f"  ✎ {reply.prompt}", style="italic cyan")


def _block(block: Block) -> Text:
    text = Text(f"{block.marker} " if block.marker else "", style="dim" if block.quoted else "")
    for span in block.spans:
        style = " ".join(name for name, wanted in (("bold", span.bold), ("italic", span.italic)) if wanted)
        command = span.link is not None and span.link.startswith("/")
        text.append(span.text, style=f"{style} underline".strip() if span.link else style)
        if span.link and command:
            text.append(f" ({span.link})", style="cyan")
        elif span.link:
            text.append(f" <{span.link}>", style="dim")
    return text
