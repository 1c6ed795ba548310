"""The shapes of imports."""

from typing import Annotated

from msgspec import Meta, Struct

from shipledger.http.schemas import CreateFulfillment, Moment
from shipledger.limits import IMPORT_FILE_NAME_CHARS_MAX, IMPORTED_PARCELS_MAX


class BeginImport(Struct):
    """A file that is about to be imported."""

    file: Annotated[str, Meta(min_length=1, max_length=IMPORT_FILE_NAME_CHARS_MAX)]
    fingerprint: Annotated[str, Meta(min_length=1, max_length=64)]


class ImportRows(Struct):
    """What became of the rows of a file."""

    rows: int
    taken: int
    repeated: int
    rejected: int


class Import(ImportRows):
    """An import, as far as it is."""

    id: int
    file: str
    created_at: Moment
    finished_at: Moment | None
    undone_at: Moment | None


class ImportList(Struct):
    """Every import, the oldest first."""

    imports: list[Import]


class UndoImport(Struct):
    """Nothing needs to be said."""


class ImportUndone(Struct):
    """How many fulfillments were taken back, and whether nothing is left."""

    taken_back: int
    is_undone: bool


class ImportParcels(Struct):
    """Parcels of a file."""

    fulfillments: Annotated[list[CreateFulfillment], Meta(min_length=1, max_length=IMPORTED_PARCELS_MAX)]


class ImportResult(Struct):
    """What became of a parcel: why it was refused, or the fulfillment that it is, and whether that is new."""

    code: str | None
    id: int | None
    is_new: bool


class ImportResults(Struct):
    """What became of each parcel, in their order."""

    results: list[ImportResult]
