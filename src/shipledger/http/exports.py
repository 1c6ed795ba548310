"""Exports: every row of a list, streamed, as NDJSON or CSV. Each page is read by itself, so that nothing is held up.

Lists go from the newest row to the oldest, so that what is recorded meanwhile is not in the way: an export holds what
was there when it began.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import Send

from shipledger import export_table
from shipledger.document import Document
from shipledger.export_table import ExportTable
from shipledger.http.answer import ALWAYS, Answer, encode, refused
from shipledger.http.audit import LIST as AUDIT
from shipledger.http.call import Call
from shipledger.http.fulfillments import LIST as FULFILLMENTS
from shipledger.http.listing import ListSpec, wanted_by
from shipledger.http.orders import LIST as ORDERS
from shipledger.http.parameters import require_known_parameters
from shipledger.partner_view import Partner
from shipledger.storage.port import Page, Position, Reading

PAGE_ROWS = 200
"""Rows that are read and written down together: a few milliseconds, in which single requests have their turn."""

MEDIA_TYPES = {"ndjson": b"application/x-ndjson", "csv": b"text/csv; charset=utf-8"}
_FORMAT = {
    "type": "string",
    "enum": list(MEDIA_TYPES),
    "default": "ndjson",
    "description": "ndjson: one JSON object a line. csv: a table, in which nothing is taken for a formula.",
}

ReadPage = Callable[[Any, Position | None, int, Partner], Page]


@dataclass(frozen=True, slots=True)
class Export:
    """A list that is exported: its filters, how it is read, and how its rows are written down in either format."""

    spec: ListSpec
    read: Callable[[Reading], ReadPage]
    table: ExportTable
    as_json: Callable[[Document], Document] = dict

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """The query parameters: the list's filters, and the format."""
        filters = self.spec.filters.items()
        return {name: {**known.schema, "description": known.description} for name, known in filters} | {
            "format": _FORMAT
        }

    def parts(self, read: Callable[[Position | None], Page], format_: str) -> Iterator[tuple[int, bytes]]:
        """The export piece by piece, each with the number of its rows. `read` gives the page after a position."""
        if format_ == "csv":
            yield 0, self.table.header().encode()
        after: Position | None = None
        while True:
            page = read(after)
            yield len(page.documents), self._written(page.documents, format_)
            after = page.next
            if after is None:
                return

    def _written(self, documents: list[Document], format_: str) -> bytes:
        if format_ == "csv":
            return self.table.text(documents).encode()
        return b"".join(encode(self.as_json(document)) + b"\n" for document in documents)


EXPORTS = {
    "orders": Export(ORDERS, lambda reading: reading.orders, export_table.ORDERS, export_table.importable_order),
    "events": Export(AUDIT, lambda reading: reading.audit, export_table.EVENTS),
    "fulfillments": Export(FULFILLMENTS, lambda reading: reading.whole_fulfillments, export_table.FULFILLMENTS),
}


@dataclass(slots=True)
class ExportAnswer(Answer):
    """An answer that is read from the ledger while it is sent."""

    parts: AsyncIterator[bytes] | None = None

    async def send(self, send: Send, request_id: str) -> None:
        """Raises whatever breaks off an answer that was begun: its last chunk is missing then, which clients notice."""
        headers = [(b"content-type", self.media_type), (b"x-request-id", request_id.encode()), *ALWAYS, *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if self.parts is not None:
            async for part in self.parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _export(name: str, call: Call) -> Answer:
    exported = EXPORTS[name]
    require_known_parameters(call, frozenset(exported.parameters))
    query = dict(call.request.query_params)
    format_ = query.pop("format", "ndjson")
    if format_ not in MEDIA_TYPES:
        raise refused(400, "format must be ndjson or csv.", code="format_invalid", at="query.format")
    read = exported.read(call.services.reading)
    wanted = wanted_by(call, exported.spec, query)
    pieces = exported.parts(lambda after: read(wanted, after, PAGE_ROWS, call.origin.partner), format_)
    disposition = (b"content-disposition", f'attachment; filename="{name}.{format_}"'.encode())
    parts = _parts(call, pieces) if call.request.method == "GET" else None
    return ExportAnswer(200, b"", [disposition], MEDIA_TYPES[format_], parts)


async def _parts(call: Call, pieces: Iterator[tuple[int, bytes]]) -> AsyncIterator[bytes]:
    """The pieces, each read by a thread, until a client that went away needs no more of them."""
    while (piece := await call.read(next, pieces, None)) is not None:
        if await call.request.is_disconnected():
            return
        yield piece[1]


async def events(call: Call) -> Answer:
    """Every event that the filters leave, with who caused it."""
    return await _export("events", call)


async def orders(call: Call) -> Answer:
    """Every order that the filters leave."""
    return await _export("orders", call)


async def fulfillments(call: Call) -> Answer:
    """Every fulfillment that the filters leave."""
    return await _export("fulfillments", call)
