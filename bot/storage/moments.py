"""Moments as the tables hold them."""

from datetime import UTC, datetime


def millis(moment: datetime) -> int:
    """Return whole milliseconds since 1970 for an aware moment."""
    return round(moment.timestamp() * 1000)


def moment(stored: int) -> datetime:
    """Return the aware UTC moment that `millis` wrote."""
    return datetime.fromtimestamp(stored / 1000, UTC)
