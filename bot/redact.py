"""No token in any log: what a handler writes goes through here last, tracebacks included."""

import logging
import re
from collections.abc import Iterable

HIDDEN = "[secret]"
_LIKE_TELEGRAM = r"\d{6,}:[\w-]{30,}"
_LIKE_DISCORD = r"[\w-]{23,}\.[\w-]{6}\.[\w-]{27,}"
_CHATTY = (
    "aiohttp",
    "alembic",
    "apscheduler",
    "asyncio",
    "discord",
    "httpcore",
    "httpx",
    "psycopg",
    "telegram",
    "uvicorn",
)
FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class Redacting(logging.Formatter):
    """Formats a record, then hides every secret in it, and whatever has the form of one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(FORMAT)
        known = [re.escape(secret) for secret in secrets if secret]
        self._secret = re.compile("|".join([*known, _LIKE_TELEGRAM, _LIKE_DISCORD]))

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or lines, to write."""
        return self._secret.sub(HIDDEN, super().format(record))


def set_up_logging(level: str, secrets: Iterable[str] = ()) -> None:
    """Log to the standard error, our own lines from `level` on; libraries only when something is wrong."""
    handler = logging.StreamHandler()
    handler.setFormatter(Redacting(secrets))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _CHATTY:  # at lower levels they write what people say, and addresses with the token in them
        logging.getLogger(name).setLevel(logging.WARNING)
