"""Settings for commands: the variables, a command's flags over them, and clear messages where they cannot be."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from shipledger.boot.settings import SETTINGS, Settings, SettingsError, read_settings


def settings_from(flags: dict[str, str | None]) -> Settings:
    """The settings of this call. Raises UsageError (exit status 2) where they cannot be."""
    try:
        settings = read_settings(os.environ, flags)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=settings.log_level.upper())
    return settings


@contextmanager
def told_why_not(settings: Settings) -> Iterator[None]:
    """What keeps the ledger from being opened or written becomes a message (exit status 1)."""
    import apsw
    import psycopg

    from shipledger.storage.ledger_lock import LedgerInUse
    from shipledger.storage.migrate import SchemaError

    try:
        yield
    except (LedgerInUse, SchemaError) as error:
        raise click.ClickException(str(error)) from None
    except (apsw.Error, psycopg.Error, OSError) as error:
        raise click.ClickException(f"{settings.database_shown} cannot be opened as a ledger: {error}") from None


def setting_option(name: str) -> click.Option:
    """A flag over the setting of this name."""
    setting = next(setting for setting in SETTINGS if setting.name == name)
    flag = f"--{name.lower().replace('_', '-')}"
    return click.Option(
        [flag], metavar="TEXT", help=f"{setting.meaning}. [{setting.variable}; default: {setting.default}]"
    )
