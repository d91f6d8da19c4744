"""Nothing that a handler writes holds a token, whatever it is told."""

import io
import logging

import pytest

from bot.redact import HIDDEN, Redacting

PLANTED = "secret-of-nobody"
LIKE_TELEGRAM = "1234567:TEST-token-of-nobody-" + "a" * 20
LIKE_DISCORD = "TESTtokenOfNobody00000000.AbCdEf." + "b" * 38


@pytest.mark.parametrize("secret", [PLANTED, LIKE_TELEGRAM, LIKE_DISCORD])
def test_secrets_are_hidden_in_messages_arguments_and_tracebacks(secret: str) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Redacting([PLANTED]))
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "to %s", (f"https://host/bot{secret}/getMe",), None)
    handler.emit(record)
    try:
        raise OSError(f"cannot reach bot{secret}")
    except OSError as error:
        handler.emit(logging.LogRecord("x", 40, __file__, 1, "broke", (), (OSError, error, error.__traceback__)))
    assert secret not in written.getvalue()
    assert written.getvalue().count(HIDDEN) >= 2


def test_what_is_no_secret_stays() -> None:
    record = logging.LogRecord("bot", logging.INFO, __file__, 1, "swept rows=12 at=09:30:00", (), None)
    assert Redacting([]).format(record).endswith("INFO bot swept rows=12 at=09:30:00")
