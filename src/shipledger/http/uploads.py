"""Files of fulfillments over the API: uploaded and looked through, confirmed, watched; and their rejected rows."""

from collections.abc import AsyncIterator
from typing import IO, Any

from shipledger.http.answer import Answer, Refused, error, json_answer
from shipledger.http.call import Call
from shipledger.http.exports import ExportAnswer
from shipledger.http.parameters import path_id, require_known_parameters
from shipledger.http.upload_request import read_upload, receive_file
from shipledger.refusal import Reason

_READ_BYTES = 256 * 1024
_GONE = (
    "There is no such upload here. A file that was uploaded is kept for a while, by the server that took it; upload it"
    " again: what was recorded of it is left alone."
)


async def create(call: Call) -> Answer:
    """Take a file in, and say what would become of its rows."""
    upload = read_upload(call)
    with call.services.uploads.taking_in(upload) as taken:
        await receive_file(call, taken.path)
        return json_answer(await taken.preview(), 201)


async def read(call: Call) -> Answer:
    """How far an upload is."""
    require_known_parameters(call, frozenset())
    return json_answer(await _as_it_is(call, call.services.uploads.read(path_id(call, Reason.NOT_FOUND))))


async def confirm(call: Call) -> Answer:
    """Begin the import of a file that was looked through."""
    require_known_parameters(call, frozenset())
    confirmed = call.services.uploads.confirm(path_id(call, Reason.NOT_FOUND), call.origin)
    return json_answer(await _as_it_is(call, confirmed), 202)


async def rejects(call: Call) -> Answer:
    """The rows that cannot be taken, each with its line and the reason."""
    require_known_parameters(call, frozenset())
    path = call.services.uploads.rejects(path_id(call, Reason.NOT_FOUND))
    if path is None:
        raise _gone()
    media_type = b"text/csv" if path.suffix == ".csv" else b"application/x-ndjson"
    disposition = (b"content-disposition", f'attachment; filename="rejects{path.suffix}"'.encode())
    file = path.open("rb") if path.exists() and call.request.method == "GET" else None
    return ExportAnswer(200, b"", [disposition], media_type, None if file is None else _parts(call, file))


async def _parts(call: Call, file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while part := await call.read(file.read, _READ_BYTES):
            yield part


async def _as_it_is(call: Call, found: dict[str, Any] | None) -> dict[str, Any]:
    """An upload, with what became of its import since."""
    if found is None:
        raise _gone()
    if found["status"] == "done":
        for known in await call.read(call.services.reading.imports):
            if known["id"] == found["import_id"] and known["undone_at"] is not None:
                found["status"] = "undone"
    return found


def _gone() -> Refused:
    return Refused(error(404, "Not Found", _GONE))
