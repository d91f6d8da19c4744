"""What editors withdraw is hidden at once, in every process, where they said, until it is back; and noted."""

from datetime import datetime, timedelta

import pytest

from bot.app import App, Content
from bot.core.message import Address, Message, Reply
from bot.features.rumours import replies
from bot.features.rumours.entry import RUMOURS
from bot.platforms.web import NAME, Web
from bot.storage import audit, withdrawn
from bot.storage.audit import Act
from bot.storage.database import Database, opened
from bot.storage.store import Store
from bot.storage.withdrawn import Entry, Span
from bot.talk.repertoire import Repertoire
from tests.play import Stage, with_cities

JOBS = Entry("", "rumour", "jobs")
QUESTIONS = Entry("", "technique", "open-questions")
WORD = Entry("", "term", "stereotype")
WHY = "We are *checking* it."
HOUR = timedelta(hours=1)


async def hide(store: Store, entry: Entry, now: datetime, why: str = WHY) -> bool:
    return await store.run(lambda tx: withdrawn.withdraw(tx, entry, why, now))


async def say(stage: Stage, text: str, language: str = "en") -> list[Reply]:
    stage._heard += 1
    message = Message(Address("terminal", "here"), text, f"k{stage._heard}", language=language, introduced=True)
    return [bubble.reply for bubble in (await stage.app.assistant.handle(message)).bubbles]


async def test_an_entry_is_withdrawn_once_and_may_be_again(store: Store, now: datetime) -> None:
    assert await hide(store, JOBS, now)
    assert not await hide(store, JOBS, now + HOUR, "another reason")
    assert await store.read(lambda tx: withdrawn.hidden(tx, "")) == {("rumour", "jobs"): WHY}
    assert await store.run(lambda tx: withdrawn.bring_back(tx, JOBS, "checked", now + HOUR))
    assert not await store.run(lambda tx: withdrawn.bring_back(tx, JOBS, "", now + HOUR))
    assert await store.read(lambda tx: withdrawn.hidden(tx, "")) == {}
    assert await hide(store, JOBS, now + 2 * HOUR)
    spans = await store.read(lambda tx: withdrawn.between(tx, "jobs", now, now + 3 * HOUR))
    assert spans == [Span(JOBS, WHY, now, now + HOUR), Span(JOBS, WHY, now + 2 * HOUR, None)]
    assert await store.read(audit.everything) == [
        Act(now, "withdraw", "rumour jobs", WHY),
        Act(now + HOUR, "back", "rumour jobs", "checked"),
        Act(now + 2 * HOUR, "withdraw", "rumour jobs", WHY),
    ]


async def test_what_one_city_withdraws_stays_elsewhere(store: Store, now: datetime) -> None:
    await hide(store, Entry("puertaluna", "rumour", "jobs"), now)
    await hide(store, WORD, now)
    here, there = ("rumour", "jobs"), ("term", "stereotype")
    assert (await store.read(lambda tx: withdrawn.hidden(tx, "puertaluna"))).keys() == {here, there}
    assert (await store.read(lambda tx: withdrawn.hidden(tx, "elsewhere"))).keys() == {there}
    assert (await store.read(lambda tx: withdrawn.hidden(tx, ""))).keys() == {there}


async def test_another_process_hides_it_with_the_next_message(
    store: Store, database: Database, content: Content, now: datetime
) -> None:
    app, other = App(store, content, {NAME: Web(store)}, lambda: now), opened(database)

    async def card(key: str) -> Reply:
        message = Message(Address(NAME, "a"), "/rumour jobs", key, language="en", introduced=True)
        return (await app.assistant.handle(message)).bubbles[0].reply

    assert (await card("1")).link == "/rumour jobs"
    await hide(other, JOBS, now)
    assert (await card("2")).link is None
    assert await app.assistant.preview("/rumour jobs", "en") == (await card("3"),)
    await other.run(lambda tx: withdrawn.bring_back(tx, JOBS, "", now))
    assert (await card("4")).link == "/rumour jobs"
    other.close()


async def test_every_way_to_a_withdrawn_card_says_so_and_why(stage: Stage) -> None:
    await hide(stage.store, JOBS, stage.now)
    truth = {stage.content.library.all(RUMOURS, code)["jobs"].truth for code in ("en", "es")}
    ways = ["/rumour jobs", *(f"/rumour jobs {section}" for section in replies.SECTIONS), "they take our jobs"]
    for language, reason in (("en", "The reason: We are"), ("es", "El motivo: We are")):
        for way in ways:
            (reply,) = await say(stage, way, language)
            assert reason in reply.text
            assert not any(sentence in reply.text for sentence in truth)
            assert "/rumours work" in [choice.say for choice in reply.choices]


async def test_no_list_offers_what_is_withdrawn(stage: Stage) -> None:
    for entry in (JOBS, QUESTIONS, WORD):
        await hide(stage.store, entry, stage.now)
    asked = [
        "/rumours work", "/not wages", "/not wages jobs", "jobs", "wages and jobs", "/techniques", "/tip",
        "/tip family home fear", "/rumour wages talk", "/terms s", "/term prejudice", "/term stereotypo",
    ]  # fmt: skip
    for text in asked:
        for reply in await say(stage, text):
            said = [choice.say for choice in reply.choices]
            assert not {"/rumour jobs", "/technique open-questions", "/term stereotype"} & set(said), text


async def test_a_tip_is_never_a_withdrawn_technique(stage: Stage) -> None:
    (before,) = await say(stage, "/tip")
    best = next(choice.say for choice in before.choices if choice.say.startswith("/technique "))
    await hide(stage.store, Entry("", "technique", best.split()[1]), stage.now)
    (after,) = await say(stage, "/tip")
    assert after.text.split("\n")[0] != before.text.split("\n")[0]
    for name in stage.content.library.entries["technique"]["en"]:
        await hide(stage.store, Entry("", "technique", name), stage.now)
    (nothing,) = await say(stage, "/tip")
    assert nothing.choices == ()


async def test_dehumanising_words_still_lead_to_support(stage: Stage) -> None:
    library = stage.content.library.all(RUMOURS, "en")
    tried = 0
    for name, words in ((name, words) for name, rumour in library.items() for words in rumour.blocked):
        await hide(stage.store, Entry("", "rumour", name), stage.now)
        (reply,) = await say(stage, words)
        assert any(choice.say in ("/support", "/safe") for choice in reply.choices), words
        tried += 1
    assert tried


async def test_completion_and_search_leave_it_out(stage: Stage) -> None:
    for entry in (JOBS, QUESTIONS, WORD):
        await hide(stage.store, entry, stage.now)
    says: Repertoire = stage.app.assistant.repertoire
    hidden = await stage.app.assistant.hidden(says)
    for text in ("/rumour job", "/technique open", "/term stereotyp", "/term estereoti"):
        assert says.suggest(text, "en") != says.suggest(text, "en", hidden)
    shown = {choice.say for text in ("jobs", "open", "stereotype") for choice in says.search(text, "en", 12, hidden)}
    assert not {"/rumour jobs", "/technique open-questions", "/term stereotype"} & shown


@pytest.mark.parametrize(("city", "is_hidden"), [("puertaluna", True), ("none", False)])
async def test_a_town_withdraws_its_own_card_only(stage: Stage, city: str, *, is_hidden: bool) -> None:
    stage.content = with_cities()
    stage.restart()
    await hide(stage.store, Entry("puertaluna", "rumour", "jobs"), stage.now)
    await say(stage, f"/city {city}")
    (reply,) = await say(stage, "/rumour jobs")
    assert (reply.link is None) is is_hidden
