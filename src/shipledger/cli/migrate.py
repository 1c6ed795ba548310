"""shipledger migrate: bring a ledger's schema up to date."""

import click

from shipledger.cli.configured import setting_option, settings_from

EXAMPLES = """\b
Examples:
  shipledger migrate
  shipledger migrate --database sqlite:////var/lib/shipledger/ledger.db
"""


def migrate(database: str | None) -> None:
    """Bring a ledger's schema up to date, making the ledger where there is none.

    `serve` does the same when it starts; this is for those who want it done before.
    """
    import apsw

    from shipledger.boot.assemble import migrate as bring_up_to_date
    from shipledger.storage.ledger_lock import LedgerInUse, LedgerLock
    from shipledger.storage.migrate import SchemaError

    settings = settings_from({"database": database})
    try:
        settings.database.parent.mkdir(parents=True, exist_ok=True)
        lock = LedgerLock(settings.database)
        try:
            applied = bring_up_to_date(settings.database)
        finally:
            lock.release()
    except (LedgerInUse, SchemaError) as error:
        raise click.ClickException(str(error)) from None
    except (apsw.Error, OSError) as error:
        raise click.ClickException(f"{settings.database} cannot be opened as a ledger: {error}") from None
    for migration in applied:
        click.echo(f"applied {migration.version:04} {migration.name}")
    if not applied:
        click.echo("up to date")


command = click.Command(
    "migrate", callback=migrate, params=[setting_option("DATABASE")], help=migrate.__doc__, epilog=EXAMPLES
)
