"""shipledger import: bring in what other programs wrote."""

import click

from shipledger.cli.import_orders import command as orders

command = click.Group(
    "import",
    commands={"orders": orders},
    help="Bring in what other programs wrote. Each import is safe to run again: what the ledger has is left alone.",
)
