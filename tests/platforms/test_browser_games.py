"""Holds the wall, the host's panel and what is printed to account in a real browser, on projectors and phones."""

import asyncio
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from bot.app import Content, repertoire, utc_now
from bot.core.message import Address
from bot.platforms.web import Web, games
from bot.platforms.web.pace import Pace
from bot.platforms.web.site import COOKIE, Site
from bot.storage.games import Panel
from bot.storage.store import Store
from bot.storage.tables import METADATA
from bot.talk.assistant import Assistant
from bot.talk.repertoire import Repertoires
from tests.platforms.browser import PATIENCE, Server, Watched, chromium, free_port, serving, watch
from tests.platforms.gaming import CODE, NAMES, Made, board, panel
from tests.platforms.test_browser import AXE, BUBBLE, GRAVE, assert_no_sideways, shot

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE * 200)

HD, OLD, PHONE = (1920, 1080), (1024, 768), (390, 844)
PAUSED = "We are pausing for a moment."
QUESTION = {"en": "What happened to Odile's sentence between the first slip and the last?", "es": "¿Qué pasó?"}
WORDS = ("It lost who said it", "First foam, then a culprit", "Nobody asked Odile")


class Everybody(dict[Address, Panel]):
    """One game, which whoever asks hosts."""

    only: Panel | None = None

    def get(self, key: Address, default: Any = None) -> Any:
        return self.only


@dataclass
class House:
    """A site with games made up, served by a thread of this process, so that a test can change them."""

    content: Content
    folder: Path
    port: int
    made: Made

    def show(self, count: int = 3, **changes: Any) -> None:
        """Put a game on the wall."""
        shown = board(self.content, count, **changes)
        self.made.boards[CODE] = shown
        self.host(panel(shown))

    def host(self, shown: Panel | None) -> None:
        """Let whoever asks be the host."""
        hosts = Everybody()
        hosts.only = shown
        self.made.panels = hosts

    def serve(self) -> None:
        """Serve until `stop`."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        store = Store(self.folder / "hearsay.db")
        await store.run(METADATA.create_all)
        web = Web(store)
        says = Repertoires({"": repertoire(self.content)})

        def made(bubbles: Any) -> None:
            for bubble in bubbles:
                web.made(bubble.where)

        assistant = Assistant(store, says, utc_now, Random(7), made=made)
        site = Site(web, assistant, pace=Pace(1000), crowd=Pace(10000), games=self.made.games(self.content))

        async def ready() -> bool:
            return True

        config = uvicorn.Config(site.app(ready), port=self.port, log_config=None, timeout_graceful_shutdown=2)
        self.server = uvicorn.Server(config)
        self.web = web
        await self.server.serve()
        store.close()

    def stop(self) -> None:
        """End every stream, then the server."""
        self.web.close()
        self.server.should_exit = True


@pytest.fixture(scope="module")
def house(content: Content, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    built = House(content, tmp_path_factory.mktemp("house"), free_port(), Made())
    quick = pytest.MonkeyPatch()
    quick.setattr(games, "LOOK_EVERY", 0.005)  # a wall that was on a moment ago is not shown again
    thread = threading.Thread(target=built.serve)
    thread.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{built.port}", trust_env=False) as client:
        for _ in range(int(PATIENCE * 20)):
            try:
                client.get("/healthz")
                break
            except httpx.TransportError:
                threading.Event().wait(0.05)
    yield built
    built.stop()
    thread.join(PATIENCE)
    quick.undo()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def watched(browser: Browser, house: House) -> Iterator[Watched]:
    found = watch(browser, Server(house.folder, house.port))
    found.context.add_cookies(
        [{"name": COOKIE, "value": "a-host-has-this-token", "url": f"http://127.0.0.1:{house.port}"}]
    )
    yield found
    found.context.close()


@pytest.fixture
def page(watched: Watched, house: House) -> Iterator[Page]:
    watched.troubles.clear()
    opened = watched.open()
    house.show()
    yield opened
    opened.close()
    assert not watched.troubles


def sized(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})


def fits(page: Page) -> bool:
    """Say whether nothing of the wall is out of sight."""
    height: list[int] = page.evaluate("[document.documentElement.scrollHeight, innerHeight]")
    return height[0] <= height[1]


def smallest(page: Page, selector: str) -> float:
    """Return the size of the smallest letters, as a share of the screen's height."""
    sizes: float = page.evaluate(
        "s => Math.min(...[...document.querySelectorAll(s)].map(e => parseFloat(getComputedStyle(e).fontSize)))",
        selector,
    )
    height: float = page.evaluate("innerHeight")
    return sizes / height


def grave(page: Page) -> list[str]:
    outcome: dict[str, Any] = page.evaluate("axe.run()")
    return [
        f"{each['id']}: {node['html']}"
        for each in outcome["violations"]
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]


# The wall


@pytest.mark.parametrize("size", [HD, OLD], ids=["1080p", "4to3"])
@pytest.mark.parametrize("count", [3, 30])
@pytest.mark.parametrize("state", ["open", "running"])
def test_every_team_is_in_sight_and_can_be_read_from_the_back(
    page: Page, house: House, count: int, size: tuple[int, int], state: str
) -> None:
    house.show(count, state=state)
    sized(page, size)
    look = "light" if count == 3 else "dark"
    page.goto(f"/game/{CODE}?look={look}")
    assert fits(page)
    assert_no_sideways(page)
    shot(page, f"wall-{state}-{count}-{size[0]}-{look}")
    names = page.locator("h3, .names li")
    assert names.count() == count
    assert smallest(page, "h1, h3, .names li, .code, .clock, .link") > 0.02
    cut = names.evaluate_all("all => all.filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent)")
    assert cut == []


@pytest.mark.parametrize("size", [HD, OLD], ids=["1080p", "4to3"])
def test_questions_pauses_and_thanks_are_in_sight(page: Page, house: House, size: tuple[int, int]) -> None:
    sized(page, size)
    shows: list[dict[str, Any]] = [
        {"state": "running", "question": QUESTION},
        {"state": "debrief", "question": QUESTION, "words": WORDS},
        {"state": "paused"},
        {"state": "ended"},
    ]
    for number, changes in enumerate(shows):
        house.show(8, **changes)
        page.goto(f"/game/{CODE}")
        assert fits(page)
        assert_no_sideways(page)
        shot(page, f"wall-say-{number}-{size[0]}")


def test_the_wall_follows_without_reloading(page: Page, house: House) -> None:
    sized(page, HD)
    page.goto(f"/game/{CODE}")
    page.evaluate("window.same = true")
    house.show(state="paused")
    expect(page.locator("main")).to_have_text(PAUSED)
    house.show(5)
    expect(page.locator("h3")).to_have_text(list(NAMES[:5]))
    assert page.evaluate("window.same")


def test_the_clock_goes_on_between_two_events(page: Page, house: House) -> None:
    page.goto(f"/game/{CODE}")
    expect(page.locator("time")).to_have_text("12:33")
    assert not page.evaluate("document.getAnimations().length")


def test_a_wall_without_scripts_is_the_same_wall(browser: Browser, house: House) -> None:
    house.show()
    plain = watch(browser, Server(house.folder, house.port), script=False)
    opened = plain.open()
    opened.goto(f"/game/{CODE}")
    expect(opened.locator("h3")).to_have_text(list(NAMES[:3]))
    assert opened.locator("noscript meta, meta[http-equiv=refresh]").count() == 1
    plain.context.close()
    assert not plain.troubles


def test_what_is_past_and_what_is_ahead_differ_by_more_than_colour(page: Page, house: House) -> None:
    page.goto(f"/game/{CODE}")
    marks = (
        page.locator(".team")
        .first.locator(".track li")
        .evaluate_all(
            """all => all.map(e => e.querySelector('.stone'))
                .map(e => [!!e.querySelector('svg'), getComputedStyle(e).borderStyle])"""
        )
    )
    assert marks == [[True, "solid"]] * 2 + [[False, "solid"]] + [[False, "dashed"]] * 4 + [[True, "dashed"]]


def test_the_wall_reads_from_the_right_as_well(page: Page, house: House) -> None:
    for count in (3, 30):
        house.show(count)
        sized(page, HD)
        page.goto(f"/game/{CODE}")
        page.evaluate("document.documentElement.dir = 'rtl'")
        assert fits(page)
        assert_no_sideways(page)
        first = (
            page.locator(".track").first.locator("li").evaluate_all("all => all.map(e => e.getBoundingClientRect().x)")
        )
        assert first == sorted(first, reverse=True)
        shot(page, f"wall-rtl-{count}")


def test_on_a_phone_the_wall_is_one_column(page: Page, house: House) -> None:
    sized(page, PHONE)
    for count, state in ((30, "running"), (30, "open"), (3, "debrief")):
        house.show(count, state=state, question=QUESTION if state == "debrief" else None, words=WORDS)
        page.goto(f"/game/{CODE}")
        assert_no_sideways(page)
        shot(page, f"wall-phone-{state}")


def test_a_wrong_code_can_be_mended_on_the_page(page: Page) -> None:
    page.goto("/game")
    page.locator("#field").fill("k7m-q4x")
    page.keyboard.press("Enter")
    expect(page.locator("h3")).to_have_count(3)


# The host


def test_the_panel_follows_and_whoever_types_is_not_disturbed(page: Page, house: House) -> None:
    sized(page, PHONE)
    page.goto("/host")
    assert_no_sideways(page)
    page.locator("#more-2 summary").click()
    field = page.locator("#name-2")
    field.press_sequentially("Blue")
    house.host(panel(house.made.boards[CODE], waiting=((4, WORDS[0]),)))
    expect(page.locator("#show-4")).to_be_visible()
    house.show(4)
    expect(page.locator("tbody tr")).to_have_count(4)
    expect(field).to_be_focused()
    page.keyboard.type(" Birds")
    expect(field).to_have_value("Blue Birds")


def test_a_press_is_answered_beside_it(page: Page, house: House) -> None:
    page.goto("/host")
    page.evaluate("document.querySelector('#do-pause').value = '/term stereotype'")
    page.locator("#do-pause").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".answers .bubble").last).to_contain_text("stereotype", ignore_case=True)
    expect(page.locator("#do-pause")).to_be_focused()


def test_everything_on_the_panel_is_reached_by_keyboard(page: Page, house: House) -> None:
    sized(page, (1400, 900))
    page.goto("/host")
    wanted = page.locator("#panel button:visible").count()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.matches('#panel button') && document.activeElement.outerHTML")
        )
    assert len(reached - {False}) == wanted


def test_the_panel_fits_a_phone_and_a_desk(page: Page, house: House) -> None:
    house.show(30)
    for size in (PHONE, (195, 422), (1400, 900)):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            sized(page, size)
            page.goto("/host")
            assert_no_sideways(page)
            shot(page, f"host-{size[0]}-{scheme}")


def test_the_sheets_print_a_page_for_each_room(page: Page) -> None:
    page.goto("/print/lido")
    assert_no_sideways(page)
    page.emulate_media(media="print")
    breaks = page.locator(".sheet").evaluate_all("all => all.map(e => getComputedStyle(e).breakAfter)")
    assert breaks == ["page"] * (len(breaks) - 1) + ["auto"]
    expect(page.locator("nav")).to_be_hidden()
    paper = page.pdf(prefer_css_page_size=True)
    assert 12 <= len(re.findall(rb"/Type\s*/Page\b", paper)) <= 20
    page.emulate_media(media="screen")


def test_nothing_on_any_of_these_pages_bars_anybody(page: Page, house: House) -> None:
    found: dict[str, list[str]] = {}

    def look(path: str, name: str) -> None:
        page.goto(path)
        page.evaluate(AXE)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            found[f"{name} {scheme}"] = grave(page)

    for changes in (
        {"state": "open"},
        {"state": "running"},
        {"state": "debrief", "question": QUESTION, "words": WORDS},
    ):
        house.show(5, **changes)
        look(f"/game/{CODE}", str(changes["state"]))
    house.show()
    house.host(panel(house.made.boards[CODE], waiting=((4, WORDS[0]),), hurt=True))
    for path in ("/host", "/game"):
        look(path, path)
    house.host(None)
    look("/host", "start")
    assert {name: problems for name, problems in found.items() if problems} == {}


# From end to end


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


def test_a_game_is_hosted_joined_played_and_talked_about(browser: Browser, server: Server) -> None:
    host, team, crowd = (watch(browser, server, width=width) for width in (1400, 390, 1920))
    desk, phone, wall = host.open(), team.open(), crowd.open()
    desk.goto("/host")
    desk.get_by_role("button", name="Foam at the Halfmoon Lido").click()
    code = desk.locator(".codes b").inner_text()
    wall.goto(f"/game/{code}")
    expect(wall.locator(".code")).to_have_text(code)
    phone.goto(f"/join/{code}")
    phone.get_by_role("button", name="Join this game").click()
    expect(wall.locator(".names li")).to_have_count(1)
    expect(desk.locator("tbody tr")).to_have_count(1)
    desk.locator("#do-start").click()
    expect(wall.locator(".team")).to_have_count(1)
    expect(wall.locator("time")).to_contain_text(re.compile(r"2\d:\d\d"))
    expect(phone.locator(BUBBLE).last).to_contain_text("What gives the picture away?")
    desk.locator("#hint-1").click()
    expect(phone.locator(BUBBLE).last).to_contain_text("Look behind it")
    desk.locator("#more-1 summary").click()
    desk.locator("#wall-1").click()
    expect(wall.locator(".ask")).to_have_text("What gives the picture away?")
    desk.locator("#tell-all").fill("Two minutes, then we talk")
    desk.keyboard.press("Enter")
    expect(phone.locator(BUBBLE).filter(has_text="Two minutes, then we talk")).to_have_count(1)
    desk.locator("#do-hurt").click()
    expect(wall.locator("main")).to_have_text(PAUSED)
    expect(desk.locator(".answers")).to_contain_text("Stop it, without a culprit.")
    desk.locator("#do-go").click()
    expect(wall.locator(".team")).to_have_count(1)
    desk.locator("#do-debrief").click()
    expect(wall.locator(".ask")).to_contain_text("What happened to Odile's sentence")
    desk.locator("#ending summary").click()
    desk.locator("#do-end").click()
    expect(wall.locator(".large")).to_have_text("Thank you for playing.")
    for each in (host, team, crowd):
        each.context.close()
        assert not each.troubles
