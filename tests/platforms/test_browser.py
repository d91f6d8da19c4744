"""Holds the web chat to account in a real browser, on a phone's screen: what people see, press and lose."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import axe_playwright_python
import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.platforms.browser import PATIENCE, PHONE, ROOT, Server, Watched, chromium, serving, watch

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE * 200)

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
GRAVE = {"serious", "critical"}
BUBBLE = "#log .bubble"
CARD = "/rumour council-flats"
HEARD = "Migrants get the council flats first."


@dataclass(frozen=True)
class Words:
    """What is typed and read in one language."""

    language: str
    hello: str
    heard: str
    offered: str
    card: str
    truth: str
    more_facts: str
    feeling: str
    questions: str
    not_it: str
    sorry: str
    tip: tuple[str, str, str]
    asks: tuple[str, str, str]
    another: str
    term: str
    definition: str
    themes: str
    theme: str
    chosen: str
    other: str


ENGLISH = Words(
    "en",
    "Hello, I'm Hearsay, an automated assistant",
    "they get all the flats before us",
    "Do you mean one of these?",
    "How council flats are given out",
    "Rules for council homes favour need",
    "More facts",
    "The feeling behind it",
    "Questions to ask:",
    "That's not it",
    "Sorry about that",
    ("Family", "At home, at the table", "Worry or fear"),
    ("Who is it?", "Where are you?", "What do you hear in their words?"),
    "Another situation",
    "stereotype",
    "stereotype.",
    "Pick a theme",
    "Homes and living side by side",
    "A partir de ahora respondo en español",
    "Español",
)
SPANISH = Words(
    "es",
    "Hola, soy Hearsay, un asistente automático",
    "se llevan todas las ayudas",
    "¿Te refieres a una de estas?",
    "Ayudas, quién cobra y quién aporta",
    "En los países de la OCDE estudiados",
    "Más datos",
    "La emoción que hay detrás",
    "Preguntas que puedes hacer:",
    "No es eso",
    "Perdona",
    ("Familia", "En casa, en la mesa", "Preocupación o miedo"),
    ("¿Quién es?", "¿Dónde estás?", "¿Qué notas en sus palabras?"),
    "Otra situación",
    "stereotype",
    "estereotipo.",
    "Elige un tema",
    "Vivienda y convivencia",
    "From now on I answer in English",
    "English",
)
LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, SPANISH], ids=["en", "es"])
SCRIPTS = pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def phones(browser: Browser, server: Server) -> Iterator[dict[tuple[bool, str], tuple[Watched, Page]]]:
    """One open phone for each way of browsing: a context costs most of a second."""
    opened: dict[tuple[bool, str], tuple[Watched, Page]] = {}
    yield opened
    for watched, _ in opened.values():
        watched.context.close()


@pytest.fixture
def phone(
    request: pytest.FixtureRequest,
    browser: Browser,
    server: Server,
    phones: dict[tuple[bool, str], tuple[Watched, Page]],
) -> Iterator[Page]:
    """A tab of somebody who was never here, in the test's language, with scripts or without."""
    asked = getattr(request.node, "callspec", None)
    words: Words = asked.params.get("words", ENGLISH) if asked else ENGLISH
    kind = (asked.params.get("script", True) if asked else True, words.language)
    if kind not in phones:
        watched = watch(browser, server, script=kind[0], language=kind[1])
        phones[kind] = watched, watched.open()
    watched, page = phones[kind]
    watched.context.clear_cookies()
    watched.troubles.clear()
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.emulate_media(color_scheme="light")
    page.goto("/")
    yield page
    assert not watched.troubles


@pytest.fixture
def lossy(browser: Browser, server: Server) -> Iterator[Page]:
    """A tab whose line breaks: the browser's own complaints about that are no trouble, anything else is."""
    watched = watch(browser, server)
    page = watched.open()
    page.goto("/")
    yield page
    watched.context.close()
    assert not [each for each in watched.troubles if "net::ERR_" not in each]


@pytest.fixture
def stranger(browser: Browser, server: Server) -> Iterator[Watched]:
    watched = watch(browser, server)
    yield watched
    watched.context.close()
    assert not watched.troubles


def send(page: Page, text: str) -> None:
    page.locator("#field").fill(text)
    page.locator("#say .row button").click()


def ask(page: Page, words: Words) -> None:
    """Tell what was heard and go on to its card, whether it comes at once or is offered."""
    send(page, words.heard)
    either = re.compile(f"{re.escape(words.truth)}|{re.escape(words.offered)}")
    expect(newest(page)).to_contain_text(either)
    if words.offered in newest(page).inner_text():
        press(page, words.card)
    expect(newest(page)).to_contain_text(words.truth)


def newest(page: Page) -> Locator:
    return page.locator(BUBBLE).last


def press(page: Page, label: str) -> None:
    newest(page).locator("button", has_text=re.compile(f"^{re.escape(label)}$")).click()


def shot(page: Page, name: str) -> None:
    """Save what the screen shows, for somebody to look at, where that is wished for."""
    if os.environ.get("HEARSAY_SCREENSHOTS"):
        page.screenshot(path=ROOT / "tests" / "screenshots" / f"{name}.png")


def assert_no_sideways(page: Page) -> None:
    sizes = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert sizes[0] <= sizes[1]


def fence(page: Page, bubbles: int) -> None:
    """Say one thing more, and see that its answer makes `bubbles` of them: whatever was said before came before it."""
    send(page, "/support")
    expect(newest(page)).to_contain_text("112")
    expect(page.locator(BUBBLE)).to_have_count(bubbles)


# What a visit is for


@SCRIPTS
@LANGUAGES
def test_a_first_visit_says_who_answers(phone: Page, words: Words, script: bool) -> None:
    expect(phone.locator(BUBBLE)).to_have_count(1)
    expect(phone.locator(BUBBLE)).to_contain_text(words.hello)
    expect(phone.locator("html")).to_have_attribute("lang", words.language)
    assert_no_sideways(phone)
    shot(phone, f"first-{words.language}-{'script' if script else 'plain'}")


@SCRIPTS
@LANGUAGES
def test_a_rumour_in_own_words_leads_to_its_card_and_behind_it(phone: Page, words: Words, script: bool) -> None:
    ask(phone, words)
    assert_no_sideways(phone)
    shot(phone, f"card-{words.language}-{'script' if script else 'plain'}")
    card = newest(phone).get_attribute("id")
    for label, answer in (
        (words.more_facts, words.truth),
        (words.feeling, words.questions),
        (words.not_it, words.sorry),
    ):
        count = phone.locator(BUBBLE).count()
        phone.locator(f"#{card}").get_by_role("button", name=label, exact=True).click()
        expect(phone.locator(BUBBLE)).to_have_count(count + 1)
        expect(newest(phone)).to_contain_text(answer)
        phone.wait_for_timeout(450)  # sooner, a press on the same spot is taken for the second of a double one
    assert_no_sideways(phone)


@SCRIPTS
@LANGUAGES
def test_a_tip_is_narrowed_by_three_presses(phone: Page, words: Words, script: bool) -> None:
    send(phone, "/tip")
    for asked, label in zip(words.asks, words.tip, strict=True):
        expect(newest(phone)).to_contain_text(asked)
        press(phone, label)
    expect(newest(phone).get_by_role("button", name=words.another)).to_be_visible()
    assert_no_sideways(phone)


@SCRIPTS
@LANGUAGES
def test_a_term_is_looked_up(phone: Page, words: Words, script: bool) -> None:
    send(phone, f"/term {words.term}")
    expect(newest(phone)).to_contain_text(words.definition, ignore_case=True)
    assert_no_sideways(phone)
    shot(phone, f"term-{words.language}-{'script' if script else 'plain'}")


@SCRIPTS
@LANGUAGES
def test_the_list_of_rumours_reaches_a_card_in_three_presses(phone: Page, words: Words, script: bool) -> None:
    send(phone, "/rumours")
    expect(newest(phone)).to_contain_text(words.themes)
    press(phone, words.theme)
    expect(newest(phone)).not_to_contain_text(words.themes)  # the list of themes names this one too
    newest(phone).locator(".choices button").first.click()
    expect(newest(phone).get_by_role("button", name=words.not_it)).to_be_visible()


@SCRIPTS
@LANGUAGES
def test_another_language_changes_the_page_and_keeps_the_conversation(phone: Page, words: Words, script: bool) -> None:
    send(phone, "/rumours")
    expect(newest(phone)).to_contain_text(words.themes)
    phone.get_by_role("button", name=words.other).click()
    expect(phone.locator("html")).not_to_have_attribute("lang", words.language)
    expect(phone.locator(BUBBLE)).to_have_count(2)
    expect(phone.locator(BUBBLE).first).to_contain_text(words.themes)
    expect(phone.locator(BUBBLE).first).to_have_attribute("lang", words.language)
    expect(newest(phone)).to_contain_text(words.chosen)
    assert_no_sideways(phone)


@SCRIPTS
def test_a_reload_shows_what_the_assistant_said(phone: Page, script: bool) -> None:
    send(phone, CARD)
    expect(newest(phone)).to_contain_text(ENGLISH.truth)
    said = phone.locator(f"{BUBBLE}:not(#b0)").all_inner_texts()
    phone.reload()
    assert phone.locator(BUBBLE).all_inner_texts() == said
    expect(phone.locator(".mine")).to_have_count(0)


# Two tabs, a bad line, a nervous finger


def test_what_is_posted_in_one_tab_appears_in_the_other(stranger: Watched) -> None:
    one, two = stranger.open(), stranger.open()
    one.goto("/")
    two.goto("/")
    send(one, CARD)
    send(one, "/support")
    for page in (one, two):
        expect(page.locator(BUBBLE).nth(1)).to_contain_text(ENGLISH.truth)
        expect(page.locator(BUBBLE).nth(2)).to_contain_text("112")
        expect(page.locator(BUBBLE)).to_have_count(3)
    send(two, "/rumours")
    expect(newest(one)).to_contain_text(ENGLISH.themes)


def test_after_forgetting_in_one_tab_both_say_so_and_both_can_go_on(stranger: Watched) -> None:
    one, two = stranger.open(), stranger.open()
    one.goto("/")
    two.goto("/")
    send(one, "/rumours")
    expect(newest(two)).to_contain_text(ENGLISH.themes)
    send(one, "/forget")
    for page in (one, two):
        expect(page).to_have_url(re.compile("/forgotten"))
        expect(page.locator(".words")).to_contain_text("is deleted")
        page.get_by_role("link", name="To the chat").click()
        expect(newest(page)).to_contain_text(ENGLISH.hello)
        expect(page.locator(BUBBLE)).to_have_count(1)
    send(two, "/support")
    expect(newest(two)).to_contain_text("112", timeout=10_000)


def test_what_was_posted_while_offline_is_there_when_the_line_is_back(lossy: Page, server: Server) -> None:
    phone = lossy
    send(phone, "/rumours")
    expect(newest(phone)).to_contain_text(ENGLISH.themes)
    phone.context.set_offline(offline=True)
    cookies = {each["name"]: each["value"] for each in phone.context.cookies()}
    elsewhere = httpx.post(f"{server.address}/say", data={"text": "/support"}, cookies=cookies, trust_env=False)
    assert elsewhere.status_code == 303
    phone.locator("#field").fill(HEARD)
    phone.keyboard.press("Enter")
    expect(phone.locator("#status")).to_contain_text("Connection lost")
    phone.context.set_offline(offline=False)
    expect(phone.locator(BUBBLE, has_text=ENGLISH.truth)).to_have_count(1)
    expect(phone.locator(BUBBLE, has_text="112")).to_have_count(1)


def test_what_was_typed_while_the_server_was_away_is_answered_once(lossy: Page, server: Server) -> None:
    phone = lossy
    send(phone, "/rumours")
    expect(newest(phone)).to_contain_text(ENGLISH.themes)
    server.stop()
    expect(phone.locator("#status")).to_contain_text("Connection lost")
    send(phone, HEARD)
    server.start()
    expect(newest(phone)).to_contain_text(ENGLISH.truth)
    expect(phone.locator(BUBBLE)).to_have_count(3)
    expect(phone.locator("#status")).not_to_contain_text("Connection lost")
    fence(phone, 4)


def test_a_command_typed_while_offline_is_no_mistake_of_the_page(lossy: Page) -> None:
    lossy.context.set_offline(offline=True)
    with lossy.expect_event("requestfailed", lambda failed: "/suggest" in failed.url):
        lossy.locator("#field").press_sequentially("/te")
    lossy.evaluate("new Promise(done => setTimeout(done))")  # what the page did wrong is told before this is


@SCRIPTS
def test_a_double_click_sends_once(phone: Page, script: bool) -> None:
    phone.locator("#field").fill("/rumours")
    phone.locator("#say .row button").dblclick()
    expect(newest(phone)).to_contain_text(ENGLISH.themes)
    fence(phone, 3 if script else 2)


@SCRIPTS
def test_a_double_click_on_a_choice_is_answered_once(phone: Page, script: bool) -> None:
    send(phone, CARD)
    expect(newest(phone)).to_contain_text(ENGLISH.truth)
    newest(phone).get_by_role("button", name=ENGLISH.feeling).dblclick()
    expect(phone.locator(BUBBLE, has_text=ENGLISH.questions)).to_have_count(1)
    fence(phone, 4 if script else 3)


# Hands and eyes of every kind


def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    for _ in range(60):
        page.keyboard.press(key)
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{key} never reaches {selector}")


def test_the_keyboard_alone_is_enough(phone: Page) -> None:
    phone.evaluate("document.activeElement.blur()")
    tab_to(phone, "#field")
    phone.keyboard.type(CARD)
    phone.keyboard.press("Enter")
    expect(newest(phone)).to_contain_text(ENGLISH.truth)
    expect(phone.locator("#field")).to_be_focused()
    tab_to(phone, ".choices button", "Shift+Tab")
    focused = phone.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert focused != "none"
    tab_to(phone, '.choices button[value="/rumour council-flats feeling"]', "Shift+Tab")
    phone.keyboard.press("Enter")
    expect(newest(phone)).to_contain_text(ENGLISH.questions)


def test_a_way_past_everything_leads_to_the_field(phone: Page) -> None:
    tab_to(phone, ".skip", "Shift+Tab")
    expect(phone.locator(".skip")).to_be_in_viewport()
    phone.keyboard.press("Enter")
    expect(phone.locator("#field")).to_be_focused()


def test_what_is_typed_is_completed(phone: Page) -> None:
    options = phone.locator("#commands option")
    assert options.count() > 8
    phone.locator("#field").press_sequentially("/te")
    expect(options).to_have_count(5)
    assert options.evaluate_all("all => all.map(each => each.value)") == [
        "/technique ",
        "/techniques",
        "/term ",
        "/terms ",
        "/team ",
    ]
    phone.locator("#field").press_sequentially("rm ster")
    expect(options).to_have_count(1)
    expect(options).to_have_attribute("value", "/term stereotype")


def test_a_late_completion_never_replaces_a_newer_one(phone: Page) -> None:
    phone.evaluate(
        """() => {
            const json = Response.prototype.json;
            const gate = new Promise(open => { window.release = open; });
            window.held = new Promise(open => { window.hold = open; });
            Response.prototype.json = async function () {
                const read = await json.call(this);
                if (this.url.includes("text=%2Ft&")) { window.hold(); await gate; }
                return read;
            };
        }"""
    )
    options = phone.locator("#commands option")
    phone.locator("#field").press_sequentially("/t")
    phone.evaluate("held")
    phone.locator("#field").press_sequentially("e")
    expect(options).to_have_count(5)
    phone.evaluate("release()")
    phone.evaluate("new Promise(done => setTimeout(done))")
    expect(options).to_have_count(5)
    assert "/tip" not in options.evaluate_all("all => all.map(each => each.value)")


def test_the_link_of_a_card_opens_the_same_card_for_a_stranger(phone: Page, stranger: Watched) -> None:
    send(phone, CARD)
    expect(newest(phone)).to_contain_text(ENGLISH.truth)
    link = newest(phone).locator(".share").get_attribute("href")
    assert link
    theirs = stranger.open()
    theirs.goto(link)
    expect(theirs.locator(".words")).to_have_text(newest(phone).locator(".words").inner_text(), use_inner_text=True)
    assert_no_sideways(theirs)
    shot(theirs, "card-page")
    theirs.get_by_role("button", name=ENGLISH.feeling).click()
    expect(newest(theirs)).to_contain_text(ENGLISH.questions)


def fill(page: Page) -> None:
    """Have a talk with everything in it that could be too wide."""
    for text, answer in (
        (CARD, ENGLISH.truth),
        ("/rumour council-flats sources", "the passage with the figure"),
        ("/term stereotype", ENGLISH.definition),
        ("/terms", "Pick a letter"),
        ("/techniques", "All ways"),
        ("/term " + "w" * 59, "I don't have"),
        ("/tip", ENGLISH.asks[0]),
    ):
        send(page, text)
        expect(newest(page)).to_contain_text(answer, ignore_case=True)


def test_nothing_scrolls_sideways_at_twice_the_size_in_the_dark_or_from_the_right(phone: Page) -> None:
    fill(phone)
    for scheme in ("light", "dark"):
        phone.emulate_media(color_scheme=scheme)
        for width in (390, 195, 1280):
            phone.set_viewport_size({"width": width, "height": PHONE[1] if width < 1000 else 800})
            for direction in ("ltr", "rtl"):
                phone.evaluate(
                    "dir => document.querySelectorAll('html, article').forEach(each => { each.dir = dir; })",
                    direction,
                )
                assert_no_sideways(phone)
                for look, where in (("end", "document.body.scrollHeight"), ("start", "0")):
                    phone.evaluate(f"window.scrollTo(0, {where})")
                    shot(phone, f"talk-{scheme}-{width}-{direction}-{look}")


def test_the_dark_is_dark(phone: Page) -> None:
    def light() -> int:
        colour = phone.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour)[:3]))

    assert light() > 600
    phone.emulate_media(color_scheme="dark")
    assert light() < 150


def test_the_newest_words_and_the_field_are_in_view(phone: Page) -> None:
    fill(phone)
    expect(phone.locator("#field")).to_be_in_viewport()
    expect(newest(phone).locator(".words")).to_be_in_viewport()


def test_nothing_on_any_page_bars_anybody(phone: Page) -> None:
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        phone.evaluate(AXE)
        for scheme in ("light", "dark"):
            phone.emulate_media(color_scheme=scheme)
            outcome: dict[str, Any] = phone.evaluate("axe.run()")
            assert outcome["passes"]
            found[f"{name} {scheme}"] = [
                f"{each['id']}: {node['html']}"
                for each in outcome["violations"]
                if each["impact"] in GRAVE
                for node in each["nodes"]
            ]
            shot(phone, f"axe-{name}-{scheme}")

    look("first")
    send(phone, CARD)
    expect(newest(phone)).to_contain_text(ENGLISH.truth)
    press(phone, ENGLISH.feeling)
    expect(newest(phone)).to_contain_text(ENGLISH.questions)
    look("card")
    phone.goto("/rumour/council-flats")
    look("card-page")
    answer = httpx.get(f"{phone.url.partition('/rumour')[0]}/no/thing", trust_env=False)
    phone.set_content(answer.text.replace('"/static', f'"{phone.url.partition("/rumour")[0]}/static'))
    look("notice")
    assert {name: grave for name, grave in found.items() if grave} == {}


def test_at_twice_the_size_no_word_of_a_choice_is_broken(phone: Page) -> None:
    phone.set_viewport_size({"width": 195, "height": PHONE[1]})
    broken = phone.locator(".choices button").evaluate_all(
        """all => all.flatMap(button => [...button.textContent.matchAll(/[^\\s-]+/g)].filter(word => {
            const range = document.createRange();
            range.setStart(button.firstChild, word.index);
            range.setEnd(button.firstChild, word.index + word[0].length);
            return range.getClientRects().length > 1;
        }).map(word => word[0]))"""
    )
    assert broken == []


def test_the_way_past_everything_hides_until_it_is_reached(phone: Page) -> None:
    for width in (390, 195):
        phone.set_viewport_size({"width": width, "height": PHONE[1]})
        assert phone.locator(".skip").evaluate("each => each.getBoundingClientRect().bottom") <= 0
