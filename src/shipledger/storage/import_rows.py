"""Imports of files as rows, and rows as imports."""

from collections.abc import Iterator
from typing import Any

from shipledger.file_import import FileImport, RowCounts
from shipledger.working_set import WorkingSet

Row = tuple[Any, ...]


def import_from_row(row: Row) -> FileImport:
    """An import from the columns of `load_imports`."""
    id_, file, content, created_at, rows, taken, repeated, rejected, finished_at, undone_at = row
    counts = RowCounts(rows, taken, repeated, rejected)
    return FileImport(id_, file, content, created_at, counts, finished_at, undone_at)


def import_rows(working_set: WorkingSet) -> Iterator[tuple[str, list[Row]]]:
    """The statements that save imports, and what they made; fulfillments are saved before."""
    yield (
        "add_import",
        [(new.id, new.file, new.content, new.created_at, *_changing(new)) for new in working_set.new_imports],
    )
    yield "change_import", [(*_changing(known), known.id) for known in working_set.changed_imports.values()]
    yield (
        "add_imported",
        [(made.import_id, made.fulfillment_id, made.account, made.key) for made in working_set.new_imported],
    )
    yield "forget_imported", [(made.import_id, made.fulfillment_id) for made in working_set.forgotten]
    yield "forget_answer", [(made.account, made.key) for made in working_set.forgotten]


def _changing(known: FileImport) -> Row:
    counts = known.counts
    return (
        counts.rows, counts.taken, counts.repeated, counts.rejected, known.finished_at, known.undone_at,
    )  # fmt: skip
