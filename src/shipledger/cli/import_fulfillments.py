"""shipledger import fulfillments: what was shipped, from the files that warehouses send."""

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shipledger.cli.configured import settings_from
from shipledger.cli.import_file import PATH, Counts, Summary, options, told_how_to_go_on

if TYPE_CHECKING:
    from shipledger.boot.fulfillment_import import Verdict

EXAMPLES = """\b
Examples:
  shipledger import fulfillments shipped.csv
  shipledger import fulfillments shipped.csv --dry-run > verdicts.csv
  shipledger import fulfillments versand.csv --map order=Auftrag --map tracking_number=Sendung
  shipledger import fulfillments shipped.ndjson --rejects not-taken.ndjson --json
"""


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
    from shipledger.cli.import_progress import shown_progress
    from shipledger.importing.parcel_files import open_parcel_file

    settings = settings_from({"database": database, "timezone": timezone})
    with told_how_to_go_on():
        source = open_parcel_file(file, maps)
        if not as_json:
            click.echo(source.described(), err=True)
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
    summary = Summary(
        Counts(imported.taken, imported.repeated, imported.rejected),
        "fulfillments",
        Counts(imported.parcels_taken, imported.parcels_repeated, imported.parcels_rejected),
        imported.reasons,
        [] if imported.rejects is None else [imported.rejects],
    )
    title = "Would be imported (dry run)" if dry_run else f"Import {imported.import_id}"
    return summary.tell(title, {"import_id": imported.import_id} if as_json else None)


def _verdicts() -> "Verdict":
    """A table of verdicts on stdout."""
    table = csv.writer(sys.stdout)
    table.writerow(("line", "verdict", "reason"))
    return lambda *row: table.writerow(row)


command = click.Command(
    "fulfillments",
    callback=import_file,
    params=[
        click.Argument(["file"], type=PATH),
        *options("Say what would become of each row; write nothing."),
    ],
    help=import_file.__doc__,
    epilog=EXAMPLES,
)
