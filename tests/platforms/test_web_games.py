"""Holds the pages around a game to account: what the wall shows and never shows, and what is the host's alone."""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
import segno

from bot.app import Content, repertoire, utc_now
from bot.core.message import Address, Image, Reply
from bot.features.quizzes import QUIZZES
from bot.platforms.web import Web, games
from bot.platforms.web.games import GUESSES
from bot.platforms.web.pace import Pace
from bot.platforms.web.site import COOKIE, HEADERS, Site
from bot.storage import outbox
from bot.storage.games import Board
from bot.storage.outbox import Bubble
from bot.storage.store import Store
from bot.storage.tables import METADATA
from bot.talk.assistant import Assistant
from bot.talk.repertoire import Repertoire, Repertoires
from tests.platforms.gaming import CODE, HOST_CODE, NAMES, Made, board, panel
from tests.platforms.test_web_pages import ORIGIN, PATIENCE, Element, Stream, read

TOKEN = "a-host-has-this-token-in-a-cookie"
HOST = Address("web", sha256(TOKEN.encode()).hexdigest()[:32])
WORD = "Nobody asked Odile"
PAUSED = "We are pausing for a moment."


class Watch(Stream):
    """A stream of any page."""

    def __init__(self, app: Any, path: str, query: str = "", cookie: str = "") -> None:
        super().__init__(app, cookie)
        self._coming: asyncio.Future[tuple[str, str]] | None = None
        self._scope["path"] = path
        self._scope["query_string"] = query.encode()
        self._scope["headers"] = [*self._scope["headers"], (b"host", b"chat.test")]

    async def event(self) -> tuple[str, str]:
        """Return the next event's name and data."""
        coming, self._coming = self._coming or asyncio.ensure_future(self._next()), None
        return await coming

    async def _next(self) -> tuple[str, str]:
        async with asyncio.timeout(PATIENCE):
            while True:
                while "\n\n" not in self._text:
                    self._text += (await self._chunk()).decode()
                block, _, self._text = self._text.partition("\n\n")
                lines = [line.partition(": ") for line in block.split("\n")]
                if names := [value for name, _, value in lines if name == "event"]:
                    return names[0], "\n".join(value for name, _, value in lines if name == "data")

    async def silent(self, seconds: float) -> bool:
        """Say whether nothing comes for a while; what comes later is still to be heard."""
        self._coming = asyncio.ensure_future(self._next())
        return not (await asyncio.wait([self._coming], timeout=seconds))[0]


@dataclass
class House:
    """A site whose games are made up."""

    site: Site
    made: Made
    web: Web
    base: str = ""

    def __post_init__(self) -> None:
        async def ready() -> bool:
            return True

        self.app = self.site.app(ready)

    def visitor(self, *, at: str = "203.0.113.7", token: str = "", origin: str = ORIGIN) -> httpx.AsyncClient:
        """Return somebody's browser, without JavaScript."""
        transport = httpx.ASGITransport(self.app, client=(at, 1))
        cookies = {COOKIE: token} if token else {}
        return httpx.AsyncClient(transport=transport, base_url=f"{origin}{self.base}", cookies=cookies)

    async def page(self, path: str, status: int = 200, **visitor: str) -> Element:
        """Return a page as somebody sees it."""
        async with self.visitor(**visitor) as browser:
            answer = await browser.get(path)
        assert answer.status_code == status, answer.text
        return read(answer)

    def show(self, shown: Board) -> Board:
        """Put a game on the wall, hosted by whoever has the host's cookie."""
        self.made.boards[shown.code] = shown
        self.made.panels[HOST] = panel(shown)
        return shown


@pytest.fixture(scope="module")
def spoken(content: Content) -> Repertoire:
    return repertoire(content)


@pytest.fixture
async def build(spoken: Repertoire, content: Content, tmp_path: Path) -> AsyncIterator[Callable[..., House]]:
    store = Store(tmp_path / "hearsay.db")
    await store.run(METADATA.create_all)

    def built(*, base: str = "", doors: Mapping[str, str] | None = None) -> House:
        web, made = Web(store), Made()
        assistant = Assistant(store, Repertoires({"": spoken}), utc_now, Random(7), made=lambda _: None)
        lent = made.games(content, doors)
        return House(Site(web, assistant, base=base, pace=Pace(1000), crowd=Pace(1000), games=lent), made, web, base)

    yield built
    store.close()


@pytest.fixture
def house(build: Callable[..., House], content: Content, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(games, "LOOK_EVERY", 0.01)
    built = build()
    built.show(board(content))
    return built


def words(page: Element) -> str:
    return " ".join(page.words.split())


# What everybody sees


async def test_the_wall_needs_no_login_and_sets_no_cookie(house: House) -> None:
    async with house.visitor() as visitor:
        answers = [await visitor.get(path) for path in (f"/game/{CODE}", f"/game/{CODE}/qr.svg", f"/join/{CODE}")]
    for answer in answers:
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers.items() >= {name.lower(): value for name, value in HEADERS.items()}.items()


async def test_the_wall_tells_title_clock_and_every_team(house: House, content: Content) -> None:
    page = await house.page(f"/game/{CODE}")
    (clock,) = page.all("time")
    quiz = content.library.all(QUIZZES, "en")["lido"]
    assert [title.words for title in page.all("h1")] == [quiz.title]
    assert clock.words == "12:34"
    assert [name.words for name in page.all("h3")] == list(NAMES[:3])
    told = [each.words for each in page.all("p", **{"class": "unseen"})]
    rooms = [room.name for room in quiz.rooms.values()]
    assert told == [f"Room {place} of 7: {rooms[place - 1]}" for place in (3, 6, 1)]


async def test_every_page_obeys_the_policy_that_forbids_inline_styles_and_scripts(house: House) -> None:
    pages = [await house.page(path) for path in (f"/game/{CODE}", f"/join/{CODE}", "/game", "/host")]
    pages += [await house.page(path, token=TOKEN) for path in ("/host", "/print/lido")]
    for page in pages:
        assert not [each for each in page.all() if "style" in each.attributes or each.tag == "style"]
        assert not [each for each in page.all() if any(name.startswith("on") for name in each.attributes)]
        assert all(script.attributes.get("src") for script in page.all("script"))


async def test_without_javascript_the_wall_comes_anew_by_itself(house: House) -> None:
    (without,) = (await house.page(f"/game/{CODE}")).all("noscript")
    (refresh,) = without.all("meta")
    assert refresh.attributes == {"http-equiv": "refresh", "content": "10"}


async def test_nothing_of_the_host_is_on_the_wall(house: House) -> None:
    shown = house.made.boards[CODE]
    house.made.panels[HOST] = panel(shown, waiting=((4, WORD),), hurt=True)
    drawn = words(await house.page(f"/game/{CODE}"))
    assert not [secret for secret in (HOST_CODE, WORD, "hurtful", "silent", "/host") if secret in drawn]


async def test_an_open_game_shows_how_to_come_in(house: House) -> None:
    house.show(replace(house.made.boards[CODE], state="open", seconds=None))
    page = await house.page(f"/game/{CODE}")
    (code,) = page.all("p", **{"class": "code"})
    (link,) = page.all("p", **{"class": "link"})
    (picture,) = page.all("img", **{"class": "qr"})
    assert code.words.strip() == CODE
    assert link.words == f"chat.test/join/{CODE}"
    assert picture.attributes["alt"] == f"QR code of http://chat.test/join/{CODE}"
    assert [each.words for each in page.all("ul", **{"class": "names few"})[0].all("li")] == list(NAMES[:3])


async def test_the_picture_holds_the_link(house: House) -> None:
    async with house.visitor() as visitor:
        answer = await visitor.get(f"/game/{CODE}/qr.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    wanted = io.BytesIO()
    code = segno.make(f"http://chat.test/join/{CODE}", error="m")
    code.save(wanted, kind="svg", border=3, light="#fff", scale=10, omitsize=True, svgclass=None, lineclass=None)
    assert answer.content == wanted.getvalue()
    assert b"style" not in answer.content


async def test_where_the_outside_knows_it_by_another_address_that_is_shown(
    build: Callable[..., House], content: Content
) -> None:
    house = build(doors={"web": "http://192.0.2.9:8080", "telegram": "https://t.me/somebot?start="})
    house.show(board(content, state="open"))
    page = words(await house.page(f"/game/{CODE}", origin="http://127.0.0.1:8080"))
    assert "192.0.2.9:8080/join" in page
    assert "127.0.0.1" not in page
    assert "Telegram: t.me/somebot" in page
    panel_of = await house.page("/host", token=TOKEN)
    assert [each.words for each in panel_of.all("figcaption")] == ["Web", "Telegram"]
    async with house.visitor() as visitor:
        pictures = {(await visitor.get(f"/game/{CODE}/qr.svg?by={name}")).content for name in ("web", "telegram", "x")}
    assert len(pictures) == 2


async def test_an_address_that_phones_cannot_reach_is_said_to_the_host(house: House) -> None:
    far = words(await house.page("/host", token=TOKEN))
    near = words(await house.page("/host", token=TOKEN, origin="http://127.0.0.1:8080"))
    assert "This address works on this machine only" in near
    assert "This address works on this machine only" not in far


async def test_a_pause_says_only_that_there_is_one(house: House) -> None:
    house.show(replace(house.made.boards[CODE], state="paused"))
    page = await house.page(f"/game/{CODE}")
    (main,) = page.all("main")
    assert words(main) == PAUSED
    assert not page.all("time")


async def test_a_debrief_shows_the_question_and_what_was_released(house: House) -> None:
    typed = '<b onclick="x()">Foam & a culprit</b>'
    house.show(
        replace(
            house.made.boards[CODE],
            state="debrief",
            question={"en": "When were you *sure*?", "es": "¿Cuándo?"},
            words=(WORD, typed),
        )
    )
    page = await house.page(f"/game/{CODE}")
    (question,) = page.all("div", **{"class": "ask"})
    (released,) = page.all("ul", **{"class": "released"})
    assert words(question) == "When were you sure?"
    assert [each.words for each in released.all("li")] == [WORD, typed]
    assert not released.all("b")


async def test_the_end_says_thanks(house: House) -> None:
    house.show(replace(house.made.boards[CODE], state="ended"))
    assert "Thank you for playing." in words(await house.page(f"/game/{CODE}"))


async def test_a_team_that_is_out_and_one_whose_time_is_over_are_told_apart_in_words(house: House) -> None:
    shown = house.made.boards[CODE]
    first, second, third = shown.teams
    ended = replace(first, room=7, done=True, escaped=True), replace(second, room=7, done=True), third
    house.show(replace(shown, teams=ended))
    page = await house.page(f"/game/{CODE}")
    assert [each.words for each in page.all("p", **{"class": "unseen"})][:2] == ["Out", "Finished"]


async def test_a_name_is_never_markup(house: House) -> None:
    shown = house.made.boards[CODE]
    house.show(replace(shown, teams=(replace(shown.teams[0], name="<img src=x>"),)))
    page = await house.page(f"/game/{CODE}")
    assert [name.words for name in page.all("h3")] == ["<img src=x>"]
    host = await house.page("/host", token=TOKEN)
    assert not host.all("img", src="x")


@pytest.mark.parametrize(("count", "size"), [(0, "few"), (3, "few"), (10, "some"), (30, "many"), (31, "crowd")])
async def test_columns_adapt_to_the_number_of_teams(house: House, content: Content, count: int, size: str) -> None:
    house.show(board(content, count))
    page = await house.page(f"/game/{CODE}")
    (teams,) = [each for each in page.all("ul") if "teams" in each.attributes["class"]]
    assert teams.attributes["class"].split() == ["teams", size]
    assert len(teams.all("h3")) == count


async def test_the_wall_speaks_the_game_s_language_or_the_one_asked_for(house: House) -> None:
    house.show(replace(house.made.boards[CODE], language="es"))
    assert "El juego está en marcha" in words(await house.page(f"/game/{CODE}"))
    assert "The game is on" in words(await house.page(f"/game/{CODE}?lang=en"))


async def test_below_a_prefix_every_link_stays_there(build: Callable[..., House], content: Content) -> None:
    house = build(base="/hearsay")
    house.show(board(content, state="open"))
    for page in (await house.page(f"/game/{CODE}"), await house.page("/host", token=TOKEN)):
        links = [
            each.attributes[name]
            for each in page.all()
            for name in ("href", "src", "action")
            if name in each.attributes
        ]
        assert links
        assert not [link for link in links if not link.startswith(("/hearsay/", "#", "?"))]


# Codes


@pytest.mark.parametrize("typed", ["k7mq4x", "K7M-Q4X", "k7m q4x"])
async def test_a_code_is_known_however_it_is_typed(house: House, typed: str) -> None:
    async with house.visitor() as visitor:
        led = await visitor.get(f"/game/{typed}?look=dark")
        asked = await visitor.get("/game", params={"code": typed})
    assert (led.status_code, led.headers["location"]) == (303, f"/game/{CODE}?look=dark")
    assert (asked.status_code, asked.headers["location"]) == (303, f"/game/{CODE}")


@pytest.mark.parametrize(
    "path", ["/game/K7MQ44", "/join/K7MQ44", "/game/x", "/game/K7MQ44/qr.svg", "/game/K7MQ44/events"]
)
async def test_a_wrong_code_gets_a_kind_page_with_room_for_another(house: House, path: str) -> None:
    page = await house.page(path, 404)
    assert "Perhaps a letter went astray" in words(page)
    (form,) = page.all("form")
    assert (form.attributes["method"], form.attributes["action"]) == ("get", "/game")
    assert form.all("input", name="code")


async def test_codes_cannot_be_guessed_for_long(house: House, content: Content) -> None:
    other = house.show(board(content, code="HERE23"))
    async with house.visitor() as visitor:
        await visitor.get(f"/game/{CODE}")
        wrong = [(await visitor.get(f"/game/AAAA{number:02}")).status_code for number in range(GUESSES + 5)]
        right = await visitor.get(f"/game/{other.code}")
        known = await visitor.get(f"/game/{CODE}")
    assert wrong == [404] * GUESSES + [429] * 5
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) > 0
    assert "Try again in" in words(read(right))
    assert known.status_code == 200
    await house.page(f"/game/{other.code}", at="203.0.113.8")


async def test_what_is_no_code_is_not_even_looked_up(house: House) -> None:
    await house.page("/game/%3Cb%3E", 404)
    await house.page("/game/x", 404)
    assert house.made.asked == []


async def test_the_way_in_is_one_press_and_nothing_before_it(house: House) -> None:
    page = await house.page(f"/join/{CODE}")
    (form,) = page.all("form")
    assert form.attributes["action"] == "/say"
    assert [each.attributes["value"] for each in form.all("button")] == [f"/join {CODE}"]


# What comes by itself


async def test_a_wall_that_changes_is_told_and_one_that_does_not_is_left_alone(house: House) -> None:
    shown = house.made.boards[CODE]
    async with Watch(house.app, f"/game/{CODE}/events") as stream:
        name, drawn = await stream.event()
        assert (name, "The game is on" in drawn) == ("board", True)
        assert await stream.silent(0.1)
        house.show(replace(shown, state="paused"))
        assert PAUSED in (await stream.event())[1]


async def test_a_clock_that_was_moved_on_is_told(house: House) -> None:
    shown = house.made.boards[CODE]
    async with Watch(house.app, f"/game/{CODE}/events") as stream:
        await stream.event()
        house.show(replace(shown, seconds=754.0 + 300))
        assert "17:34" in (await stream.event())[1]


async def test_a_stream_that_has_nothing_to_tell_says_that_it_lives(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(games, "BREATH", 0.05)
    async with Watch(house.app, f"/game/{CODE}/events") as stream:
        assert [(await stream.event())[0] for _ in range(3)] == ["board"] * 3


async def test_a_game_that_is_no_more_ends_its_streams(house: House) -> None:
    async with Watch(house.app, f"/game/{CODE}/events") as stream:
        await stream.event()
        house.made.boards.clear()
        assert await stream.event() == ("gone", "")


async def test_a_server_that_stops_ends_the_streams(house: House) -> None:
    async with Watch(house.app, f"/game/{CODE}/events") as stream:
        await stream.event()
        house.web.close()
        async with asyncio.timeout(PATIENCE):
            await stream._task


async def test_however_many_look_on_the_game_is_read_once_in_a_while(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(games, "LOOK_EVERY", 60.0)
    for _ in range(5):
        await house.page(f"/game/{CODE}")
    assert house.made.asked == [CODE]


# The host's alone


async def test_whoever_hosts_nothing_is_asked_which_game(house: House) -> None:
    page = await house.page("/host")
    assert NAMES[0] not in words(page)
    offered = [each.attributes["value"] for each in page.all("button", name="text")]
    assert offered == ["/host forwarded", "/host lido", "/host night-bus"]


async def test_the_panel_shows_each_team_and_who_is_silent(house: House) -> None:
    page = await house.page("/host", token=TOKEN)
    rows = [words(row) for row in page.all("tr")][1:]
    assert len(rows) == 3
    assert rows[0].startswith("1 Amber Lanterns Radio Halfmoon – 1 1 minute")
    assert "silent for 9 minutes" in rows[1]
    assert rows[2].startswith("3 Coral Lanterns The lockers 1.1 photo 0 3 minutes")
    assert HOST_CODE in words(page)


async def test_every_press_of_the_panel_says_a_command_and_comes_back(house: House) -> None:
    page = await house.page("/host", token=TOKEN)
    forms = [form for form in page.all("form") if form.all("button")]
    for form in forms:
        assert form.attributes["action"] == "/say"
        assert form.hidden["back"] == "host"
        said = [each.attributes.get("value", form.hidden.get("before")) for each in form.all("button")]
        assert said
        assert all(text and text.startswith("/") for text in said)
    async with house.visitor(token=TOKEN) as visitor:
        answer = await visitor.post("/say", data={**forms[0].hidden, "text": "/help"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/host")


async def test_what_stands_before_typed_words_makes_a_command_of_them(house: House) -> None:
    async with house.visitor(token=TOKEN) as visitor:
        await visitor.post("/say", data={"before": "/term", "text": "stereotype", "back": "host", "lang": "en"})
        page = read(await visitor.get("/host"))
    (answers,) = page.all("div", **{"class": "answers"})
    assert "stereotype" in words(answers).lower()
    assert all(form.hidden["back"] == "host" for form in answers.all("form"))


async def test_the_panel_follows_what_happens(house: House) -> None:
    shown = house.made.boards[CODE]
    async with Watch(house.app, "/host/events", cookie=TOKEN) as stream:
        name, drawn = await stream.event()
        assert (name, "Words that wait" in drawn) == ("panel", False)
        assert await stream.silent(0.1)
        house.made.panels[HOST] = panel(shown, waiting=((4, WORD),))
        drawn = (await stream.event())[1]
        assert WORD in drawn
        assert 'value="/game release 4"' in drawn
        house.made.panels.clear()
        assert await stream.event() == ("gone", "")


async def test_something_hurtful_is_known_to_the_host_alone(house: House) -> None:
    shown = house.show(replace(house.made.boards[CODE], state="paused"))
    house.made.panels[HOST] = panel(shown, hurt=True)
    assert "for you alone" in words(await house.page("/host", token=TOKEN))
    assert words((await house.page(f"/game/{CODE}")).all("main")[0]) == PAUSED


async def test_the_notes_stand_beside_the_panel_and_the_answers_do_not(house: House, content: Content) -> None:
    page = await house.page("/host", token=TOKEN)
    quiz = content.library.all(QUIZZES, "en")["lido"]
    (notes,) = page.all("aside")
    assert quiz.facilitator
    assert quiz.facilitator.aim in words(notes)
    assert "rubber duck can do it" not in words(page)


async def test_the_key_is_the_host_s_of_that_game_and_nobody_else_s(house: House) -> None:
    assert "hearsay print" in words(await house.page("/print/lido", 404))
    await house.page("/print/lido", 404, token="somebody-else-with-a-cookie")
    await house.page("/print/forwarded", 404, token=TOKEN)
    await house.page("/print/no-such-game", 404, token=TOKEN)
    page = await house.page("/print/lido", token=TOKEN)
    assert "A rubber duck can do it" in words(page)
    assert "Solo para quien dirige" in words(await house.page("/print/lido?lang=es", token=TOKEN))


async def test_the_page_of_the_host_s_own_language_is_used(house: House) -> None:
    async with house.visitor(token=TOKEN) as visitor:
        await visitor.post("/say", data={"text": "/language es"})
        page = read(await visitor.get("/host"))
    assert "Pausa para todos" in words(page)


async def test_no_address_of_a_page_is_taken_for_a_card(house: House) -> None:
    async with house.visitor() as visitor:
        assert (await visitor.get("/rumour/council-flats")).status_code == 200
        assert re.search("nothing here", (await visitor.get("/game/x/y")).text)


# Pictures in bubbles


async def test_a_picture_is_shown_to_whose_conversation_it_is_in_and_to_nobody_else(house: House) -> None:
    store = house.site._assistant.store
    data = b"\x89PNG and so on"
    reply = Reply("Look", image=Image("A white page", data=data))
    made = await store.run(lambda tx: outbox.add(tx, Bubble(0, HOST, reply, "en"), utc_now(), state="read"))
    page = await house.page("/", token=TOKEN)
    (picture,) = page.all("img", **{"class": "picture"})
    assert picture.attributes["alt"] == "A white page"
    async with house.visitor(token=TOKEN) as mine, house.visitor(token="somebody-else-with-a-cookie") as theirs:
        answer = await mine.get(picture.attributes["src"])
        refused = [await theirs.get(f"/image/{made.id}"), await mine.get("/image/999"), await mine.get("/image/x")]
    assert (answer.content, answer.headers["content-type"]) == (data, "image/png")
    assert [each.status_code for each in refused] == [404, 404, 404]


async def test_a_picture_whose_file_is_gone_is_no_error(house: House, tmp_path: Path) -> None:
    store = house.site._assistant.store
    reply = Reply("Look", image=Image("A white page", path=tmp_path / "gone.png"))
    made = await store.run(lambda tx: outbox.add(tx, Bubble(0, HOST, reply, "en"), utc_now(), state="read"))
    await house.page(f"/image/{made.id}", 404, token=TOKEN)
