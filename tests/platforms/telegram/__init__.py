"""A Telegram to test against."""
