"""Writes an export of a ledger: reads only, beside a running server, a page at a time, so that memory stays flat."""

from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import tzinfo

from shipledger.boot.ledgers import Database, open_reading, require_current
from shipledger.http.exports import EXPORTS
from shipledger.http.listing import wanted_of

PAGE_ROWS = 500
"""Rows of one short transaction: a longer one would keep the log of an embedded ledger from being moved."""


def export(
    database: Database,
    name: str,
    filters: Mapping[str, str],
    zone: tzinfo,
    format_: str,
    write: Callable[[bytes], object],
    progress: Callable[[int], object],
) -> int:
    """Write every row of a list that the filters leave, and return how many; `progress` is told how many were written.

    Raises FilterFault where a filter cannot be, SchemaError, and the drivers' errors where the ledger is away.
    """
    require_current(database)
    rows = 0
    exported = EXPORTS[name]
    wanted = wanted_of(exported.spec, filters, zone)
    with closing(open_reading(database)) as reading:
        read = exported.read(reading)
        for count, piece in exported.parts(lambda after: read(wanted, after, PAGE_ROWS, None), format_):
            write(piece)
            rows += count
            progress(rows)
    return rows
