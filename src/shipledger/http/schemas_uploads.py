"""The shapes of files that are uploaded to be imported."""

from typing import Literal

from msgspec import Struct

from shipledger.http.schemas import Moment
from shipledger.http.schemas_imports import ImportRows


class UploadColumn(Struct):
    """A field, and the column that it is read from."""

    field: str
    column: str


class UploadReason(Struct):
    """Why rows are rejected, and how many."""

    reason: str
    rows: int


class UploadVerdict(Struct):
    """What would become of a row."""

    line: int
    verdict: Literal["taken", "repeated", "rejected"]
    reason: str | None


class Upload(ImportRows):
    """A file that was uploaded: what would become of its rows, or, once it is done, what became of them."""

    id: int
    file: str
    status: Literal["previewed", "running", "done", "failed", "undone"]
    created_at: Moment
    expires_at: Moment
    read_as: str
    columns: list[UploadColumn]
    unused_columns: list[str]
    rows_done: int
    reasons: list[UploadReason]
    verdicts: list[UploadVerdict]
    import_id: int | None
    message: str | None
