"""Conversations as text: what stands at the margin is said by people, what is indented by the assistant."""

from bot.core.message import Reply

INDENT = "    "


def lines(reply: Reply, *, edited: bool = False) -> list[str]:
    """Return `reply`, already fitted, as the lines of a transcript, without indent."""
    drawn: list[str] = []
    if edited:
        drawn.append(f"~ {reply.slot}")
    if reply.aside:
        drawn.append("(aside)")
    if reply.image:
        drawn.append(f"(image: {reply.image.alt})")
    drawn += reply.text.split("\n") if reply.text else []
    drawn += [f"[{number}] {choice.label}" for number, choice in enumerate(reply.choices, 1)]
    if reply.prompt:
        drawn.append(f"[____ {reply.prompt}]")
    return drawn


def bubbles(parts: list[list[str]]) -> str:
    """Return several drawn replies, indented, `--` between them."""
    whole = [line for number, part in enumerate(parts) for line in ([*(["--"] if number else []), *part])]
    return "".join(f"{INDENT}{line}".rstrip() + "\n" for line in whole)
