"""shipledger import orders: orders from the files of other programs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shipledger.cli.configured import setting_option, settings_from

if TYPE_CHECKING:
    from shipledger.boot.order_import import Imported

DONE, FAILED, UNREADABLE = 0, 1, 2

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
    import apsw
    import psycopg

    from shipledger.boot import order_import
    from shipledger.boot.garbage import calm_the_collector
    from shipledger.cli.import_progress import shown_progress
    from shipledger.importing.order_files import open_order_files
    from shipledger.importing.order_sender import ServerAway
    from shipledger.importing.reading import Unreadable
    from shipledger.outcome import Fault
    from shipledger.storage.ledger_lock import LedgerInUse
    from shipledger.storage.migrate import SchemaError

    settings = settings_from({"database": database, "timezone": timezone})
    try:
        source = open_order_files(file, lines, maps)
        if not as_json:
            for text in source.described():
                click.echo(text, err=True)
        calm_the_collector()
        with shown_progress(source.bytes) as progress:
            imported = order_import.import_orders(
                source, settings.database, settings.timezone, progress, rejects=rejects, dry_run=dry_run
            )
    except Unreadable as error:
        click.echo(f"Error: {error}", err=True)
        return UNREADABLE
    except (LedgerInUse, SchemaError) as error:
        raise click.ClickException(str(error)) from None
    except (ServerAway, Fault) as error:
        raise click.ClickException(f"{error}\n{AGAIN}") from None
    except (apsw.Error, psycopg.Error, OSError) as error:
        raise click.ClickException(f"The import failed: {error}\n{AGAIN}") from None
    except KeyboardInterrupt:
        click.echo(f"\nInterrupted. {AGAIN}", err=True)
        raise
    if as_json:
        click.echo(json.dumps(_report(imported)))
    else:
        _print_summary(imported, dry_run=dry_run)
    return FAILED if imported.rejected else DONE


AGAIN = "Run the same command again to go on: orders that were recorded are left alone."


def _report(imported: "Imported") -> dict[str, Any]:
    paths = [str(path) for path in imported.rejects]
    return {
        "rows": imported.rows,
        "taken": imported.taken,
        "repeated": imported.repeated,
        "rejected": imported.rejected,
        "orders": {
            "taken": imported.orders_taken,
            "repeated": imported.orders_repeated,
            "rejected": imported.orders_rejected,
        },
        "reasons": imported.reasons,
        "rejects": paths[0] if paths else None,
        "more_rejects": paths[1:],
    }


def _print_summary(imported: "Imported", *, dry_run: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Would be imported (dry run)" if dry_run else "Imported", title_justify="left")
    table.add_column("")
    table.add_column("rows", justify="right")
    table.add_column("orders", justify="right")
    table.add_row("taken", f"{imported.taken:,}", f"{imported.orders_taken:,}")
    table.add_row("repeated: the ledger had them", f"{imported.repeated:,}", f"{imported.orders_repeated:,}")
    table.add_row("rejected", f"{imported.rejected:,}", f"{imported.orders_rejected:,}")
    for reason, count in imported.reasons.items():
        table.add_row(f"  {reason}", f"{count:,}", "")
    table.add_section()
    orders = imported.orders_taken + imported.orders_repeated + imported.orders_rejected
    table.add_row("all", f"{imported.rows:,}", f"{orders:,}")
    Console(stderr=True, markup=False, highlight=False).print(table)
    for path in imported.rejects:
        click.echo(f"Rejected rows, each with its line and the reason: {path}", err=True)


_PATH = click.Path(path_type=Path)

command = click.Command(
    "orders",
    callback=import_orders,
    params=[
        click.Argument(["file"], type=_PATH),
        click.Option(
            ["--lines"], type=_PATH, metavar="FILE2", help="The file of the orders' lines, where FILE has none."
        ),
        click.Option(
            ["--map", "maps"],
            multiple=True,
            metavar="FIELD=COLUMN",
            help="Read a field from this column instead of the one recognised; FIELD= alone reads it from none.",
        ),
        setting_option("TIMEZONE"),
        click.Option(["--dry-run"], is_flag=True, help="Say what would be taken; write nothing to the ledger."),
        click.Option(
            ["--rejects"],
            type=_PATH,
            metavar="OUT",
            help="Where rows that cannot be taken are written. [default: FILE.rejects.csv or FILE.rejects.ndjson]",
        ),
        setting_option("DATABASE"),
        click.Option(["--json", "as_json"], is_flag=True, help="End with one JSON object instead of a table."),
    ],
    help=import_orders.__doc__,
    epilog=EXAMPLES,
)
