"""Imports of fulfillments for tests, and what is then in the ledger."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from shipledger.boot.fulfillment_import import FulfillmentsImported, import_fulfillments
from shipledger.boot.ledgers import Database, migrate, open_ledger
from shipledger.commit.batch import commit_batch
from shipledger.importing.parcel_files import open_parcel_file
from shipledger.storage.sqlite_reading import open_to_read
from tests.commit.commands import NOW, order
from tests.importing.imports import Unwatched

HEADER = "order,sku,quantity,tracking number,carrier\n"


def ledger_with_orders(database: Database, orders: int = 4) -> None:
    """Orders 1, 2, ... with references #1, #2, ..., of five A and three B each."""
    migrate(database)
    with closing(open_ledger(database)) as ledger:
        numbers = range(1, orders + 1)
        commit_batch(ledger, [order(n, ("A", 5), ("B", 3), reference=f"#{n}") for n in numbers], NOW)


def import_shipments(folder: Path, text: str, database: Database | None = None, **options: Any) -> FulfillmentsImported:
    """Import a text as shipped.csv into the ledger of this folder."""
    file = folder / options.pop("name", "shipped.csv")
    file.write_text(text, encoding="utf-8", newline="")
    source = open_parcel_file(file, options.pop("maps", ()))
    where = folder / "ledger.db" if database is None else database
    return import_fulfillments(source, where, ZoneInfo("UTC"), Unwatched(), **options)


def verdicts(folder: Path, text: str, database: Database | None = None) -> list[tuple[int, str, str | None]]:
    """What a dry run says of each row."""
    said: list[tuple[int, str, str | None]] = []
    tell: Callable[..., object] = lambda *row: said.append(row)  # noqa: E731
    import_shipments(folder, text, database, dry_run=True, verdict=tell)
    return said


def shipped(database: Path) -> list[tuple[Any, ...]]:
    """Order, tracking number, carrier, sku and quantity of what was recorded, in no order of ids."""
    with closing(open_to_read(database)) as connection:
        rows = connection.execute(
            "SELECT order_id, tracking_number, carrier, status, sku, sum(quantity) FROM fulfillments"
            " JOIN fulfillment_lines ON fulfillment_id = id GROUP BY fulfillments.id, sku"
        )
        return sorted(rows, key=repr)
