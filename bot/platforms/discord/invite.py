"""The link by which a server invites the assistant, with exactly the rights that it needs."""

import binascii
from base64 import urlsafe_b64decode

import aiohttp
import discord

from bot.core.platform import RefusedError

RIGHTS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    attach_files=True,
    read_message_history=True,
)
API = "https://discord.com/api/v10"
REFUSED = "Discord does not know the token in HEARSAY_DISCORD_TOKEN. Copy it again from the developer portal (Bot)."
NO_ANSWER = "Discord does not answer; the invitation holds the application's number, which only Discord knows."
PATIENCE = aiohttp.ClientTimeout(total=20)


def invite_link(application_id: str) -> str:
    """Return the address at which somebody who runs a server, or anybody for themselves, adds the assistant."""
    rights = f"permissions={RIGHTS.value}"
    return f"https://discord.com/oauth2/authorize?client_id={application_id}&scope=bot+applications.commands&{rights}"


async def invitation(token: str, api: str | None = None) -> str:
    """Return the link of the application whose token this is. Raises `RefusedError`."""
    return invite_link(_written(token) or await _asked(token, api or API))


def _written(token: str) -> str | None:
    """Return the application's id, with which a token begins."""
    first = token.partition(".")[0]
    try:
        number = urlsafe_b64decode(first + "=" * (-len(first) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return number if number.isdecimal() and len(number) >= 17 else None


async def _asked(token: str, api: str) -> str:
    try:
        async with (
            aiohttp.ClientSession(timeout=PATIENCE, headers={"Authorization": f"Bot {token}"}) as session,
            session.get(f"{api}/applications/@me", allow_redirects=False) as answer,
        ):
            if answer.status == 401:
                raise RefusedError(REFUSED)
            found = await answer.json(content_type=None)
            return str(int(found["id"]))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, LookupError, TypeError):
        raise RefusedError(NO_ANSWER) from None
