"""shipledger import: bring in what other programs wrote."""

import click

from shipledger.cli.import_fulfillments import command as fulfillments
from shipledger.cli.import_list import command as list_
from shipledger.cli.import_orders import command as orders
from shipledger.cli.import_undo import command as undo

command = click.Group(
    "import",
    commands={"orders": orders, "fulfillments": fulfillments, "list": list_, "undo": undo},
    help="Bring in what other programs wrote. Each import is safe to run again: what the ledger has is left alone.",
)
