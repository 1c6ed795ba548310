"""Joins rows into orders, wherever in the files they lie, in a temporary database: memory stays flat.

The database is nameless: the operating system removes it with the process, however that ends.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Generic, TypeVar

import apsw
import msgspec

from shipledger.importing.line_values import Line
from shipledger.importing.parcel import ParcelContent
from shipledger.importing.reading import NO_LINES, TOO_MANY_LINES, TOO_MUCH_OF_A_SKU
from shipledger.limits import LINES_MAX
from shipledger.order import OrderContent, OrderedLine
from shipledger.validity import has_too_much_of_a_sku

_SCHEMA = """
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -32768;
    -- header: the order without its lines, as JSON. header_line: where it is a row of its own. refused: why.
    CREATE TABLE orders (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, id INTEGER, header BLOB, header_line INTEGER,
        refused TEXT, is_repeated INTEGER NOT NULL DEFAULT 0
    );
    -- item: which of the lines of an order that is one object in its file.
    CREATE TABLE lines (
        row INTEGER PRIMARY KEY, number INTEGER, line INTEGER, item INTEGER, sku TEXT, quantity INTEGER, title TEXT,
        partner TEXT, cancelled INTEGER
    );
    CREATE TABLE rejects (
        file INTEGER, line INTEGER, item INTEGER, reason TEXT NOT NULL, PRIMARY KEY (file, line, item)
    ) WITHOUT ROWID;
    CREATE TABLE counted (name TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;
    BEGIN;
"""
_BUFFERED_MAX = 2_000

_encode = msgspec.json.Encoder().encode

WHOLE = -1
"""In the place of an item: all of a row, or of an object."""


StagedOrder = tuple[int, str | None]
"""An order's number in the staging, and why no row of it can be taken."""


Content = TypeVar("Content", OrderContent, ParcelContent)


@dataclass(frozen=True, slots=True)
class TakenOrder(Generic[Content]):
    """An order that can be recorded: its number in the staging, its content, and how many rows it is made of."""

    number: int
    content: Content
    rows: int


class Staging(Generic[Content]):
    """What was read: orders, or parcels, of which each has a name and is called an order here.

    File 0 is the orders' (or the only one), file 1 the lines'.
    """

    def __init__(self, content: type[Content], lines_file: int = 0) -> None:
        """`content` is what an order is without its lines; `lines_file` is the file that lines come from."""
        self._decode: Callable[[bytes], Content] = msgspec.json.Decoder(content).decode
        self.lines_file = lines_file
        self.rows = 0
        """Rows read, taken or not."""
        self._database = apsw.Connection("")
        self._database.execute(_SCHEMA).fetchall()
        self._lines: list[tuple[int, int, int, str, int, str | None, str | None, int]] = []

    def find(self, name: str) -> StagedOrder | None:
        """The order of this name, if one was staged."""
        found: StagedOrder | None = self._database.execute(
            "SELECT number, refused FROM orders WHERE name = ?", (name,)
        ).get
        return found

    def add_order(self, name: str, header: Content | str, header_line: int | None = None) -> StagedOrder:
        """Stage an order, or the reason why none of its rows can be taken."""
        if isinstance(header, str):
            order_id, content, refused = None, None, header
        else:
            order_id, content, refused = header.id, _encode(header), None
        self._database.execute(
            "INSERT INTO orders (name, id, header, header_line, refused) VALUES (?, ?, ?, ?, ?)",
            (name, order_id, content, header_line, refused),
        )
        return self._database.last_insert_rowid(), refused

    def add_line(self, number: int, line: int, item: int, values: Line) -> None:
        """Stage a line of an order."""
        self._lines.append((number, line, item, *values))
        if len(self._lines) >= _BUFFERED_MAX:
            self._flush()

    def _flush(self) -> None:
        self._database.executemany("INSERT INTO lines VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", self._lines)
        self._lines.clear()

    def reject(self, file: int, line: int, item: int, reason: str) -> None:
        """One row cannot be taken."""
        self._database.execute("INSERT INTO rejects VALUES (?, ?, ?, ?)", (file, line, item, reason))

    def refuse(self, number: int, reason: str) -> None:
        """No row of an order can be taken."""
        self._database.execute("UPDATE orders SET refused = ? WHERE number = ?", (reason, number))

    def finish_reading(self) -> None:
        """Everything was read: refuse orders that cannot be as a whole, and reject the rows of all that are refused."""
        self._flush()
        # Lines were appended as they came; an index made at once costs a tenth of one kept while they come scattered.
        self._database.execute("CREATE INDEX lines_by_order ON lines (number)")
        self._database.execute("CREATE INDEX orders_by_id ON orders (id)")
        self._database.execute(
            "UPDATE orders SET refused = ?"
            " WHERE number IN (SELECT number FROM lines GROUP BY number HAVING count(*) > ?)",
            (TOO_MANY_LINES, LINES_MAX),
        )
        self._database.execute(
            "UPDATE orders SET refused = ?"
            " WHERE refused IS NULL AND NOT EXISTS (SELECT 1 FROM lines WHERE lines.number = orders.number)",
            (NO_LINES,),
        )
        self.reject_refused()

    def reject_refused(self) -> None:
        """Reject every row of the orders that are refused."""
        self._database.execute(
            "INSERT OR IGNORE INTO rejects SELECT ?, line, item, refused FROM orders JOIN lines USING (number)"
            " WHERE refused IS NOT NULL",
            (self.lines_file,),
        )
        self._database.execute(
            "INSERT OR IGNORE INTO rejects SELECT 0, header_line, ?, refused FROM orders"
            " WHERE refused IS NOT NULL AND header_line IS NOT NULL",
            (WHOLE,),
        )

    def orders(self) -> Iterator[TakenOrder[Content]]:
        """Every order that is not refused, by id, so that a ledger grows at its end; lines in the order of the file."""
        rows = self._database.execute(
            "SELECT orders.number, header, header_line IS NOT NULL, sku, quantity, title, partner, cancelled"
            " FROM orders CROSS JOIN lines USING (number) WHERE refused IS NULL"
            " ORDER BY orders.id, orders.number, row"
        )
        for number, of_order in groupby(rows, itemgetter(0)):
            rows_of_order = list(of_order)
            _, header, header_rows, *_ = rows_of_order[0]
            lines = tuple(OrderedLine(*row[3:]) for row in rows_of_order)
            if has_too_much_of_a_sku(lines):
                self.refuse(number, TOO_MUCH_OF_A_SKU)
            else:
                yield TakenOrder(number, replace(self._decode(header), lines=lines), len(lines) + header_rows)

    def count(self, name: str) -> int:
        """How often this name was counted, this time included."""
        times: int = self._database.execute(
            "INSERT INTO counted VALUES (?, 1) ON CONFLICT DO UPDATE SET times = times + 1 RETURNING times", (name,)
        ).get
        return times

    def mark_repeated(self, number: int) -> None:
        """The ledger had an order."""
        self._database.execute("UPDATE orders SET is_repeated = 1 WHERE number = ?", (number,))

    def verdicts(self) -> Iterator[tuple[int, str, str | None]]:
        """The line of each row of the lines' file, what became of it, and why it was rejected."""
        rows = self._database.execute(
            "SELECT line, item, CASE WHEN is_repeated THEN 'repeated' ELSE 'taken' END, NULL"
            " FROM lines JOIN orders USING (number) WHERE refused IS NULL"
            " UNION ALL SELECT line, item, 'rejected', reason FROM rejects WHERE file = ? ORDER BY 1, 2",
            (self.lines_file,),
        )
        return ((line, verdict, reason) for line, _, verdict, reason in rows)

    def rejects(self, file: int) -> Iterator[tuple[int, int, str]]:
        """Line, item and reason of each rejected row, in the order of the file."""
        return self._database.execute(
            "SELECT line, item, reason FROM rejects WHERE file = ? ORDER BY line, item", (file,)
        )

    def reasons(self) -> dict[str, int]:
        """How many rows were rejected for each reason, most first."""
        return dict(
            self._database.execute(
                "SELECT reason, count(*) FROM rejects GROUP BY reason ORDER BY count(*) DESC, reason"
            )
        )

    def count_orders(self) -> int:
        """Orders that were staged, refused ones included."""
        count: int = self._database.execute("SELECT count(*) FROM orders").get
        return count

    def close(self) -> None:
        """Let go of the database; it vanishes."""
        self._database.close()
