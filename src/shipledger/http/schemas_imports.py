"""The shapes of imports."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from shipledger.http.schemas import CreateFulfillment, Id, Moment, Quantity
from shipledger.limits import (
    CARRIER_EVENT_LOCATION_CHARS_MAX,
    CARRIER_EVENT_MESSAGE_CHARS_MAX,
    CARRIER_EVENTS_MAX,
    IMPORT_FILE_NAME_CHARS_MAX,
    IMPORTED_PARCELS_MAX,
    LINES_MAX,
)


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


class TakenFrom(Struct):
    """What a parcel holds of a line of its order, by the line's place there, from 0."""

    position: Annotated[int, Meta(ge=0, le=LINES_MAX)]
    quantity: Quantity


class PastEvent(Struct):
    """Something that had happened to a parcel on its way."""

    status: Literal["created", "in_transit", "out_for_delivery", "delivered", "failed", "returned"]
    occurred_at: Moment | None = None
    message: Annotated[str, Meta(max_length=CARRIER_EVENT_MESSAGE_CHARS_MAX)] | None = None
    location: Annotated[str, Meta(max_length=CARRIER_EVENT_LOCATION_CHARS_MAX)] | None = None


class ParcelPast(Struct):
    """What became of a parcel in the ledger that it comes from, by its export. `nth` counts those that are alike."""

    id: Id
    created_at: Moment
    status: Literal["created", "in_transit", "out_for_delivery", "delivered", "failed", "returned", "cancelled"]
    taken_from: Annotated[list[TakenFrom], Meta(max_length=LINES_MAX)] | None = None
    events: Annotated[list[PastEvent], Meta(max_length=CARRIER_EVENTS_MAX)] | None = None
    nth: Annotated[int, Meta(ge=1)] = 1


class ImportedParcel(CreateFulfillment):
    """A parcel of a file, and its past, where another ledger recorded it."""

    past: ParcelPast | None = None


class ImportParcels(Struct):
    """Parcels of a file."""

    fulfillments: Annotated[list[ImportedParcel], Meta(min_length=1, max_length=IMPORTED_PARCELS_MAX)]


class ImportResult(Struct):
    """What became of a parcel: why it was refused, or the fulfillment that it is, and whether that is new."""

    code: str | None
    id: int | None
    is_new: bool


class ImportResults(Struct):
    """What became of each parcel, in their order."""

    results: list[ImportResult]
