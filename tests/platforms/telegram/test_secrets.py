"""Through every failure, the token is in no log line, error or page, and our own lines hold nobody's words or id."""

import asyncio
import io
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest

from bot.app import Content
from bot.core.message import Address, Reply
from bot.core.platform import DeliveryError, RefusedError, Sending
from bot.platforms.telegram import Telegram
from bot.redact import Redacting
from bot.storage.store import StoreError
from tests.platforms.telegram.booth import booth, memory
from tests.platforms.telegram.server import TOKEN, BotServer
from tests.platforms.telegram.test_bad_day import KINDS, Day
from tests.platforms.telegram.test_webhook import Post, Slow
from tests.serving import free_port

SECRET = TOKEN.partition(":")[2]
WORDS = "plums from zanzibar"
SOMEBODY, GROUP = 734512986, -(10**12) - 998877
PRIVATE = (WORDS, "zanzibar", str(SOMEBODY), str(abs(GROUP)), "Quentin")


class Sinks(logging.Handler):
    """Everything that was logged: as the process writes it, and raw."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.written = io.StringIO()
        self.records: list[logging.LogRecord] = []
        self._writing = logging.StreamHandler(self.written)
        self._writing.setFormatter(Redacting([]))
        self._plain = logging.Formatter("%(name)s %(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self._writing.emit(record)

    def raw(self, *names: str, level: int = logging.DEBUG) -> str:
        """Return what loggers under `names` said, tracebacks included, before anything was hidden."""
        kept = [record for record in self.records if record.levelno >= level and record.name.startswith(names)]
        return "\n".join(map(self._plain.format, kept))


@pytest.fixture
def sinks() -> Iterator[Sinks]:
    root, made = logging.getLogger(), Sinks()
    before = root.level
    root.addHandler(made)
    root.setLevel(logging.DEBUG)
    yield made
    root.setLevel(before)
    root.removeHandler(made)


@pytest.fixture
def clean(sinks: Sinks, capsys: pytest.CaptureFixture[str]) -> Iterator[Sinks]:
    """Hold every sink to account when the test is over."""
    yield sinks
    assert_clean(sinks, *capsys.readouterr())


def assert_clean(sinks: Sinks, *more: str) -> None:
    ours = sinks.raw("bot")
    assert ours, "our own loggers said nothing: this run proved nothing"
    everything = "\n".join((sinks.written.getvalue(), ours, sinks.raw("", level=logging.WARNING), *more))
    assert SECRET not in everything
    assert [word for word in PRIVATE if word.casefold() in ours.casefold()] == []


@pytest.fixture
async def day(content: Content, monkeypatch: pytest.MonkeyPatch, clean: Sinks) -> AsyncIterator[Day]:
    async with Day(content, monkeypatch).begin() as begun:
        begun.people[SOMEBODY] = begun.server.person(SOMEBODY, first_name="Quentin")
        yield begun


METHODS = ["sendMessage", "getUpdates", "answerCallbackQuery", "sendChatAction", "*"]


@pytest.mark.parametrize("method", METHODS)
async def test_nothing_leaks_whatever_a_method_meets(day: Day, method: str) -> None:
    for kind in KINDS:
        day.misbehave(method, kind, after=False)
        day.misbehave(method, kind, after=True)
        day.say(SOMEBODY, f"/term {WORDS}")
        await day.heard()
        if said := day.server.said(SOMEBODY):
            day.server.send(day.server.press(said[-1], said[-1].buttons[0][0])) if said[-1].buttons else None
        day.server.send(day.server.text(day.server.group(GROUP), day.people[SOMEBODY], f"/rumour {WORDS}"))
        await day.heard()
        await day.later(61)
    day.server.behave()
    await day.settled()
    logging.getLogger("bot.tests").info("all said")


async def test_nothing_leaks_where_telegram_repeats_what_it_was_told(day: Day) -> None:
    for kind in (400, 403):
        description = f"Bad Request: {WORDS} in {SOMEBODY} by {TOKEN}"
        day.server.misbehave("send*", kind, description=description)
        day.server.misbehave("answer*", kind, description=description)
        day.say(SOMEBODY, f"/term {WORDS}")
        await day.heard()
        day.server.send(day.server.inline(day.people[SOMEBODY], WORDS))
        await day.server.until(lambda: not day.server.pending)
    day.server.behave()
    await day.settled()


async def test_nothing_leaks_from_what_breaks_in_us(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError(f"{WORDS} in {SOMEBODY} by {TOKEN}")

    for place in ("bot.platforms.telegram.draw.text", "bot.talk.assistant.Plan.outcome", "bot.talk.repertoire.folded"):
        with monkeypatch.context() as patch:
            patch.setattr(place, broken)
            day.say(SOMEBODY, f"/term {WORDS}")
            await day.heard()
    with monkeypatch.context() as patch:
        patch.setattr("bot.platforms.telegram.ears.heard", broken)
        day.say(SOMEBODY, WORDS)
        await day.heard()
    await day.settled()


async def test_nothing_leaks_where_nothing_can_be_kept(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise StoreError(f"{WORDS} {SOMEBODY}")

    day.misbehave("sendMessage", 500)
    with monkeypatch.context() as patch:
        patch.setattr(day.hall.store, "run", full)
        day.say(SOMEBODY, f"/term {WORDS}")
        await day.server.wait_for("sendMessage")
        await day.server.wait_for("getUpdates", 3)
    await day.heard()
    await day.settled()


@pytest.mark.parametrize("kind", list(KINDS))
async def test_no_error_of_ours_holds_the_token_down_to_its_first_cause(
    content: Content, monkeypatch: pytest.MonkeyPatch, kind: int | str
) -> None:
    async with Day(content, monkeypatch).begin(polls=False) as day:
        day.server.open_chat(SOMEBODY)
        day.misbehave("sendMessage", kind)
        here = Address("telegram", str(SOMEBODY))
        with pytest.raises(DeliveryError) as failed:
            await day.hall.telegram.send(here, Reply(WORDS), Sending("1.0"))
    assert SECRET not in "".join(chain(failed.value))
    assert WORDS not in str(failed.value)


def chain(error: BaseException | None) -> list[str]:
    """Return what an error and all errors behind it say, those that are hidden from tracebacks too."""
    if error is None:
        return []
    lines = [*traceback.format_exception(error), repr(error), str(vars(error))]
    return [*lines, *chain(error.__cause__), *chain(error.__context__)]


async def test_no_refusal_holds_the_token(content: Content, sinks: Sinks, capsys: pytest.CaptureFixture[str]) -> None:
    async with BotServer() as server, booth(content, server=server, polls=False) as hall:
        server.token = "123456:another"
        for wrong in (Telegram(TOKEN, server.url), Telegram(TOKEN, f"http://127.0.0.1:{free_port()}")):
            with pytest.raises(Exception) as refused:  # noqa: PT011  # whichever it is, it must not tell
                await wrong.connect(hall.app.assistant)
            await wrong.close()
            assert SECRET not in "".join(chain(refused.value))
        server.token = TOKEN
    assert SECRET not in sinks.written.getvalue() + "".join(capsys.readouterr())


@pytest.fixture
async def post(content: Content, clean: Sinks, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Post]:
    monkeypatch.setattr("bot.delivery.MARK_EVERY", 0)
    store = await memory(Slow)
    async with booth(content, store, polls=False) as hall, Post(hall, store).open() as opened:
        yield opened
    store.close()


async def test_the_webhooks_pages_say_nothing(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError(f"{WORDS} by {TOKEN}")

    pages = [await post.raw(body) for body in (b"", b"[]", b"[" * 50_000)]
    pages.append(await post.raw(b"{}", **{"X-Telegram-Bot-Api-Secret-Token": "wrong"}))
    person = post.server.person(SOMEBODY, first_name="Quentin")
    monkeypatch.setattr("bot.platforms.telegram.ears.Ears.take", broken)
    assert await post.server.post_update(post.server.text(person, person, WORDS)) == 200
    monkeypatch.undo()
    with suppress(RefusedError):
        post.server.misbehave("setWebhook", 400, description=f"Bad Request: {TOKEN}")
        await post.webhook.announce()
    told = "".join(page.text for page in pages)
    assert SECRET not in told
    assert "Traceback" not in told
    assert post.hall.telegram.secret("webhook") not in told


async def test_no_secret_of_the_webhook_is_logged(post: Post, clean: Sinks) -> None:
    person = post.server.person(SOMEBODY, first_name="Quentin")
    assert await post.server.post_update(post.server.text(person, person, f"/term {WORDS}")) == 200
    post.server.misbehave("sendMessage", 500)
    await asyncio.gather(*(post.raw(b"x") for _ in range(3)))
    await post.hall.app.delivery.idle()
    post.server.pending.append(post.server.text(person, person, WORDS))
    assert post.server.webhook
    post.server.webhook["error"] = "Connection timed out"
    await post.webhook.look()
    ours = clean.raw("bot")
    assert post.hall.telegram.secret("webhook") not in ours
    assert post.webhook.path not in ours
