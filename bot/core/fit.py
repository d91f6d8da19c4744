"""`fit(reply, limits)`: what a poorer platform shows instead. Nothing is dropped."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from bot.core import markup
from bot.core.markup import Block, Blocks, Span
from bot.core.message import Choice, Reply
from bot.core.platform import Limits

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")


def fit(reply: Reply, limits: Limits) -> list[Reply]:
    """Return `reply` as one or more replies that all fit `limits`.

    Every `say` stays reachable: by a button, or by its number where everything is heard. Choices and prompt come last;
    image and slot stay with the first part.
    """
    return list(_fitted(reply, limits))


@lru_cache(maxsize=2048)  # the same cards are shown again and again
def _fitted(reply: Reply, limits: Limits) -> tuple[Reply, ...]:
    reply = replace(reply, choices=_merged(reply.choices))
    reply = _place_image(reply, limits)
    reply = _place_prompt(reply, limits)
    reply = _place_choices(reply, limits)
    parts = [part for whole in _separate_prompt(reply, limits) for part in _pages(whole, limits)]
    fitted = [piece for part in parts for piece in _split_text(part, limits)]
    return tuple(replace(part, slot=reply.slot if number == 0 else None) for number, part in enumerate(fitted))


def _merged(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    first: dict[str, Choice] = {}
    for choice in choices:
        first.setdefault(choice.say, choice)
    return tuple(first.values())


def _place_image(reply: Reply, limits: Limits) -> Reply:
    if reply.image is None or limits.images:
        return reply
    return replace(reply, image=None, text=f"*{markup.escape(reply.image.alt)}*\n\n{reply.text}")


def _place_prompt(reply: Reply, limits: Limits) -> Reply:
    if reply.prompt is None or limits.forms:
        return reply
    return replace(reply, prompt=None, text=f"{reply.text}\n\n*{markup.escape(reply.prompt)}*")


def _place_choices(reply: Reply, limits: Limits) -> Reply:
    """Write labels into the text where there are no buttons, or where one is too long for its button."""
    longest = max((limits.length(choice.label) for choice in reply.choices), default=0)
    if limits.choices and longest <= limits.label:
        return reply
    lines = "\n".join(f"{number}. {markup.escape(c.label)}" for number, c in enumerate(reply.choices, 1))
    numbers = tuple(Choice(str(number), choice.say) for number, choice in enumerate(reply.choices, 1))
    text = f"{reply.text}\n\n{lines}" if lines else reply.text
    return replace(reply, text=text, choices=numbers if limits.choices else ())


def _separate_prompt(reply: Reply, limits: Limits) -> list[Reply]:
    if limits.choices_with_prompt or not (reply.prompt and reply.choices):
        return [reply]
    return [replace(reply, prompt=None), Reply(markup.escape(reply.prompt), prompt=reply.prompt, aside=reply.aside)]


def _pages(reply: Reply, limits: Limits) -> Iterator[Reply]:
    """Spread more choices than one bubble holds over several."""
    size = limits.choices or 1
    yield replace(reply, choices=reply.choices[:size])
    for start in range(size, len(reply.choices), size):
        yield Reply("…", reply.choices[start : start + size], aside=reply.aside)


def _split_text(reply: Reply, limits: Limits) -> list[Reply]:
    """Cut at a paragraph, else a sentence, else a word; choices and prompt stay with the last part."""
    room = limits.caption if reply.image else limits.text
    blocks = markup.parse(reply.text)
    if limits.length(markup.plain(blocks)) <= room:
        return [reply]
    if reply.image:
        picture = Reply("", image=reply.image, aside=reply.aside)
        return [picture, *_split_text(replace(reply, image=None), limits)]
    texts = [markup.write(part) for part in _gather(blocks, limits)]
    first = [Reply(text, aside=reply.aside) for text in texts[:-1]]
    return [*first, replace(reply, text=texts[-1])]


def _gather(blocks: Blocks, limits: Limits) -> list[Blocks]:
    parts: list[Blocks] = [()]
    for block in (piece for whole in blocks for piece in _cut(whole, limits)):
        if parts[-1] and limits.length(markup.plain((*parts[-1], block))) > limits.text:
            parts.append(())
        parts[-1] = (*parts[-1], block)
    return parts


def _cut(block: Block, limits: Limits) -> Iterator[Block]:
    """Yield `block` in pieces that fit alone; a list's marker stays with the first."""
    room = limits.text - limits.length(f"{'  ' * block.depth}{block.marker} ")
    rest = block.spans
    marker = block.marker
    while rest:
        head, rest = _take(rest, room, limits)
        yield replace(block, spans=head, marker=marker, depth=block.depth if marker else 0)
        marker = ""


def _take(spans: tuple[Span, ...], room: int, limits: Limits) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Return as many spans as have room, the last one cut where reading pauses, and the rest."""
    taken: list[Span] = []
    for number, span in enumerate(spans):
        left = room - sum(limits.length(done.text) for done in taken)
        if limits.length(span.text) > left:
            cut = _pause(span.text, left, limits)
            if cut == 0 and not taken:
                cut = _widest(span.text, left, limits)
            head = (*taken, replace(span, text=span.text[:cut])) if cut else tuple(taken)
            tail = replace(span, text=span.text[cut:])
            return head, (tail, *spans[number + 1 :])
        taken.append(span)
    return tuple(taken), ()


def _pause(text: str, room: int, limits: Limits) -> int:
    """Return the last sentence end within `room`, else the last space, else 0."""
    widest = _widest(text, room, limits)
    ends = [match.end() for match in _SENTENCE_END.finditer(text) if match.end() <= widest]
    return ends[-1] if ends else text.rfind(" ", 0, widest) + 1


def _widest(text: str, room: int, limits: Limits) -> int:
    """Return how many characters of `text` have room, at least one."""
    if not limits.utf16:
        return max(min(room, len(text)), 1)
    units = 0
    for number, character in enumerate(text):
        units += 2 if ord(character) > 0xFFFF else 1
        if units > room:
            return max(number, 1)
    return len(text)
