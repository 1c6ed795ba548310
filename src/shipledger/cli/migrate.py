"""shipledger migrate: bring a ledger's schema up to date."""

import click

from shipledger.cli.configured import setting_option, settings_from, told_why_not

EXAMPLES = """\b
Examples:
  shipledger migrate
  shipledger migrate --database sqlite:////var/lib/shipledger/ledger.db
"""


def migrate(database: str | None) -> None:
    """Bring a ledger's schema up to date, making the ledger where there is none.

    `serve` does the same when it starts; this is for those who want it done before.
    """
    from shipledger.boot.ledgers import bring_up_to_date

    settings = settings_from({"database": database})
    with told_why_not(settings):
        applied = bring_up_to_date(settings.database)
    for migration in applied:
        click.echo(f"applied {migration.version:04} {migration.name}")
    if not applied:
        click.echo("up to date")


command = click.Command(
    "migrate", callback=migrate, params=[setting_option("DATABASE")], help=migrate.__doc__, epilog=EXAMPLES
)
