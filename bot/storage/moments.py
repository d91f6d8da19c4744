"""Moments as the tables hold them."""

from datetime import UTC, datetime

DAY = 86_400_000  # milliseconds


def millis(moment: datetime) -> int:
    """Return whole milliseconds since 1970 for an aware moment."""
    return round(moment.timestamp() * 1000)


def midnight(moment: datetime) -> int:
    """Return the milliseconds at which an aware moment's day began in UTC."""
    return millis(moment) // DAY * DAY


def moment(stored: int) -> datetime:
    """Return the aware UTC moment that `millis` wrote."""
    return datetime.fromtimestamp(stored / 1000, UTC)
