"""Our small Markdown as HTML. Every word goes through escaping; nothing typed can become markup."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

from babel import Locale
from markupsafe import Markup, escape

from bot.core import markup
from bot.core.markup import Block, Span


@lru_cache(maxsize=2048)
def html(text: str, form: str) -> Markup:
    """Return `text` as HTML; a link to a command is a button of the form with id `form`."""
    groups = groupby(markup.parse(text), key=lambda block: (block.quoted, _sort(block)))
    drawn = [_group(list(blocks), sort, form, quoted=quoted) for (quoted, sort), blocks in groups]
    return Markup("").join(drawn)


def _sort(block: Block) -> str:
    if not block.marker:
        return ""
    return "ul" if block.marker == "•" else "ol"


def _group(blocks: Sequence[Block], sort: str, form: str, *, quoted: bool) -> Markup:
    if not sort:
        inner = Markup("").join(Markup("<p>{}</p>").format(_spans(block, form)) for block in blocks)
    else:
        items = Markup("").join(Markup("<li>{}</li>").format(_spans(block, form)) for block in blocks)
        start = f' start="{int(blocks[0].marker[:-1])}"' if sort == "ol" and blocks[0].marker != "1." else ""
        inner = Markup(f"<{sort}{start}>") + items + Markup(f"</{sort}>")  # noqa: S704  # both parts are our own
    return Markup("<blockquote>{}</blockquote>").format(inner) if quoted else inner


def _spans(block: Block, form: str) -> Markup:
    return Markup("").join(_span(span, form) for span in block.spans)


def _span(span: Span, form: str) -> Markup:
    drawn = Markup("<br>").join(escape(line) for line in span.text.split("\n"))
    if span.italic:
        drawn = Markup("<em>{}</em>").format(drawn)
    if span.bold:
        drawn = Markup("<strong>{}</strong>").format(drawn)
    if span.link is None:
        return drawn
    if span.link.startswith("/"):
        return Markup('<button class="inline" form="{}" name="text" value="{}">{}</button>').format(
            form, span.link, drawn
        )
    return Markup('<a href="{}" rel="noopener noreferrer external">{}</a>').format(span.link, drawn)


def direction(language: str) -> str:
    """Return which way `language` is written: ltr or rtl."""
    return str(Locale.parse(language).text_direction)
