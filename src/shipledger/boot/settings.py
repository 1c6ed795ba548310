"""The settings: SHIPLEDGER_* variables, each with a default, and the flags of `serve` over them."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from shipledger.command import RepeatedTracking
from shipledger.limits import KEY_RATE_LIMIT_MAX
from shipledger.outbox.address_guard import Network, read_networks

PREFIX = "SHIPLEDGER_"
TESTS_PREFIX = "SHIPLEDGER_TEST_"

_PORT_MAX = 65_535
_WEBHOOK_KEY_CHARS_MIN = 32
_RETENTION_DAYS_MIN = 40
"""What is held for a webhook that is disabled, or was given up, is kept for 30 days in any case."""
_RETENTION_DAYS_MAX = 100_000
_LOG_LEVELS = ("debug", "info", "warning", "error")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?", re.ASCII)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class SettingsError(Exception):
    """A setting is not one that the server can start with; the message names it and says how to mend it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name after the prefix, its default as text, what it means, and how its text is read."""

    name: str
    default: str
    meaning: str
    read: Any

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.name


def _database(text: str) -> Path | str:
    if text.startswith(("postgresql://", "postgres://")):
        return text  # libpq reads it: it may name several hosts, which no other parser understands
    scheme, separator, path = text.partition("///")
    if scheme == "sqlite:" and separator and Path(path).name:
        return Path(path)
    raise ValueError("must be sqlite:///PATH, e.g. sqlite:////var/lib/shipledger/ledger.db, or postgresql://...")


def _host(text: str) -> str:
    if not text:
        raise ValueError("must be an address, e.g. 127.0.0.1")
    return text


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _PORT_MAX:
        raise ValueError(f"must be a number from 0 (any free port) to {_PORT_MAX}")
    return int(text)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError("must be a whole number of at least 1")
    return int(text)


def _on_or_off(text: str) -> bool:
    if text not in {"on", "off"}:
        raise ValueError("must be on or off")
    return text == "on"


def _networks(text: str) -> tuple[Network, ...]:
    if text == "none":
        return ()
    try:
        return read_networks(text)
    except ValueError:
        raise ValueError("must be networks with commas between, e.g. 10.1.0.0/16,fd00::/8, or none") from None


def _webhook_key(text: str) -> str:
    if text == "a file":
        return ""
    if len(text) < _WEBHOOK_KEY_CHARS_MIN:
        raise ValueError(f"must have {_WEBHOOK_KEY_CHARS_MIN} characters or more that nobody can guess")
    return text


def _retention(text: str) -> int:
    if text == "0" or (text.isascii() and text.isdigit() and _RETENTION_DAYS_MIN <= int(text) <= _RETENTION_DAYS_MAX):
        return int(text)
    raise ValueError(f"must be 0 (for ever) or a number of days from {_RETENTION_DAYS_MIN} to {_RETENTION_DAYS_MAX}")


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be a time zone's name, e.g. UTC or Europe/Berlin") from None


def _repeated(text: str) -> RepeatedTracking:
    try:
        return RepeatedTracking(text)
    except ValueError:
        raise ValueError("must be accept, replay or reject") from None


def _rate(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > KEY_RATE_LIMIT_MAX:
        raise ValueError(f"must be a whole number from 0 (no limit) to {KEY_RATE_LIMIT_MAX}")
    return int(text)


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(part.strip() for part in text.split(",") if part.strip())
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"must name origins as browsers send them, e.g. https://shop.example, not {origin!r}")
    return origins


def _log_level(text: str) -> str:
    if text not in _LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(_LOG_LEVELS)}")
    return text


SETTINGS = (
    Setting("DATABASE", "sqlite:///shipledger.db", "where the ledger is kept", _database),
    Setting("HOST", "127.0.0.1", "the address to listen on", _host),
    Setting("PORT", "8000", "the port to listen on; 0 takes a free one", _port),
    Setting("TIMEZONE", "UTC", "the zone in which a date without a time ends", _zone),
    Setting(
        "REPEATED_TRACKING",
        "accept",
        "what becomes of a request without an Idempotency-Key that repeats an order, tracking number and lines:"
        " accept (a new fulfillment), replay (the earlier answer) or reject (409)",
        _repeated,
    ),
    Setting("WORKERS", "1", "serving processes behind one address; an embedded ledger has one", _count),
    Setting("BATCH_MAX", "256", "commands in one transaction at most; 1 commits each request by itself", _count),
    Setting("QUEUE_MAX", "2048", "requests that may wait to be committed; more are answered 503", _count),
    Setting("RATE_LIMIT", "0", "requests a second of each key that has no limit of its own; 0 is none", _rate),
    Setting(
        "CORS_ORIGINS",
        "",
        "origins of pages that may send requests from a browser, with commas between; none by default",
        _origins,
    ),
    Setting("RELAY", "on", "whether this process sends webhooks: on or off (other nodes do)", _on_or_off),
    Setting(
        "WEBHOOK_NETWORKS",
        "none",
        "inside networks that webhooks may be sent to, with commas, e.g. 10.1.0.0/16; none: public addresses only",
        _networks,
    ),
    Setting(
        "WEBHOOK_KEY",
        "a file",
        "the server's own key, from which the secrets of webhooks are derived, 32 characters or more, the same on every"
        " node; an embedded ledger makes a file beside it",
        _webhook_key,
    ),
    Setting(
        "RETENTION_DAYS",
        "0",
        f"after how many days, {_RETENTION_DAYS_MIN} or more, events lose their data and webhooks their messages and"
        " attempts; 0: never. Who did what when, and idempotency keys, are kept for ever",
        _retention,
    ),
    Setting("LOG_LEVEL", "info", "debug, info, warning or error", _log_level),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server starts with."""

    database: Path | str
    host: str
    port: int
    timezone: ZoneInfo
    repeated_tracking: RepeatedTracking
    workers: int
    batch_max: int
    queue_max: int
    rate_limit: int
    cors_origins: tuple[str, ...]
    relay: bool
    webhook_networks: tuple[Network, ...]
    webhook_key: str = field(repr=False)
    retention_days: int
    log_level: str

    @property
    def database_shown(self) -> str:
        """Where the ledger is kept, without a password."""
        if isinstance(self.database, Path):
            return str(self.database)
        return re.sub(r"://[^@/]*@", "://", self.database.partition("?")[0])

    @property
    def is_on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in _LOOPBACK


def read_settings(environment: Mapping[str, str], flags: Mapping[str, str | None] | None = None) -> Settings:
    """The settings that variables give, and flags (by lower-case name) over them.

    Raises SettingsError for a value that cannot be, and for a SHIPLEDGER_ variable that does not exist.
    """
    _require_known(environment)
    values = {}
    for setting in SETTINGS:
        flag = (flags or {}).get(setting.name.lower())
        text = environment.get(setting.variable, setting.default) if flag is None else flag
        try:
            values[setting.name.lower()] = setting.read(text)
        except ValueError as error:
            name = setting.variable if flag is None else f"--{setting.name.lower().replace('_', '-')}"
            raise SettingsError(f"{name} {error}.") from None
    return Settings(**values)


def _require_known(environment: Mapping[str, str]) -> None:
    known = [setting.variable for setting in SETTINGS]
    for name in environment:
        if name.startswith(PREFIX) and not name.startswith(TESTS_PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0)
            raise SettingsError(
                f"There is no setting {name}; did you mean {near[0]}? shipledger serve --help lists all."
            )
