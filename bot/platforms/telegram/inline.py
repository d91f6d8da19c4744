"""`@bot stereotype` in any chat: words and cards to share, each of which opens with what is true."""

import hashlib
import logging
from collections.abc import Iterator

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InlineQueryResultsButton,
    InputTextMessageContent,
    LinkPreviewOptions,
    MessageEntity,
)
from telegram.error import TelegramError

from bot.core import markup
from bot.core.fit import fit
from bot.core.message import Choice, Reply
from bot.platforms.limits import TELEGRAM
from bot.platforms.telegram import Telegram, draw
from bot.platforms.telegram.hear import Asked
from bot.talk.assistant import Assistant
from bot.talk.feature import Say

log = logging.getLogger(__name__)

MOST = 12  # results; few people scroll further
REMEMBERED_FOR = 60  # seconds; a changed card is offered anew after that
LONGEST_DESCRIPTION = 120


async def answer(telegram: Telegram, assistant: Assistant, asked: Asked) -> None:
    """Offer what the words may mean, in the language of whoever typed them; the card that "Share" names, as it is."""
    repertoire = assistant.repertoire
    language = repertoire.spoken(asked.language)
    say = repertoire.say_in(language)
    text = asked.text.strip()
    hidden = await assistant.hidden(repertoire)
    found = [Choice("", text)] if text.startswith("/") else []
    if text and not found:
        found = repertoire.search(text, language, MOST, hidden)
    shown = [(choice, await assistant.preview(choice.say, language)) for choice in found]
    cards = [(choice, replies[0]) for choice, replies in shown if replies and (choice.label or replies[0].link)]
    results = [_result(telegram, choice, reply, say) for choice, reply in cards]
    try:
        await telegram.bot.answer_inline_query(
            asked.id,
            results,
            cache_time=REMEMBERED_FOR,
            is_personal=True,
            button=InlineQueryResultsButton(say("telegram.open"), start_parameter="help"),
        )
    except TelegramError as error:  # mostly: the person typed on, and nobody waits for this any more
        log.info("inline query not answered why=%s", type(error).__name__)


def _result(telegram: Telegram, choice: Choice, reply: Reply, say: Say) -> InlineQueryResultArticle:
    bare = Reply(reply.text)
    words, entities = draw.text(fit(bare, TELEGRAM)[0].text, telegram.door)
    marks = [MessageEntity(*entity) for entity in entities]
    url = telegram.door(reply.link or choice.say)
    button = InlineKeyboardMarkup([[InlineKeyboardButton(say("telegram.more"), url=url)]]) if url else None
    return InlineQueryResultArticle(
        hashlib.sha256(choice.say.encode()).hexdigest()[:32],
        f"{choice.label[:1].upper()}{choice.label[1:]}" or _first_words(reply),
        InputTextMessageContent(words, entities=marks, link_preview_options=LinkPreviewOptions(is_disabled=True)),
        reply_markup=button,
        description=_first_words(reply),
    )


def _first_words(reply: Reply) -> str:
    return next(_plain(reply), "")[:LONGEST_DESCRIPTION]


def _plain(reply: Reply) -> Iterator[str]:
    for block in markup.parse(reply.text):
        yield block.plain
