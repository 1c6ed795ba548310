"""shipledger import fulfillments: what was shipped, from the files that warehouses send."""

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shipledger.cli.configured import setting_option, settings_from

if TYPE_CHECKING:
    from shipledger.boot.fulfillment_import import FulfillmentsImported, Verdict

DONE, FAILED, UNREADABLE = 0, 1, 2

EXAMPLES = """\b
Examples:
  shipledger import fulfillments shipped.csv
  shipledger import fulfillments shipped.csv --dry-run > verdicts.csv
  shipledger import fulfillments versand.csv --map order=Auftrag --map tracking_number=Sendung
  shipledger import fulfillments shipped.ndjson --rejects not-taken.ndjson --json
"""
AGAIN = "Run the same command again to go on: what was recorded is left alone."


def import_file(
    file: Path,
    *,
    maps: tuple[str, ...],
    timezone: str | None,
    dry_run: bool,
    rejects: Path | None,
    database: str | None,
    as_json: bool,
) -> int:
    """Import fulfillments from FILE: CSV as it comes, NDJSON or JSON, with an order, a sku, a quantity and a tracking
    number in each row.

    Columns are recognised by their names. Rows of one order and tracking number, wherever they lie, are one
    fulfillment, which is taken whole or not at all. Rows that cannot be taken are written to a rejects file, each with
    its line and the reason. Running it again is safe, and so is a file that holds some of the same. A dry run says on
    stdout what would become of each row. While a server runs, the import goes through it. Exits with 0 where every row
    was taken, 1 where some were not, 2 where FILE cannot be read.
    """
    from shipledger.boot.fulfillment_import import import_fulfillments
    from shipledger.boot.garbage import calm_the_collector
    from shipledger.cli.import_progress import shown_progress
    from shipledger.importing.parcel_files import open_parcel_file

    settings = settings_from({"database": database, "timezone": timezone})
    with told_why_not():
        source = open_parcel_file(file, maps)
        if not as_json:
            click.echo(source.described(), err=True)
        calm_the_collector()
        with shown_progress(source.bytes) as progress:
            imported = import_fulfillments(
                source,
                settings.database,
                settings.timezone,
                progress,
                rejects=rejects,
                dry_run=dry_run,
                verdict=_verdicts() if dry_run and not as_json else None,
            )
    if as_json:
        click.echo(json.dumps(_report(imported)))
    else:
        _print_summary(imported, dry_run=dry_run)
    return FAILED if imported.rejected else DONE


def _verdicts() -> "Verdict":
    """A table of verdicts on stdout."""
    table = csv.writer(sys.stdout)
    table.writerow(("line", "verdict", "reason"))
    return lambda *row: table.writerow(row)


@contextmanager
def told_why_not() -> Iterator[None]:
    """What ends an import becomes a message, and an exit status."""
    import apsw
    import psycopg

    from shipledger.importing.order_sender import ServerAway
    from shipledger.importing.reading import Unreadable
    from shipledger.outcome import Fault
    from shipledger.storage.ledger_lock import LedgerInUse
    from shipledger.storage.migrate import SchemaError

    try:
        yield
    except Unreadable as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(UNREADABLE)
    except (LedgerInUse, SchemaError) as error:
        raise click.ClickException(str(error)) from None
    except (ServerAway, Fault) as error:
        raise click.ClickException(f"{error}\n{AGAIN}") from None
    except (apsw.Error, psycopg.Error, OSError) as error:
        raise click.ClickException(f"The import failed: {error}\n{AGAIN}") from None
    except KeyboardInterrupt:
        click.echo(f"\nInterrupted. {AGAIN}", err=True)
        raise


def _report(imported: "FulfillmentsImported") -> dict[str, Any]:
    return {
        "rows": imported.rows,
        "taken": imported.taken,
        "repeated": imported.repeated,
        "rejected": imported.rejected,
        "fulfillments": {
            "taken": imported.parcels_taken,
            "repeated": imported.parcels_repeated,
            "rejected": imported.parcels_rejected,
        },
        "reasons": imported.reasons,
        "rejects": None if imported.rejects is None else str(imported.rejects),
        "import_id": imported.import_id,
    }


def _print_summary(imported: "FulfillmentsImported", *, dry_run: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    title = "Would be imported (dry run)" if dry_run else f"Import {imported.import_id}"
    table = Table(title=title, title_justify="left")
    table.add_column("")
    table.add_column("rows", justify="right")
    table.add_column("fulfillments", justify="right")
    table.add_row("taken", f"{imported.taken:,}", f"{imported.parcels_taken:,}")
    table.add_row("repeated: the ledger had them", f"{imported.repeated:,}", f"{imported.parcels_repeated:,}")
    table.add_row("rejected", f"{imported.rejected:,}", f"{imported.parcels_rejected:,}")
    for reason, count in imported.reasons.items():
        table.add_row(f"  {reason}", f"{count:,}", "")
    table.add_section()
    parcels = imported.parcels_taken + imported.parcels_repeated + imported.parcels_rejected
    table.add_row("all", f"{imported.rows:,}", f"{parcels:,}")
    Console(stderr=True, markup=False, highlight=False).print(table)
    if imported.rejects is not None:
        click.echo(f"Rejected rows, each with its line and the reason: {imported.rejects}", err=True)


_PATH = click.Path(path_type=Path)

command = click.Command(
    "fulfillments",
    callback=import_file,
    params=[
        click.Argument(["file"], type=_PATH),
        click.Option(
            ["--map", "maps"],
            multiple=True,
            metavar="FIELD=COLUMN",
            help="Read a field from this column instead of the one recognised; FIELD= alone reads it from none.",
        ),
        setting_option("TIMEZONE"),
        click.Option(["--dry-run"], is_flag=True, help="Say what would become of each row; write nothing."),
        click.Option(
            ["--rejects"],
            type=_PATH,
            metavar="OUT",
            help="Where rows that cannot be taken are written. [default: FILE.rejects.csv or FILE.rejects.ndjson]",
        ),
        setting_option("DATABASE"),
        click.Option(["--json", "as_json"], is_flag=True, help="End with one JSON object instead of a table."),
    ],
    help=import_file.__doc__,
    epilog=EXAMPLES,
)
