"""Holds the web's pages of days to account: the feed is not sent twice, the year is plain and safe, links lead on."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from icalendar import Calendar

from bot.almanac import days
from bot.app import App
from bot.platforms.web import NAME, Web
from bot.platforms.web.pace import Pace
from bot.platforms.web.site import HEADERS, Site
from bot.storage import versions
from bot.storage.store import Store
from bot.storage.tables import METADATA
from tests.play import NOON, with_cities

ORIGIN = "http://chat.test"


async def ready() -> bool:
    return True


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    made = Store(":memory:")
    await made.run(METADATA.create_all)
    yield made
    made.close()


@pytest.fixture
async def web(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    pages = Web(store)
    app = App(store, with_cities(), {NAME: pages}, lambda: NOON, city="none")
    found = days(lambda: app.towns, app.clock, lambda command: {NAME: f"{ORIGIN}{command.replace(' ', '/')}"})
    site = Site(pages, app.assistant, pace=Pace(1000), crowd=Pace(1000), days=found)
    transport = httpx.ASGITransport(site.app(ready))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


async def test_the_feed_is_a_calendar_that_is_not_sent_again(web: httpx.AsyncClient) -> None:
    first = await web.get("/calendar.ics?city=puertaluna&lang=es")
    assert first.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "max-age" in first.headers["cache-control"]
    found: Any = Calendar.from_ical(first.content)
    assert [str(event["url"]) for event in found.events][:1] == [f"{ORIGIN}/day/migrants-day?lang=es&city=puertaluna"]
    again = await web.get("/calendar.ics?city=puertaluna&lang=es", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert "set-cookie" not in first.headers


async def test_the_feeds_stamp_is_since_when_the_content_is_live(web: httpx.AsyncClient, store: Store) -> None:
    await store.run(lambda tx: versions.record(tx, with_cities().live(), NOON))
    found: Any = Calendar.from_ical((await web.get("/calendar.ics")).content)
    assert {event["dtstamp"].dt for event in found.events} == {NOON}


async def test_an_unknown_town_or_language_or_year_is_the_usual_one(web: httpx.AsyncClient) -> None:
    for query in ("city=atlantis&lang=xx&year=12345", "year=0001", "year=abc", "city=../etc&all=perhaps"):
        page = await web.get(f"/year?{query}")
        assert page.status_code == 200
        assert "International days 2026</h1>" in page.text
    assert (await web.get("/calendar.ics?city=atlantis&lang=xx")).status_code == 200


@pytest.mark.parametrize("language", ["en", "es"])
async def test_the_year_is_plain_and_every_day_on_it_leads_to_its_page(web: httpx.AsyncClient, language: str) -> None:
    page = await web.get(f"/year?city=puertaluna&lang={language}&year=2027&all=1")
    assert page.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert f'<html lang="{language}"' in page.text
    links = re.findall(r'href="(/day/[^"]+)"', page.text)
    assert len(links) >= 50
    assert (await web.get(links[0].replace("&amp;", "&"))).status_code == 200
    for link in re.findall(r'href="(/(?:year|calendar.ics)[^"]+)"', page.text):
        assert (await web.get(link.replace("&amp;", "&"))).status_code == 200


async def test_the_list_of_days_leads_to_the_year_in_the_chat_and_as_a_page(web: httpx.AsyncClient) -> None:
    page = await web.get("/days?lang=es&city=puertaluna")
    assert 'href="/year?lang=es&city=puertaluna"' in page.text.replace("&amp;", "&")
    await web.post("/say?city=puertaluna", data={"key": "k1", "text": "/days", "lang": "es"})
    chat = (await web.get("/")).text
    assert 'href="/year?lang=es' in chat
    assert "Puertaluna" in (await web.get("/year?lang=es")).text  # the conversation's town, where none is named


async def test_a_link_to_subscribe_asks_before_it_does(web: httpx.AsyncClient) -> None:
    page = await web.get("/subscribe/racism?lang=en")
    assert page.status_code == 200
    assert 'value="/subscribe only racism' in page.text
    assert (await web.get("/subscribe/all")).status_code == 404
