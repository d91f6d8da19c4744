"""Environment (and `.env`) → one frozen Settings. Each is `HEARSAY_…`; `HEARSAY_X_FILE` reads X from a file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from dotenv import dotenv_values
from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, SecretStr, ValidationError

from bot.storage.database import GOOD, Database, parse

PREFIX = "HEARSAY_"


_Database = Annotated[Database, PlainValidator(lambda given: parse(given) if isinstance(given, str) else given)]


class SettingsError(Exception):
    """A setting makes no sense; the message says which, and what would be good."""


def _shipped(name: str) -> Path:
    """Return a content folder: beside `bot/` in a checkout, inside it in an installed wheel."""
    package = Path(__file__).parent
    inside = package / "shipped" / name
    return inside if inside.is_dir() else package.parent / name


class Settings(BaseModel):
    """All settings; the descriptions are the README's table."""

    model_config = ConfigDict(frozen=True)

    content: Path = Field(default_factory=lambda: _shipped("content"), description="Folder of the content pack")
    quizzes: Path = Field(default_factory=lambda: _shipped("quizzes"), description="Folder of the escape games")
    campaigns: Path = Field(
        default_factory=lambda: _shipped("campaigns"), description="Folder of the international days"
    )
    cities: Path | None = Field(None, description="Folder with a folder for each city's own pack")
    city: str = Field("", description="The city of whoever chose none; with one city only, that one")
    semantic: Path | None = Field(
        None, description="Folder with your own sentence model (model.onnx, tokenizer.json), for hearsay[semantic]"
    )
    database: _Database = Field(
        default_factory=lambda: user_data_path("hearsay", appauthor=False) / "hearsay.db",
        description=f"SQLite file, created where it is missing; or a PostgreSQL database, as {GOOD}",
    )
    host: str = Field("127.0.0.1", description="Address that the web chat listens on")
    port: int = Field(
        8080, ge=1, le=65535, description="Port of the web chat; the next free one is taken if it is in use"
    )
    path: str = Field(
        "", pattern=r"^(/[\w.~-]+)*$", description="Path prefix behind a reverse proxy, for example /hearsay"
    )
    url: str = Field(
        "",
        pattern=r"^(https?://[^/\s]+(/[^\s?#]*)?)?$",
        description="Public address of the web chat, for links and QR codes, for example https://rumours.town.example",
    )
    proxies: str = Field(
        "127.0.0.1", description="Addresses of reverse proxies whose X-Forwarded-For is believed, by comma"
    )
    web: bool = Field(True, description="Whether the web chat runs")
    pace: int = Field(40, ge=1, description="Messages a minute from one web conversation before it is slowed")
    crowd: int = Field(600, ge=1, description="Messages a minute from one network address before it is slowed")
    telegram_token: SecretStr | None = Field(
        None, min_length=1, description="Token that BotFather gave; turns Telegram on"
    )
    telegram_webhook: str | None = Field(
        None,
        pattern=r"^https://[^/\s]+(/[^\s?#]*)?$",
        description="Public https address of this server, for a webhook instead of polling",
    )
    telegram_api: str = Field(
        "https://api.telegram.org",
        pattern=r"^https?://[^\s]+$",
        description="Address of the Bot API, for those who run a server of their own",
    )
    discord_token: SecretStr | None = Field(
        None, min_length=1, description="Token from the developer portal; turns Discord on"
    )
    discord_api: str | None = Field(
        None, pattern=r"^https?://[^\s]+$", description="Address of another Discord API, for tests"
    )
    discord_gateway: str | None = Field(
        None, pattern=r"^wss?://[^\s]+$", description="Address of another Discord gateway, for tests"
    )
    log: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="How much is logged: debug, info, warning or error"
    )

    @property
    def roots(self) -> dict[str, Path]:
        """The content's other folders, by the names that kinds of entries give them."""
        return {"quizzes": self.quizzes, "campaigns": self.campaigns}

    @property
    def secrets(self) -> list[str]:
        """The values that nobody may see."""
        held = (self.telegram_token, self.discord_token)
        password = None if isinstance(self.database, Path) else self.database.password
        return [*(secret.get_secret_value() for secret in held if secret), *([password] if password else [])]


SECRETS = frozenset({"telegram_token", "discord_token"})
"""The settings that no log line, error or page may show."""


def load(**overrides: Any) -> Settings:
    """Return the settings, `overrides` first. Raises `SettingsError`."""
    given = {**dotenv_values(".env"), **os.environ}
    named = {name: given.get(f"{PREFIX}{name.upper()}") for name in Settings.model_fields}
    found = {name: value for name, value in named.items() if value}  # empty is as good as not set
    try:
        return Settings(**{**found, **_from_files(given), **overrides})
    except ValidationError as error:
        complaints = [_complaint(problem) for problem in error.errors()]
        raise SettingsError("\n".join(complaints)) from error


def _from_files(given: Mapping[str, str | None]) -> dict[str, str]:
    """Read the settings that `HEARSAY_X_FILE` names; a secret then never stands in the environment."""
    found: dict[str, str] = {}
    for name in Settings.model_fields:
        path = given.get(f"{PREFIX}{name.upper()}_FILE")
        if not path:
            continue
        try:
            found[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{PREFIX}{name.upper()}_FILE: {path} cannot be read") from error
    return found


def _complaint(problem: Any) -> str:
    name = str(problem["loc"][0])
    good = Settings.model_fields[name].description
    given = "…" if name in SECRETS else f"{problem['input']!s:.60}"
    if name == "database":  # an address may hold a password
        given = f"{given.partition('://')[0]}://…"
    return f"{PREFIX}{name.upper()}={given} makes no sense: {problem['msg']}. It is: {good}."
