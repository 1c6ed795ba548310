"""shipledger serve: the server."""

from collections.abc import Callable
from pathlib import Path

import click

from shipledger.boot.settings import SETTINGS, Settings
from shipledger.cli.configured import setting_option, settings_from, told_why_not

EXAMPLES = """\b
Examples:
  shipledger serve
  shipledger serve --port 9000 --database sqlite:////var/lib/shipledger/ledger.db
  SHIPLEDGER_TIMEZONE=Europe/Berlin shipledger serve
"""


def serve(**flags: str | None) -> None:
    """Serve a ledger, making it where there is none.

    Every setting is a variable; a flag goes over it.
    """
    settings = settings_from(flags)
    require_servable(settings)
    run(
        settings,
        lambda url: click.echo(f"Shipledger serves {settings.database_shown} at {url} (docs: {url}/docs)", err=True),
    )


def require_servable(settings: Settings) -> None:
    """Refuse, with what to do, what this version does not serve."""
    if settings.workers > 1 and isinstance(settings.database, Path):
        raise click.ClickException(
            "An embedded ledger has one writing process: SHIPLEDGER_WORKERS above 1 needs PostgreSQL."
        )
    if not settings.is_on_loopback:
        _require_keys(settings)


def _require_keys(settings: Settings) -> None:
    from shipledger.boot.ledgers import has_keys
    from shipledger.outcome import Unavailable

    try:
        with told_why_not(settings):
            is_closed = has_keys(settings.database)
    except Unavailable as error:
        raise click.ClickException(f"{settings.database_shown} cannot be opened as a ledger: {error}") from None
    if not is_closed:
        raise click.ClickException(
            f"This ledger has no keys, so the server would be open to whoever reaches {settings.host}. Make one first:"
            " shipledger keys create --name NAME --role operator. Without keys, use SHIPLEDGER_HOST=127.0.0.1."
        )


def run(settings: Settings, when_ready: Callable[[str], None]) -> None:
    """Serve until stopped; what keeps it from starting becomes a message."""
    from shipledger.boot.server import CannotListen, run_server

    try:
        with told_why_not(settings):
            run_server(settings, when_ready)
    except CannotListen as error:
        raise click.ClickException(
            f"Cannot serve at {settings.host}:{settings.port}: {error}. Choose another with SHIPLEDGER_PORT."
        ) from None


command = click.Command(
    "serve",
    callback=serve,
    params=[setting_option(setting.name) for setting in SETTINGS],
    help=serve.__doc__,
    epilog=EXAMPLES,
)
