"""What the operator sets, from the environment or `.env`: read once, checked, and told in one sentence when wrong.

Each setting is one environment variable; `.env.example` lists them with where to get them.
"""

import base64
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from babel.numbers import list_currencies
from pydantic import AliasGenerator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

SLACK_API = "https://slack.com/api/"

WHERE = {
    "SLACK_BOT_TOKEN": "it starts with xoxb- and stands in the Slack app's settings under OAuth & Permissions",
    "SLACK_APP_TOKEN": "it starts with xapp- and is made in the Slack app's settings under Basic Information, "
    "App-Level Tokens, with the scope connections:write",
    "SLACK_SIGNING_SECRET": "it stands in the Slack app's settings under Basic Information, App Credentials",
    "VIGIE_DATABASE_URL": "give sqlite:///vigie.sqlite3 or postgresql://user:password@host/database",
    "VIGIE_READ_DATABASE_URL": "give postgresql://user:password@host/database of a replica, or leave it out",
    "VIGIE_TIMEZONE": "give an IANA name such as Europe/Paris",
    "VIGIE_CURRENCY": "give an ISO 4217 code such as EUR",
    "VIGIE_LANGUAGE": "give fr or en",
    "VIGIE_PORT": "give a port number from 1 to 65535 such as 3000, or 0 for any free one",
    "VIGIE_SLACK_API_URL": "leave it out for Slack itself, or give an address that ends in /api/",
    "VIGIE_FISCAL_START_MONTH": "give 1 to 12 (1 = January)",
    "VIGIE_VISIBILITY": "give own, team or everyone",
    "VIGIE_ADMIN": "give the e-mail address, as Slack knows it, of the first administrator",
    "VIGIE_KEYS": "give Fernet keys separated by commas, the one that encrypts first; “vigie connect” makes one",
    "VIGIE_SYNC_MINUTES": "give the minutes between two syncs, 1 to 1440, such as 5",
    "VIGIE_PUBLIC_URL": "give the address at which CRMs reach Vigie, such as https://vigie.example.com, or none",
}
"""Where each setting comes from: the end of the sentence that says it is missing or wrong."""


class SettingsError(ValueError):
    """One sentence: which setting is missing or wrong, and where to get it."""


def _variable(field: str) -> str:
    """The environment variable of a field: Slack's own names where Slack has one."""
    own = field in {"slack_bot_token", "slack_app_token", "slack_signing_secret"}
    return field.upper() if own else f"VIGIE_{field.upper()}"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        alias_generator=AliasGenerator(validation_alias=_variable),
    )

    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    """With it, Vigie connects out to Slack (Socket Mode)."""
    slack_signing_secret: SecretStr | None = None
    """Without the app token, Slack calls Vigie over HTTP and signs with this; while it is replaced, the old and the new
    one, separated by a comma."""
    database_url: SecretStr = SecretStr("sqlite:///vigie.sqlite3")
    read_database_url: SecretStr | None = None
    """A read replica of that PostgreSQL: questions are read there; None = from the database itself."""
    timezone: str = "Europe/Paris"
    currency: str = "EUR"
    language: Literal["fr", "en"] = "en"
    host: str = "127.0.0.1"
    port: int = Field(default=3000, ge=0, le=65535)
    slack_api_url: str = SLACK_API
    fiscal_start_month: int = Field(default=1, ge=1, le=12)
    visibility: Literal["own", "team", "everyone"] = "team"
    admin: str | None = None
    """E-mail of the first administrator, as Slack knows it."""
    keys: SecretStr | None = None
    """Fernet keys, separated by commas: the first one encrypts, every one decrypts. See `vault_keys`."""
    sync_minutes: int = Field(default=5, ge=1, le=1440)
    """Minutes from one sync of a source to the next."""
    public_url: str | None = None
    """Where CRMs reach Vigie's `/hooks/…`, without a slash at the end; None = they do not, and are only polled."""

    @field_validator("slack_bot_token")
    @classmethod
    def _bot_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"xoxb-[!-~]+", value.get_secret_value()):
            raise ValueError("it does not look like a bot token")
        return value

    @field_validator("slack_app_token")
    @classmethod
    def _app_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"xapp-[!-~]+", value.get_secret_value()):
            raise ValueError("it does not look like an app-level token")
        return value

    @field_validator("slack_signing_secret")
    @classmethod
    def _signing_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not all(re.fullmatch(r"[!-~]+", each) for each in _split(value) or [""]):
            raise ValueError("it does not look like a signing secret")
        return value

    @field_validator("admin")
    @classmethod
    def _admin(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
            raise ValueError("it is not an e-mail address")
        return value

    @field_validator("keys")
    @classmethod
    def _keys(cls, value: SecretStr | None) -> SecretStr | None:
        for key in _split(value):
            try:
                good = len(base64.b64decode(key.encode("ascii"), altchars=b"-_", validate=True)) == 32
            except ValueError:
                good = False
            if not good:
                raise ValueError("one of its keys is not a Fernet key")
        return value

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("it is not an address")
        return value.rstrip("/")

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("there is no such time zone")
        return value

    @field_validator("currency")
    @classmethod
    def _currency(cls, value: str) -> str:
        if value.upper() not in list_currencies():
            raise ValueError("there is no such currency")
        return value.upper()

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: SecretStr) -> SecretStr:
        if _kind(value) not in {"sqlite", "postgresql"}:
            raise ValueError("it is neither a SQLite nor a PostgreSQL address")
        return value

    @field_validator("read_database_url")
    @classmethod
    def _replica(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return None
        if _kind(value) != "postgresql":
            raise ValueError("it is not a PostgreSQL address")
        if "database_url" in info.data and _kind(info.data["database_url"]) != "postgresql":
            raise ValueError("only a PostgreSQL has replicas, and VIGIE_DATABASE_URL is none")
        return value

    @field_validator("slack_api_url")
    @classmethod
    def _api(cls, value: str) -> str:
        parts = urlsplit(value)
        local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        if not parts.hostname or not (parts.scheme == "https" or (local and parts.scheme == "http")):
            raise ValueError("it must be https, or http on this machine")
        return value if value.endswith("/") else value + "/"

    @property
    def vault_keys(self) -> tuple[str, ...]:
        """The Fernet keys, the one that encrypts first; empty where none is set."""
        return tuple(_split(self.keys))

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """Any of which Slack may sign with; empty where it does not call."""
        return tuple(_split(self.slack_signing_secret))

    @property
    def late_after(self) -> timedelta:
        """How old the data of a connected source may become before it is called late and alerts wait for it."""
        return max(timedelta(hours=1), 4 * timedelta(minutes=self.sync_minutes))

    @property
    def socket_mode(self) -> bool:
        return self.slack_app_token is not None

    def for_slack(self) -> Self:
        """These settings, once it is sure that they are enough to talk with Slack. Raises `SettingsError`."""
        if self.slack_bot_token is None:
            raise SettingsError(_sentence("SLACK_BOT_TOKEN", "is missing"))
        if self.slack_app_token is None and self.slack_signing_secret is None:
            raise SettingsError(
                f"{_sentence('SLACK_APP_TOKEN', 'is missing')}; or, for HTTP, set SLACK_SIGNING_SECRET: "
                f"{WHERE['SLACK_SIGNING_SECRET']}"
            )
        return self

    @property
    def bot_token(self) -> str:
        if self.slack_bot_token is None:
            raise SettingsError(_sentence("SLACK_BOT_TOKEN", "is missing"))
        return self.slack_bot_token.get_secret_value()


def read_settings(env_file: Path | None = Path(".env"), **values: Any) -> Settings:
    """The settings from the environment and `env_file`; `values` win. Raises `SettingsError` with one sentence."""
    try:
        return Settings(_env_file=env_file, **values)  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = str(first["loc"][0])
        name = _variable(name) if name.islower() else name
        reason = first.get("ctx", {}).get("error")
        raise SettingsError(_sentence(name, f"is wrong ({reason})" if reason else "is wrong")) from None


def _kind(url: SecretStr) -> str:
    """`sqlite`, `postgresql`, another kind, or nothing where it is no address."""
    try:
        kind = make_url(url.get_secret_value()).drivername.split("+", 1)[0]
    except (ArgumentError, ValueError):
        return ""
    return "postgresql" if kind == "postgres" else kind


def _split(keys: SecretStr | None) -> list[str]:
    said = "" if keys is None else keys.get_secret_value()
    return [key.strip() for key in said.split(",") if key.strip()]


def _sentence(name: str, wrong: str) -> str:
    return f"{name} {wrong}: {WHERE.get(name, 'see .env.example')}"
