"""What the API asks of files that are uploaded to be imported."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from shipledger.command import Origin


@dataclass(frozen=True, slots=True)
class Upload:
    """What is said of a file that is uploaded: its name, which is only shown, and how it is read.

    `suffix` says what kind of file it is; `maps` which fields are read from which columns (`field=column`).
    """

    file: str
    suffix: str
    maps: tuple[str, ...]
    zone: str


class TakenIn(Protocol):
    """A file that is being uploaded: where it is to be written, and what would become of its rows."""

    @property
    def path(self) -> Path: ...

    async def preview(self) -> dict[str, Any]:
        """Look through what was written; nothing of it is recorded. Raises Refused (400), and Unavailable."""
        ...


class UploadDesk(Protocol):
    """Files that were uploaded to be imported. They are gone with the server, and after a while."""

    def taking_in(self, upload: Upload) -> AbstractContextManager[TakenIn]:
        """Room for a file, which is kept where it was looked through. Raises Unavailable where there is none."""
        ...

    def read(self, upload_id: int) -> dict[str, Any] | None:
        """How far an upload is, or None where it is not here."""
        ...

    def confirm(self, upload_id: int, origin: Origin) -> dict[str, Any] | None:
        """Begin its import, unless that was begun; or None where it is not here. Raises Unavailable."""
        ...

    def rejects(self, upload_id: int) -> Path | None:
        """Where its rejected rows lie, if there are any, or None where the upload is not here."""
        ...
