"""`@HearsayTestBot words` in any chat: what is offered opens with what is true."""

import re
from collections.abc import AsyncIterator

import pytest

from bot.app import Content
from bot.features.rumours.entry import RUMOURS
from tests.platforms.telegram.booth import Booth, Json, booth

ANA = 7
DOOR = "https://t.me/HearsayTestBot?start="


@pytest.fixture
async def hall(content: Content) -> AsyncIterator[Booth]:
    async with booth(content) as opened:
        yield opened


async def offer(hall: Booth, query: str, language: str | None = "en") -> Json:
    """Let somebody type `query` behind the bot's name; return how that is answered."""
    ana = hall.server.person(ANA, language_code=language)
    before = len(hall.server.calls_of("answerInlineQuery"))
    hall.server.send(hall.server.inline(ana, query))
    calls = await hall.server.wait_for("answerInlineQuery", before + 1)
    await hall.app.delivery.idle()
    return calls[-1].fields


def titles(answer: Json) -> list[str]:
    return [result["title"] for result in answer["results"]]


def text(result: Json) -> str:
    return str(result["input_message_content"]["message_text"])


async def test_a_word_is_offered_with_what_it_means(hall: Booth) -> None:
    answer = await offer(hall, "prejud")
    first = answer["results"][0]
    assert first["title"] == "Prejudice"
    assert text(first).startswith("Prejudice")
    assert first["input_message_content"]["link_preview_options"] == {"is_disabled": True}
    ((button,),) = first["reply_markup"]["inline_keyboard"]
    assert button == {"text": "More from Hearsay", "url": f"{DOOR}term_prejudice"}


async def test_a_rumour_is_offered_as_what_is_true(hall: Booth, content: Content) -> None:
    answer = await offer(hall, "they get all the flats before us")
    first = answer["results"][0]
    truth = content.library.all(RUMOURS, "en")["council-flats"].truth
    assert text(first).startswith(truth)
    assert first["description"] == truth[:120]
    assert "flats before us" not in text(first)
    ((button,),) = first["reply_markup"]["inline_keyboard"]
    assert button["url"] == f"{DOOR}rumour_council-flats"


async def test_every_card_that_can_be_offered_opens_with_what_is_true(hall: Booth, content: Content) -> None:
    for name, rumour in list(content.library.all(RUMOURS, "en").items())[::6]:
        answer = await offer(hall, rumour.name)
        (result,) = (found for found in answer["results"] if found["title"].casefold() == rumour.name.casefold())
        assert text(result).startswith(rumour.truth), name


@pytest.mark.parametrize("query", ["", "   ", "zxqv wvkj", "😀", "/help", "<b>"])
async def test_where_nothing_is_found_the_private_chat_is_offered(hall: Booth, query: str) -> None:
    answer = await offer(hall, query)
    assert titles(answer) == []
    assert answer["button"] == {"text": "Ask Hearsay in private", "start_parameter": "help"}


@pytest.mark.parametrize("query", ["x" * 256, "they get all the flats before us " * 7, "😀" * 128, "a", "r"])
async def test_any_length_is_answered_with_few_results(hall: Booth, query: str) -> None:
    answer = await offer(hall, query)
    assert len(answer["results"]) <= 12
    ids = [result["id"] for result in answer["results"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[0-9a-f]{32}", number) for number in ids)


async def test_everybody_is_answered_in_their_language(hall: Booth) -> None:
    assert "Prejuicio" in titles(await offer(hall, "prejuicio", "es-AR"))
    assert (await offer(hall, "prejuicio", "es"))["button"]["text"] != "Ask Hearsay in private"
    assert "Prejudice" in titles(await offer(hall, "prejudice", "uk"))
    assert "Prejudice" in titles(await offer(hall, "prejudice", None))


async def test_an_answer_is_remembered_for_its_person_only(hall: Booth) -> None:
    answer = await offer(hall, "prejudice")
    assert (answer["is_personal"], answer["cache_time"]) == (True, 60)


async def test_a_query_that_is_too_old_is_let_go(hall: Booth) -> None:
    ana = hall.server.person(ANA)
    query = hall.server.inline(ana, "prejudice")
    hall.server.age(query)
    hall.server.send(query)
    await hall.server.wait_for("answerInlineQuery")
    assert titles(await offer(hall, "prejudice")) != []


async def test_nothing_is_sent_or_kept(hall: Booth) -> None:
    await offer(hall, "prejudice")
    assert [call.method for call in hall.server.calls if call.method.startswith("send")] == []
    assert hall.server.messages(ANA) == []


async def test_a_card_is_shared_into_another_chat_by_its_button(hall: Booth) -> None:
    ana = hall.server.person(ANA)
    _, card = await hall.hear(hall.server.text(ana, ana, "/rumour council-flats"))
    share = card.raw["reply_markup"]["inline_keyboard"][-1][0]
    assert share["text"] == "Share in another chat"
    answer = await offer(hall, share["switch_inline_query"])
    (only,) = answer["results"]
    assert text(only) == card.text
    assert card.text.startswith(only["title"])


@pytest.mark.parametrize("query", ["/forget", "/rumour no-such-card", "/", "/nothing"])
async def test_nothing_but_cards_is_shared(hall: Booth, query: str) -> None:
    assert (await offer(hall, query))["results"] == []
