"""A booklet as one page to print: for the host's browser, or as a file that needs nothing else."""

from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from bot.core import markup
from bot.core.sheet import Booklet
from bot.platforms.web.draw import direction, html
from bot.talk.feature import Say

_HERE = Path(__file__).parent


def environment() -> Environment:
    """Return what draws the templates of all pages."""
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )


def on_paper(text: str) -> Markup:
    """Return `text` as HTML in which nothing can be pressed: a link to a command is only its words."""
    blocks = markup.parse(text)
    bare = [
        replace(block, spans=tuple(replace(span, link=None) if _pressed(span.link) else span for span in block.spans))
        for block in blocks
    ]
    return html(markup.write(bare), "") if bare != list(blocks) else html(text, "")


def self_contained(booklet: Booklet, say: Say) -> str:
    """Return `booklet` as one HTML file that loads nothing."""
    style = (_HERE / "static" / "paper.css").read_text("utf-8")
    template = environment().get_template("paper.html")
    return template.render(
        booklet=booklet,
        say=say,
        draw=on_paper,
        style=Markup(style),  # noqa: S704  # our own file
        language=booklet.language,
        direction=direction(booklet.language),
    )


def _pressed(link: str | None) -> bool:
    return bool(link and link.startswith("/"))
