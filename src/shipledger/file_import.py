"""Imports of fulfillments from files: each is remembered with what it made, so that it can be undone.

An import is known by what is in its file. The same file again goes on with it, until it was undone.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from shipledger.document import Document
from shipledger.origin import Origin
from shipledger.timestamp import Microseconds, show, show_or_none

KEY_PREFIX = "import-"


@dataclass(frozen=True, slots=True)
class RowCounts:
    """What became of the rows of a file."""

    rows: int = 0
    taken: int = 0
    repeated: int = 0
    rejected: int = 0


@dataclass(slots=True)
class FileImport:
    """An import as it is stored. `content` is the fingerprint of its file, whose name is only shown."""

    id: int
    file: str
    content: str
    created_at: Microseconds
    counts: RowCounts = RowCounts()
    finished_at: Microseconds | None = None
    undone_at: Microseconds | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """A fulfillment that an import made, and the idempotency key that keeps it from being made again."""

    import_id: int
    fulfillment_id: int
    account: str
    key: str


@dataclass(frozen=True, slots=True)
class BeginImport:
    """Begin an import, or go on with the one that the same file began."""

    origin: Origin
    file: str
    content: str
    idempotency_key: str | None = None

    def fingerprint(self) -> bytes:
        """Equal for the same file."""
        return _digest("begin_import", self.file, self.content)


@dataclass(frozen=True, slots=True)
class FinishImport:
    """Remember what became of the rows. Of a file that was imported before, what was taken then stays taken."""

    origin: Origin
    import_id: int
    counts: RowCounts
    idempotency_key: str | None = None

    def fingerprint(self) -> bytes:
        """Equal for the same counts."""
        return _digest("finish_import", self.import_id, self.counts)


@dataclass(frozen=True, slots=True)
class UndoImport:
    """Remember that nothing is left of what an import made."""

    origin: Origin
    import_id: int
    idempotency_key: str | None = None

    def fingerprint(self) -> bytes:
        """Equal for the same import."""
        return _digest("undo_import", self.import_id)


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Cancel a fulfillment that an import made, and free its key: the same file makes it anew."""

    origin: Origin
    made: Imported
    idempotency_key: str | None = None

    def fingerprint(self) -> bytes:
        """Equal for the same fulfillment."""
        return _digest("take_back", self.made)


ImportCommand = BeginImport | FinishImport | UndoImport | TakeBack


def parcel_key(order: int | str, number: str, lines: Iterable[tuple[str, int]]) -> str:
    """The idempotency key of a parcel in a file: whatever file it comes from, and wherever its rows lie there."""
    return KEY_PREFIX + _digest("parcel", order, number, sorted(lines)).hex()


def taken_over_key(order: int | str, id_elsewhere: int, recorded_at: Microseconds) -> str:
    """The same of one that another ledger recorded: it stays the same parcel when its number is corrected there."""
    return KEY_PREFIX + _digest("taken over", order, id_elsewhere, recorded_at).hex()


def import_document(known: FileImport) -> Document:
    """An import as it is shown."""
    return {
        "id": known.id,
        "file": known.file,
        "created_at": show(known.created_at),
        "finished_at": show_or_none(known.finished_at),
        "undone_at": show_or_none(known.undone_at),
        "rows": known.counts.rows,
        "taken": known.counts.taken,
        "repeated": known.counts.repeated,
        "rejected": known.counts.rejected,
    }


def _digest(*parts: object) -> bytes:
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()
