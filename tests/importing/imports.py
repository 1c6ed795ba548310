"""Imports for tests: in this process, or by the command in one of its own; and what is then in the ledger."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from shipledger.boot.order_import import Imported, import_orders
from shipledger.importing.order_files import open_order_files
from shipledger.storage.sqlite_checking import check_ledger
from shipledger.storage.sqlite_reading import open_to_read


class Unwatched:
    """Nobody watches the progress."""

    def read(self, bytes_read: int, rows: int) -> None:
        pass

    def recorded(self, rows: int) -> None:
        pass


def import_files(
    database: Path,
    orders: Path,
    lines: Path | None = None,
    *,
    maps: Sequence[str] = (),
    zone: str = "UTC",
    rejects: Path | None = None,
    dry_run: bool = False,
) -> Imported:
    source = open_order_files(orders, lines, maps)
    return import_orders(source, database, ZoneInfo(zone), Unwatched(), rejects=rejects, dry_run=dry_run)


def import_text(folder: Path, text: str, **options: Any) -> Imported:
    """Import a text as orders.csv into the ledger of this folder."""
    file = folder / "orders.csv"
    file.write_text(text, encoding="utf-8", newline="")
    return import_files(folder / "ledger.db", file, **options)


def command(database: Path, *arguments: str | Path) -> list[str]:
    return [
        *(sys.executable, "-m", "shipledger", "import", "orders"),
        *(str(argument) for argument in arguments),
        *("--database", f"sqlite:///{database}"),
    ]


def environment(**settings: str) -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("SHIPLEDGER_")} | settings


def run(database: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(database, *arguments), env=environment(), check=False, capture_output=True, text=True, timeout=60
    )


def run_json(database: Path, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """The exit status, and the one object on stdout."""
    done = run(database, *arguments, "--json")
    assert done.stdout.count("\n") == 1, done.stderr
    return done.returncode, json.loads(done.stdout)


def counts(imported: Imported) -> tuple[int, int, int, int]:
    return imported.rows, imported.taken, imported.repeated, imported.rejected


def ledger_orders(database: Path) -> dict[str, tuple[Any, ...]]:
    """What was recorded, by reference or id: no assigned ids, no times of recording."""
    with closing(open_to_read(database)) as connection:
        lines: dict[int, list[tuple[Any, ...]]] = {}
        for order_id, *line in connection.execute(
            "SELECT order_id, sku, ordered, fulfilled, cancelled, title, partner FROM order_lines"
            " ORDER BY order_id, position"
        ):
            lines.setdefault(order_id, []).append(tuple(line))
        rows = connection.execute(
            "SELECT id, reference, status, ordered, content, channel, email, shipping_address, shipping_service,"
            " ship_by, deliver_by, metadata FROM orders"
        )
        return {row[1] or str(row[0]): (*row[1:], tuple(lines.get(row[0], ()))) for row in rows}


def order_row(database: Path, reference: str, column: str) -> Any:
    with closing(open_to_read(database)) as connection:
        return connection.execute(f"SELECT {column} FROM orders WHERE reference = ?", (reference,)).get


def order_lines(database: Path, reference: str) -> list[tuple[str, int, str | None]]:
    """Sku, quantity and title of each line, in the order of the lines."""
    return [(sku, ordered, title) for sku, ordered, _, _, title, _ in ledger_orders(database)[reference][-1]]


def broken_invariants(database: Path) -> list[str]:
    return [finding.invariant for finding in check_ledger(database) if finding.broken]
