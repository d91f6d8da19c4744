"""Holds the web chat's pages to account without a browser: what each shows, keeps, refuses and never says."""

import asyncio
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Self

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.types import Message as Event
from starlette.types import Scope

from bot.app import Content, load_content, repertoire, utc_now
from bot.features.rumours.entry import RUMOURS
from bot.platforms.web import Web
from bot.platforms.web.pace import Pace
from bot.platforms.web.site import COOKIE, HEADERS, LARGEST_POST, Site
from bot.storage.outbox import Bubble
from bot.storage.store import Store
from bot.storage.tables import METADATA
from bot.talk.assistant import Assistant
from bot.talk.repertoire import Repertoire, Repertoires
from bot.talk.words import clean

ORIGIN = "http://chat.test"
PATIENCE = 60.0  # seconds before a wait counts as a failure; nothing is expected to take one
RUMOUR = "Migrants get the council flats first."
TRUTH = "Rules for council homes favour need"
LIVE = {"Accept": "application/json"}
VOID = {"meta", "link", "img", "input", "br"}


@dataclass
class Element:
    """A piece of a page."""

    tag: str
    attributes: dict[str, str]
    inside: list["Element | str"] = field(default_factory=list)

    def all(self, tag: str = "", **wanted: str) -> list["Element"]:
        """Return the elements inside, in order, that have this tag and these attributes."""
        found: list[Element] = []
        for child in self.inside:
            if isinstance(child, Element):
                fits = tag in ("", child.tag) and all(child.attributes.get(name) == wanted[name] for name in wanted)
                found += [child] * fits + child.all(tag, **wanted)
        return found

    @property
    def words(self) -> str:
        """The text inside, a line break as a space."""
        parts = (child if isinstance(child, str) else child.words for child in self.inside)
        return " " if self.tag == "br" else "".join(parts)

    @property
    def bubbles(self) -> list[str]:
        """What the assistant says, bubble by bubble."""
        return [each.words.strip() for each in self.all("div", **{"class": "words"})]

    @property
    def hidden(self) -> dict[str, str]:
        """What a form posts without anybody's doing."""
        return {each.attributes["name"]: each.attributes["value"] for each in self.all("input", type="hidden")}


class Reader(HTMLParser):
    """Reads a page into elements; refuses one whose elements do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("", {})
        self._open = [self.root]
        self.feed(text)
        self.close()
        assert self._open == [self.root], f"never closed: {[each.tag for each in self._open[1:]]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), f"an attribute stands twice in <{tag}>"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].inside.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].inside.append(data)


def read(answer: httpx.Response) -> Element:
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Reader(answer.text).root


class Stream:
    """An event stream read as it comes; httpx's transport would wait for an end that never is."""

    def __init__(self, app: Starlette, cookie: str, *, after: str = "", last: str = "") -> None:
        headers = [(b"cookie", f"{COOKIE}={cookie}".encode()), (b"last-event-id", last.encode())]
        self._app = app
        self._scope: Scope = {
            "type": "http",
            "method": "GET",
            "path": "/events",
            "query_string": f"after={after}".encode(),
            "headers": headers[: 2 if last else 1],
            "scheme": "http",
            "client": ("203.0.113.7", 1),
            "root_path": "",
        }
        self._gone = asyncio.Event()
        self._text = ""
        self._came: asyncio.Queue[bytes] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._app(self._scope, self._receive, self._send))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        async with asyncio.timeout(PATIENCE):
            await self._task

    async def _receive(self) -> Event:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, event: Event) -> None:
        await self._came.put(event.get("body", b""))

    async def next(self) -> tuple[str, Element]:
        """Return the next bubble's id and what it draws."""
        async with asyncio.timeout(PATIENCE):
            while True:
                while "\n\n" not in self._text:
                    self._text += (await self._chunk()).decode()
                block, _, self._text = self._text.partition("\n\n")
                if "event: bubble" in block:
                    return self._read(block)

    async def _chunk(self) -> bytes:
        """Return what came next; a stream that broke says how, instead of being waited for."""
        coming = asyncio.create_task(self._came.get())
        await asyncio.wait({coming, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            coming.cancel()
            self._task.result()
            raise EOFError("the stream has ended")
        return coming.result()

    def _read(self, block: str) -> tuple[str, Element]:
        lines = [line.partition(": ") for line in block.split("\n")]
        (number,) = [value for name, _, value in lines if name == "id"]
        return number, Reader("\n".join(value for name, _, value in lines if name == "data")).root


@dataclass
class House:
    """A site on a database of its own."""

    app: Starlette
    store: Store
    web: Web
    assistant: Assistant
    database: Path
    base: str = ""

    def visitor(self, *, at: str = "203.0.113.7", origin: str = ORIGIN, **headers: str) -> httpx.AsyncClient:
        """Return somebody's browser, without JavaScript."""
        transport = httpx.ASGITransport(self.app, client=(at, 1))
        named = {"Accept": "text/html", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return httpx.AsyncClient(transport=transport, base_url=f"{origin}{self.base}", headers=named)

    def rows(self) -> list[str]:
        """Return the whole database as text."""
        with closing(sqlite3.connect(self.database)) as raw:
            return list(raw.iterdump())


Build = Callable[..., Awaitable[House]]


@pytest.fixture(scope="module")
def spoken(content: Content) -> Repertoire:
    return repertoire(content)


@pytest.fixture
async def build(spoken: Repertoire, tmp_path: Path) -> AsyncIterator[Build]:
    stores: list[Store] = []

    async def ready() -> bool:
        return True

    async def built(
        *,
        base: str = "",
        pace: int = 1000,
        crowd: int = 1000,
        says: Repertoire = spoken,
        ready: Callable[[], Awaitable[bool]] = ready,
    ) -> House:
        database = tmp_path / "hearsay.db"
        store = Store(database)
        stores.append(store)
        await store.run(METADATA.create_all)
        web = Web(store)

        def made(bubbles: Sequence[Bubble]) -> None:
            for bubble in bubbles:
                web.made(bubble.where)

        assistant = Assistant(store, Repertoires({"": says}), utc_now, Random(7), made=made)
        site = Site(web, assistant, base=base, pace=Pace(pace), crowd=Pace(crowd))
        return House(site.app(ready), store, web, assistant, database, base)

    yield built
    for store in stores:
        store.close()


@pytest.fixture
async def house(build: Build) -> House:
    return await build()


async def submit(visitor: httpx.AsyncClient, form: Element, text: str, **headers: str) -> httpx.Response:
    """Post a form as a browser does."""
    url = httpx.URL(ORIGIN).join(form.attributes["action"])
    return await visitor.post(url, data={**form.hidden, "text": text}, headers=headers)


async def say(visitor: httpx.AsyncClient, text: str) -> Element:
    """Open the page, type `text`, send it; return the page that comes back."""
    page = read(await visitor.get("/"))
    (form,) = page.all("form", id="say")
    answer = await submit(visitor, form, text)
    assert answer.status_code == 303, answer.text
    return read(await visitor.get(httpx.URL(ORIGIN).join(answer.headers["location"])))


async def drop(visitor: httpx.AsyncClient, text: str, **form: str) -> httpx.Response:
    """Post `text` without opening a page first."""
    return await visitor.post("/say", data={"text": text, **form})


def labels(page: Element) -> list[str]:
    return [each.words for choices in page.all("div", **{"class": "choices"}) for each in choices.all("button")]


# A first visit


async def test_a_first_visit_shows_what_start_says(house: House) -> None:
    async with house.visitor() as visitor:
        page = read(await visitor.get("/"))
        told = await say(visitor, "/start")
    assert page.bubbles == told.bubbles
    assert "automated assistant" in page.bubbles[0]
    assert (
        labels(page)
        == labels(told)
        == [
            "Anti-rumours agent",
            "Youth group",
            "Facilitator",
            "City coordinator",
            "Just curious",
        ]
    )


async def test_a_first_visit_writes_nothing(house: House) -> None:
    before = house.rows()
    async with house.visitor() as visitor:
        await visitor.get("/")
        await visitor.get("/rumour/council-flats")
        await visitor.get("/")
    assert house.rows() == before


async def test_only_the_session_cookie_is_set(house: House) -> None:
    async with house.visitor() as visitor:
        answer = await visitor.get("/")
    (cookie,) = answer.headers.get_list("set-cookie")
    name, *marks = [part.strip().lower() for part in cookie.split(";")]
    assert name.startswith("hearsay=")
    assert {"httponly", "samesite=lax", "path=/"} <= set(marks)
    assert "secure" not in marks
    assert not any(mark.startswith("domain") for mark in marks)


async def test_over_https_the_cookie_is_secure_and_stays_below_the_prefix(build: Build) -> None:
    house = await build(base="/hearsay")
    async with house.visitor(origin="https://chat.test") as visitor:
        answer = await visitor.get("/")
    marks = [part.strip().lower() for part in answer.headers["set-cookie"].split(";")]
    assert "secure" in marks
    assert "path=/hearsay" in marks


async def test_a_page_is_never_kept_by_a_cache(house: House) -> None:
    async with house.visitor() as visitor:
        assert (await visitor.get("/")).headers["cache-control"] == "no-store"


# Posting


async def test_a_post_without_javascript_leads_to_the_answer(house: House) -> None:
    async with house.visitor() as visitor:
        page = await say(visitor, RUMOUR)
    assert len(page.bubbles) == 1
    assert page.bubbles[0].startswith(TRUTH)
    assert "More facts" in labels(page)


async def test_the_same_form_posted_twice_is_answered_once(house: House) -> None:
    async with house.visitor() as visitor:
        (form,) = read(await visitor.get("/")).all("form", id="say")
        for _ in range(2):
            assert (await submit(visitor, form, "/help")).status_code == 303
        assert len(read(await visitor.get("/")).bubbles) == 1


async def test_the_same_words_on_a_new_page_are_answered_again(house: House) -> None:
    async with house.visitor() as visitor:
        await say(visitor, "/help")
        assert len((await say(visitor, "/help")).bubbles) == 2


async def test_two_buttons_of_one_form_are_two_messages(house: House) -> None:
    async with house.visitor() as visitor:
        page = await say(visitor, RUMOUR)
        (form,) = page.all("form", id=page.all("article")[0].attributes["id"].replace("b", "form-"))
        for button in form.all("button")[:2]:
            await submit(visitor, form, button.attributes["value"])
        assert len(read(await visitor.get("/")).bubbles) == 3


async def test_a_script_gets_no_page_back(house: House) -> None:
    async with house.visitor() as visitor:
        await visitor.get("/")
        answer = await visitor.post("/say", data={"text": "/help"}, headers=LIVE)
        assert (answer.status_code, answer.content) == (204, b"")
        assert len(read(await visitor.get("/")).bubbles) == 1


async def test_an_open_prompt_labels_the_field(house: House) -> None:
    async with house.visitor() as visitor:
        page = await say(visitor, "/rumour")
        (label,) = page.all("label")
        assert label.words == "What you heard"
        page = await say(visitor, RUMOUR)
    assert page.bubbles[-1].startswith(TRUTH)


async def test_a_post_from_another_site_is_refused(house: House) -> None:
    before = house.rows()
    async with house.visitor() as visitor:
        for site in ("cross-site", "same-site", "anything"):
            answer = await visitor.post("/say", data={"text": "/forget"}, headers={"Sec-Fetch-Site": site})
            assert answer.status_code == 403
    assert house.rows() == before


# Forgetting


async def talked(house: House, visitor: httpx.AsyncClient) -> str:
    """Hold a conversation; return the name that the database knows it by."""
    for text in (RUMOUR, "/term", "/language es"):
        await say(visitor, text)
    chat = sha256(visitor.cookies[COOKIE].encode()).hexdigest()[:32]
    assert sum(chat in row for row in house.rows()) > 3
    return chat


async def test_forgetting_leaves_a_page_without_conversation_and_no_row(house: House) -> None:
    async with house.visitor() as visitor:
        chat = await talked(house, visitor)
        answer = await drop(visitor, "/forget")
        page = read(answer)
        assert answer.status_code == 200
        assert COOKIE not in visitor.cookies
        assert not page.all("form")
        assert not any(chat in row for row in house.rows())
        assert read(await visitor.get("/")).bubbles[0].startswith("Hello, I'm Hearsay")


async def test_forgetting_is_confirmed_in_the_language_of_the_conversation(house: House) -> None:
    async with house.visitor(Accept_Language="en") as visitor:
        await talked(house, visitor)
        page = read(await drop(visitor, "/forget"))
    assert page.all("html")[0].attributes["lang"] == "es"
    assert "borrado" in page.bubbles[0]


async def test_a_script_that_forgets_is_told_to_start_afresh(house: House) -> None:
    async with house.visitor() as visitor:
        chat = await talked(house, visitor)
        answer = await visitor.post("/say", data={"text": "/forget"}, headers=LIVE)
        assert (answer.status_code, answer.content) == (205, b"")
        assert COOKIE not in visitor.cookies
    assert not any(chat in row for row in house.rows())


# Too much, too long, too strange


@pytest.mark.parametrize(
    "text",
    [
        "flats " * 17_000,
        "😀" * 10_000,
        "\x00\x01\x07\x1b[31m\u202e\u200b",
        "",
        "   \n\t  ",
        "¿",
        "/",
        "//",
        "%",
        "\ufffd" * 50,
    ],
    ids=[
        "100 kB",
        "10,000 emoji",
        "controls",
        "nothing",
        "white space",
        "mark",
        "slash",
        "slashes",
        "per cent",
        "broken",
    ],
)
async def test_strange_text_gets_a_clear_answer(house: House, text: str) -> None:
    async with house.visitor() as visitor:
        page = await say(visitor, text)
    assert len(page.bubbles) == 1
    assert len(page.bubbles[0]) > 20
    assert "broke" not in page.bubbles[0]


async def test_a_body_that_is_no_form_gets_a_clear_answer(house: House) -> None:
    async with house.visitor() as visitor:
        for body in (b"\xff\xfe\x00", b"&&&===;;;", b"%zz%", b"text=%ff%fe", b"a" * 1000):
            assert (await visitor.post("/say", content=body)).status_code == 303
        assert all("Nothing arrived" in bubble or len(bubble) > 20 for bubble in read(await visitor.get("/")).bubbles)


@pytest.mark.parametrize("turn", ["9" * 5000, "-1", "1.5", "٣", "x", "9" * 30], ids=lambda turn: turn[:8])
async def test_a_turn_that_never_was_gets_a_clear_answer(house: House, turn: str) -> None:
    async with house.visitor() as visitor:
        await visitor.get("/")
        assert (await drop(visitor, "hello", turn=turn)).status_code == 303
        assert len(read(await visitor.get("/")).bubbles) == 1


async def test_a_form_of_the_largest_size_is_still_read(house: House) -> None:
    async with house.visitor() as visitor:
        answer = await visitor.post("/say", content=b"text=" + b"a" * (LARGEST_POST - 5))
    assert answer.status_code == 303


@pytest.mark.parametrize(("language", "wrong"), [("en", "Nothing arrived"), ("es", "No ha llegado nada")])
async def test_more_than_anybody_types_is_refused_in_words(house: House, language: str, wrong: str) -> None:
    async with house.visitor(Accept_Language=language) as visitor:
        answer = await visitor.post("/say", content=b"text=" + b"a" * LARGEST_POST)
        page = read(answer)
        live = await visitor.post("/say", content=b"text=" + b"a" * LARGEST_POST, headers=LIVE)
    assert answer.status_code == live.status_code == 413
    assert page.all("html")[0].attributes["lang"] == language
    for words in (page.bubbles[0], live.text):
        assert len(words) > 20
        assert "](/" not in words, "Markdown is shown as written"
        assert wrong not in words, "something did arrive: too much of it"


@pytest.mark.parametrize(("language", "words"), [("en", "One moment, please"), ("es", "Un momento, por favor")])
async def test_too_many_messages_of_one_conversation_are_slowed_in_words(
    build: Build, language: str, words: str
) -> None:
    house = await build(pace=2)
    async with house.visitor(Accept_Language=language) as visitor, house.visitor() as other:
        await visitor.get("/")
        await other.get("/")
        taken = [(await drop(visitor, "/help")).status_code for _ in range(2)]
        refused = await drop(visitor, "/help")
        live = await visitor.post("/say", data={"text": "/help"}, headers=LIVE)
        assert (await drop(other, "/help")).status_code == 303
    assert taken == [303, 303]
    assert refused.status_code == live.status_code == 429
    assert refused.headers["retry-after"] == live.headers["retry-after"] == "30"
    assert words in read(refused).bubbles[0]
    assert "30" in read(refused).bubbles[0]
    assert words in live.text


async def test_too_many_messages_of_one_network_address_are_slowed(build: Build) -> None:
    house = await build(crowd=2)
    statuses = []
    for at in ("203.0.113.7", "203.0.113.7", "203.0.113.7", "203.0.113.8"):
        async with house.visitor(at=at) as visitor:
            await visitor.get("/")
            statuses.append((await drop(visitor, "/help")).status_code)
    assert statuses == [303, 303, 429, 303]


async def test_a_refusal_is_in_the_language_that_the_conversation_chose(build: Build) -> None:
    house = await build(pace=1)
    async with house.visitor(Accept_Language="en") as visitor:
        await say(visitor, "/language es")
        page = read(await drop(visitor, "/help"))
    assert page.all("html")[0].attributes["lang"] == "es"
    assert "Un momento, por favor" in page.bubbles[0]


@pytest.mark.parametrize(("language", "words"), [("en", "There is nothing here"), ("es", "no lleva a ninguna parte")])
@pytest.mark.parametrize(
    "path", ["/nothing", "/no/thing", "/rumour/none", "/forget/", "/static/none.css", "/term/%3Cb%3E"]
)
async def test_an_unknown_page_says_so_in_words(house: House, path: str, language: str, words: str) -> None:
    async with house.visitor(Accept_Language=language) as visitor:
        answer = await visitor.get(path)
    assert answer.status_code == 404
    assert words in read(answer).bubbles[0]
    assert read(answer).all("a", **{"class": "way"})[0].attributes["href"] == f"/?lang={language}"


async def test_a_full_disk_is_admitted_in_words(house: House) -> None:
    async with house.visitor(Accept_Language="es") as visitor:
        await say(visitor, "/help")
        pages = int((await house.store.run(lambda tx: tx.exec_driver_sql("PRAGMA page_count").scalar())) or 0)
        await house.store.run(lambda tx: tx.exec_driver_sql(f"PRAGMA max_page_count = {pages}").close())
        answers = [await drop(visitor, "/help") for _ in range(200)]
        live = await visitor.post("/say", data={"text": "/help"}, headers=LIVE)
        refused = answers[-1]
        assert refused.status_code == live.status_code == 503
        assert "Ahora mismo no puedo guardar nada" in read(refused).bubbles[0]
        assert "Ahora mismo no puedo guardar nada" in live.text
        assert {answer.status_code for answer in answers} == {303, 503}
        assert (await visitor.get("/")).status_code == 200
        await house.store.run(lambda tx: tx.exec_driver_sql(f"PRAGMA max_page_count = {pages + 1000}").close())
        assert (await drop(visitor, "/help")).status_code == 303


# Cards


@pytest.mark.parametrize("language", ["en", "es"])
async def test_a_card_opens_with_what_is_true_and_never_tells_the_rumour(
    house: House, content: Content, language: str
) -> None:
    before = house.rows()
    for name, rumour in content.library.all(RUMOURS, language).items():
        async with house.visitor() as stranger:
            answer = await stranger.get(f"/rumour/{name}?lang={language}")
        page = read(answer)
        assert "set-cookie" not in answer.headers
        assert page.all("meta", name="description")[0].attributes["content"] == rumour.truth
        assert page.all("meta", property="og:description")[0].attributes["content"] == rumour.truth
        assert page.bubbles[0].startswith(rumour.truth)
        assert page.all("html")[0].attributes["lang"] == language
        shown = answer.text.casefold()
        assert not [said for said in (rumour.claim, *rumour.heard_as, *rumour.blocked) if said.casefold() in shown]
    assert house.rows() == before


async def test_the_link_of_a_card_shows_the_same_card_to_a_stranger(house: House) -> None:
    async with house.visitor(Accept_Language="es") as visitor, house.visitor() as stranger:
        mine = await say(visitor, RUMOUR)
        (link,) = mine.all("a", **{"class": "share"})
        theirs = read(await stranger.get(link.attributes["href"]))
    assert theirs.bubbles == mine.bubbles
    assert theirs.all("html")[0].attributes["lang"] == "es"


async def test_a_press_on_a_strangers_card_begins_a_conversation(house: House) -> None:
    async with house.visitor() as stranger:
        card = read(await stranger.get("/rumour/council-flats"))
        (form,) = card.all("form", method="post")
        answer = await submit(stranger, form, "/rumour council-flats facts")
        assert answer.status_code == 303
        assert len(read(await stranger.get("/")).bubbles) == 1


async def test_only_linkable_commands_have_a_page(house: House) -> None:
    async with house.visitor() as visitor:
        found = {
            path: (await visitor.get(path)).status_code
            for path in (
                "/term/stereotype",
                "/technique/truth-sandwich",
                "/start/youth",
                "/stop/x",
                "/language/es",
                "/not/jobs",
            )
        }
    assert list(found.values()) == [200, 200, 200, 404, 404, 404]


# Languages


@pytest.mark.parametrize(
    ("query", "accepted", "spoken_"),
    [
        ("", "", "en"),
        ("", "es-MX,es;q=0.9", "es"),
        ("", "ja", "en"),
        ("", "ja, es;q=0.5", "es"),
        ("", "*", "en"),
        ("?lang=es", "en", "es"),
        ("?lang=es-AR", "en", "es"),
        ("?lang=xx", "es", "es"),
        ("?lang=%22%3E%3Cb%3E", "", "en"),
    ],
)
async def test_a_page_is_in_the_language_wished_for(house: House, query: str, accepted: str, spoken_: str) -> None:
    async with house.visitor(Accept_Language=accepted) as visitor:
        page = read(await visitor.get(f"/{query}"))
        assert page.all("html")[0].attributes == {"lang": spoken_, "dir": "ltr"}
        assert page.all("article")[0].attributes["lang"] == spoken_


async def test_what_a_conversation_chose_goes_before_all_else(house: House) -> None:
    async with house.visitor(Accept_Language="en") as visitor:
        page = await say(visitor, "/language es")
        assert page.all("html")[0].attributes["lang"] == "es"
        assert read(await visitor.get("/?lang=en")).all("html")[0].attributes["lang"] == "es"


async def test_the_answer_is_in_the_language_of_the_page(house: House) -> None:
    async with house.visitor(Accept_Language="en") as visitor:
        page = read(await visitor.get("/?lang=es"))
        (form,) = page.all("form", id="say")
        answer = await submit(visitor, form, "/help", Referer=f"{ORIGIN}/?lang=es")
        page = read(await visitor.get(answer.headers["location"]))
    assert page.all("article")[-1].attributes["lang"] == "es"
    assert page.all("html")[0].attributes["lang"] == "es"


async def test_a_language_written_from_the_right_has_a_page_from_the_right(build: Build, tmp_path: Path) -> None:
    folder = tmp_path / "content"
    shutil.copytree(Path(__file__).parents[2] / "content", folder)
    pack = folder / "pack.yaml"
    pack.write_text(pack.read_text("utf-8").replace("  en: English\n", "  en: English\n  ar: العربية\n"), "utf-8")
    (folder / "phrases" / "ar.yaml").write_text(
        "talk:\n  thanks: على الرحب والسعة.\nweb:\n  send: إرسال\n  field: ماذا سمعت؟\n", "utf-8"
    )
    house = await build(says=repertoire(load_content(folder)))
    async with house.visitor(Accept_Language="ar") as visitor:
        first = read(await visitor.get("/"))
        page = await say(visitor, "/help")
    assert first.all("html")[0].attributes == page.all("html")[0].attributes == {"lang": "ar", "dir": "rtl"}
    assert page.all("article")[0].attributes["dir"] == "rtl"
    assert page.all("form", id="say")[0].all("button")[0].words == "إرسال"
    assert "العربية" in page.all("form", **{"class": "languages"})[0].words


# Every page


async def every_page(house: House) -> dict[str, httpx.Response]:
    """Return one answer of each kind."""
    async with house.visitor() as visitor:
        pages = {"first": await visitor.get("/"), "missing": await visitor.get("/no/thing")}
        pages["large"] = await visitor.post("/say", content=b"a" * (LARGEST_POST + 1))
        for text in ("/start", RUMOUR, "/rumour council-flats sources", "/term stereotype", "/tip", "/rumour"):
            await say(visitor, text)
        pages["talk"] = await visitor.get("/")
        pages |= {path: await visitor.get(path) for path in ("/rumour/council-flats", "/term/stereotype")}
        pages["slowed"] = (await asyncio.gather(*[drop(visitor, "/help") for _ in range(20)]))[-1]
        pages["gone"] = await drop(visitor, "/forget")
    async with house.visitor() as visitor:
        await visitor.get("/")
        pages["gone"] = await drop(visitor, "/forget")
    return pages


@pytest.mark.parametrize("base", ["", "/hearsay"])
async def test_every_page_keeps_to_itself(build: Build, base: str) -> None:
    pages = await every_page(await build(base=base, pace=15))
    expected = [200, 404, 413, 200, 200, 200, 429, 200]
    assert [answer.status_code for answer in pages.values()] == expected
    for answer in pages.values():
        assert {name: answer.headers.get_list(name) for name in HEADERS} == {n: [v] for n, v in HEADERS.items()}
        for element in read(answer).all():
            assert_own(element, base)


def assert_own(element: Element, base: str) -> None:
    """Nothing inline, nothing from elsewhere, every way below the prefix; only a source's link leads outside."""
    tag, attributes = element.tag, element.attributes
    assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert tag != "style"
    assert tag != "script" or (attributes.get("src") and not element.words.strip())
    if tag == "a" and "external" in attributes.get("rel", ""):
        assert re.match(r"https?://", attributes.pop("href"))
        assert {"noopener", "noreferrer"} <= set(attributes["rel"].split())
    for name in {"href", "action", "src", "formaction"} & attributes.keys():
        target = attributes[name]
        assert target.startswith((f"{base}/", "#")), (tag, attributes)
        assert not target.startswith("//")
    assert attributes.get("data-base", base) == base


def test_styles_and_scripts_refer_to_no_other_host() -> None:
    folder = Path(__file__).parents[2] / "bot" / "platforms" / "web" / "static"
    files = [path for path in folder.iterdir() if path.is_file()]
    assert {path.suffix for path in files} >= {".css", ".js", ".svg"}
    for path in files:
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|url\(\s*['\"]?//|@import", text), path.name


async def test_a_redirect_stays_below_the_prefix(build: Build) -> None:
    house = await build(base="/hearsay")
    async with house.visitor() as visitor:
        assert (await drop(visitor, "/help")).headers["location"] == "/hearsay/#b1"
        assert (await visitor.get(f"{ORIGIN}/")).headers["location"] == "/hearsay/"
        for path in ("/healthz", "/hearsay/healthz", "/readyz", "/hearsay/static/chat.css"):
            assert (await visitor.get(f"{ORIGIN}{path}")).status_code == 200
        assert (await visitor.get(f"{ORIGIN}/rumour/council-flats")).status_code == 404


async def test_an_id_stands_once_on_a_page(build: Build) -> None:
    for answer in (await every_page(await build(pace=15))).values():
        ids = [each.attributes["id"] for each in read(answer).all() if "id" in each.attributes]
        assert len(ids) == len(set(ids))


async def test_every_button_in_the_text_belongs_to_a_form_of_the_page(house: House) -> None:
    async with house.visitor() as visitor:
        page = await say(visitor, "/start youth")
    forms = {each.attributes["id"] for each in page.all("form", method="post") if "id" in each.attributes}
    inline = page.all("button", **{"class": "inline"})
    assert inline
    assert {each.attributes["form"] for each in inline} <= forms


async def test_health_and_readiness_are_told(build: Build) -> None:
    house = await build()
    async with house.visitor() as visitor:
        assert (await visitor.get("/healthz")).text == "ok"
        answer = await visitor.get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"ready": True})


async def test_what_is_not_ready_says_so(build: Build) -> None:
    async def never() -> bool:
        return False

    house = await build(ready=never)
    async with house.visitor() as visitor:
        answer = await visitor.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"ready": False})
        assert (await visitor.get("/healthz")).status_code == 200


async def test_what_is_typed_is_completed(house: House) -> None:
    async with house.visitor() as visitor:
        assert (await visitor.get("/suggest?text=/te&lang=en")).json() == [
            "/technique ",
            "/techniques",
            "/term ",
            "/terms ",
            "/team ",
        ]
        assert "/term stereotype" in (await visitor.get("/suggest?text=/term ster&lang=en")).json()
        assert "/term estereotipo" in (await visitor.get("/suggest?text=/term ester&lang=es")).json()
        assert (await visitor.get("/suggest?text=flats")).json() == []
        assert (await visitor.get("/suggest")).json() == []


# The stream


async def test_a_stream_brings_what_is_said(house: House) -> None:
    async with house.visitor() as visitor:
        await visitor.get("/")
        async with Stream(house.app, visitor.cookies[COOKIE]) as stream:
            await drop(visitor, RUMOUR)
            number, drawn = await stream.next()
        page = read(await visitor.get("/"))
    assert drawn.bubbles == page.bubbles
    assert drawn.all("article")[0].attributes["id"] == f"b{number}"
    assert page.all("div", id="log")[0].attributes["data-last"] == number


async def test_two_tabs_of_a_session_both_get_the_bubble(house: House) -> None:
    async with house.visitor() as visitor:
        await visitor.get("/")
        token = visitor.cookies[COOKIE]
        async with Stream(house.app, token) as one, Stream(house.app, token) as two:
            await drop(visitor, "/help")
            assert (await one.next())[1].bubbles == (await two.next())[1].bubbles


async def test_a_stream_resumes_where_it_ended(house: House) -> None:
    async with house.visitor() as visitor:
        await visitor.get("/")
        token = visitor.cookies[COOKIE]
        async with Stream(house.app, token) as stream:
            await drop(visitor, "/help")
            first, _ = await stream.next()
        await drop(visitor, "/terms")
        await drop(visitor, "/rumours")
        async with Stream(house.app, token, after="0", last=first) as stream:
            (second, terms), (third, themes) = await stream.next(), await stream.next()
        async with Stream(house.app, token, after=second) as stream:
            assert (await stream.next())[0] == third
    assert int(first) < int(second) < int(third)
    assert "Pick a letter" in terms.bubbles[0]
    assert "Pick a theme" in themes.bubbles[0]


async def test_a_stream_brings_what_another_process_wrote(house: House, build: Build) -> None:
    other = await build()
    watching = asyncio.create_task(house.web.watch())
    async with house.visitor() as here, other.visitor() as there:
        await here.get("/")
        there.cookies.update(here.cookies)
        async with Stream(house.app, here.cookies[COOKIE]) as stream:
            await drop(here, "/help")
            first, _ = await stream.next()
            for text, words in (("/terms", "Pick a letter"), ("/rumours", "Pick a theme")):
                await drop(there, text)
                number, drawn = await stream.next()
                assert words in drawn.bubbles[0]
                assert int(number) > int(first)
    house.web.close()
    async with asyncio.timeout(PATIENCE):
        await watching


async def test_a_stream_never_tells_another_conversation(house: House) -> None:
    async with house.visitor() as visitor, house.visitor() as other:
        await visitor.get("/")
        await other.get("/")
        async with Stream(house.app, other.cookies[COOKIE]) as stream:
            await drop(visitor, "/terms")
            await drop(other, "/rumours")
            assert "Pick a theme" in (await stream.next())[1].bubbles[0]


@pytest.mark.parametrize("last", ["x", "-1", "9" * 5000], ids=lambda last: last[:8])
async def test_a_stream_from_nowhere_begins_at_the_beginning(house: House, last: str) -> None:
    async with house.visitor() as visitor:
        await visitor.get("/")
        await drop(visitor, "/terms")
        async with Stream(house.app, visitor.cookies[COOKIE], last=last) as stream:
            assert "Pick a letter" in (await stream.next())[1].bubbles[0]


async def test_a_stream_from_beyond_the_end_stays_open(house: House) -> None:
    async with house.visitor() as visitor:
        await visitor.get("/")
        async with Stream(house.app, visitor.cookies[COOKIE], last="9" * 30):
            assert (await drop(visitor, "/terms")).status_code == 303


async def test_a_stream_has_the_safe_headers(house: House) -> None:
    house.web.close()
    async with house.visitor() as visitor:
        answer = await visitor.get("/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]


# What is typed stays what was typed

MARKUP = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "**bold** _under_ `code`",
    "[press](/forget)",
    "[press](javascript:alert(1))",
    "> quoted",
    "1. first",
    "- item",
    "# heading",
    "&lt;b&gt; &amp; &#60;",
    "\\*not\\*",
    '"><b>',
    "{{ 7 * 7 }}",
    "a ] ( [ b",
]


def assert_as_typed(page: Element, typed: str) -> None:
    (bubble,) = page.all("div", **{"class": "words"})
    assert {each.tag for each in bubble.all()} <= {"p", "br"}
    assert f"“{clean(typed)[:60]}”" in bubble.words


@pytest.mark.parametrize("typed", MARKUP)
async def test_markup_that_was_typed_is_shown_as_typed(house: House, typed: str) -> None:
    async with house.visitor() as visitor:
        assert_as_typed(await say(visitor, f"/term {typed}"), typed)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=80) | st.text("<>&\"'`*_[]()/\\#-+.!|~={}1a\n ", min_size=1, max_size=80))
@example("<b")
@example("1)")
async def test_whatever_is_looked_up_adds_no_element(house: House, typed: str) -> None:
    async with house.visitor() as visitor:
        page = await say(visitor, f"/term {typed}")
    (bubble,) = page.all("div", **{"class": "words"})
    assert len(page.all("script")) == 1
    if "I don't have" in bubble.words:
        assert_as_typed(page, clean(f"/term {typed}").removeprefix("/term").strip())
