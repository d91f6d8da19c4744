"""`hearsay link` and `hearsay discord invite`, as a coordinator uses them."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.platforms.telegram.server import TOKEN, BotServer
from tests.serving import environment

ROOT = Path(__file__).parents[3]


async def hearsay(*arguments: str, **settings: str) -> tuple[int | None, str, str]:
    """Run a command; return its exit status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=ROOT,
        env=environment(**settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        out, error = await process.communicate()
    return process.returncode, out.decode(), error.decode()


async def test_a_link_opens_a_card_and_can_be_printed(tmp_path: Path) -> None:
    async with BotServer() as server:
        settings = {"telegram_token": TOKEN, "telegram_api": server.url}
        status, out, _ = await hearsay("link", "/rumour council-flats", "--qr", str(tmp_path / "card.svg"), **settings)
    assert status == 0
    assert out.startswith("https://t.me/HearsayTestBot?start=rumour_council-flats\n")
    assert "▀" in out
    assert (tmp_path / "card.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize("what", ["/forget", "/rumour no-such-card", "council-flats", ""])
async def test_what_leads_nowhere_gets_no_link(what: str) -> None:
    status, out, _ = await hearsay("link", what, telegram_token=TOKEN)
    assert status == 1
    assert "leads nowhere" in out


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [({}, "HEARSAY_TELEGRAM_TOKEN is not set"), ({"telegram_token": "1:WRONG"}, "does not know the token")],
)
async def test_without_a_good_token_a_sentence_says_so(settings: dict[str, str], sentence: str) -> None:
    async with BotServer() as server:
        status, _, error = await hearsay("link", "/help", telegram_api=server.url, **settings)
    assert status == 2
    assert sentence in error
    assert "WRONG" not in error


async def test_discord_is_invited_with_exactly_the_rights_that_are_needed() -> None:
    status, out, _ = await hearsay("discord", "invite", discord_token="NzAwMDAwMDAwMDAwMDAwMDAx.TEST.of-nobody")
    assert status == 0
    assert out == (
        "https://discord.com/oauth2/authorize?client_id=700000000000000001"
        "&scope=bot+applications.commands&permissions=309237746688\n"
    )
    status, _, error = await hearsay("discord", "invite")
    assert (status, "HEARSAY_DISCORD_TOKEN is not set" in error) == (2, True)


async def test_a_token_that_is_refused_stops_its_platform_only(tmp_path: Path) -> None:
    settings = {"telegram_token": "1:WRONG", "database": str(tmp_path / "h.db"), "port": "18080"}
    async with BotServer() as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run"),
            cwd=ROOT,
            env=environment(telegram_api=server.url, **settings),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert process.stdout
        async with asyncio.timeout(30):
            web, telegram = [(await process.stdout.readline()).decode() for _ in range(2)]
            process.terminate()
            assert await process.wait() == 0
    assert web.startswith("web       on   http://127.0.0.1:")
    assert telegram.startswith("telegram  off  (Telegram does not know the token")
