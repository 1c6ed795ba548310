"""shipledger import orders: orders from the files of other programs."""

from pathlib import Path

import click

from shipledger.cli.configured import settings_from
from shipledger.cli.import_file import PATH, Counts, Summary, options, told_how_to_go_on

EXAMPLES = """\b
Examples:
  shipledger import orders orders.csv
  shipledger import orders orders.csv --lines order-details.csv --timezone Europe/Berlin
  shipledger import orders export.csv --map sku=Artikel --map quantity=Menge
  shipledger import orders export.csv --dry-run
  shipledger import orders orders.ndjson --rejects not-taken.ndjson --json
"""


def import_orders(
    file: Path,
    *,
    lines: Path | None,
    maps: tuple[str, ...],
    timezone: str | None,
    dry_run: bool,
    rejects: Path | None,
    database: str | None,
    as_json: bool,
) -> int:
    """Import orders from FILE: CSV as it comes, NDJSON or JSON; also Shopify's and WooCommerce's own.

    Columns are recognised by their names. Rows that cannot be taken are written to a rejects file, each with its line
    and the reason. Running it again is safe: orders that the ledger has are left alone. While a server runs, the
    import goes through it. Exits with 0 where every row was taken, 1 where some were not, 2 where FILE cannot be read.
    """
    from shipledger.boot import order_import
    from shipledger.cli.import_progress import shown_progress
    from shipledger.importing.order_files import open_order_files

    settings = settings_from({"database": database, "timezone": timezone})
    with told_how_to_go_on():
        source = open_order_files(file, lines, maps)
        if not as_json:
            for text in source.described():
                click.echo(text, err=True)
        with shown_progress(source.bytes) as progress:
            imported = order_import.import_orders(
                source, settings.database, settings.timezone, progress, rejects=rejects, dry_run=dry_run
            )
    summary = Summary(
        Counts(imported.taken, imported.repeated, imported.rejected),
        "orders",
        Counts(imported.orders_taken, imported.orders_repeated, imported.orders_rejected),
        imported.reasons,
        imported.rejects,
    )
    title = "Would be imported (dry run)" if dry_run else "Imported"
    more = {"more_rejects": [str(path) for path in imported.rejects[1:]]}
    return summary.tell(title, more if as_json else None)


command = click.Command(
    "orders",
    callback=import_orders,
    params=[
        click.Argument(["file"], type=PATH),
        click.Option(
            ["--lines"], type=PATH, metavar="FILE2", help="The file of the orders' lines, where FILE has none."
        ),
        *options("Say what would be taken; write nothing to the ledger."),
    ],
    help=import_orders.__doc__,
    epilog=EXAMPLES,
)
