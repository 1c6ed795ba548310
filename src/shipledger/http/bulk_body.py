"""The body of a bulk request as it comes: a client may send for hours, and be answered meanwhile."""

from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from shipledger.http.answer import refused
from shipledger.http.body import require_json_in_form, require_json_type
from shipledger.http.bulk_reading import SPACE, Piece, Splitter, splitter_of
from shipledger.http.headers import Headers
from shipledger.http.strict_json import JSONFault, decode

LINE_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"})


class BulkBody:
    """Gives the items of a body, a list for each part of it that comes."""

    def __init__(self, headers: Headers, receive: Receive) -> None:
        """Raises Refused (415) where it is neither JSON nor lines of JSON, by its own account."""
        self._media_type = require_json_type(headers, LINE_TYPES)
        self._receive = receive
        self._is_more = True
        self._first = b""
        self._splitter: Splitter | None = None
        self.is_given_up = False
        """Whether the rest is passed over, because it cannot be read."""

    async def begin(self) -> None:
        """Wait for what the body begins with. Raises Refused (400) where there is nothing, and ClientDisconnect."""
        while not self._first and self._is_more:
            self._first = (await self._next_chunk()).lstrip(SPACE)
        if not self._first:
            message = "The body is empty; send items, one JSON object a line, or one array of them."
            raise refused(400, message, code="invalid_json", at="body")
        require_json_in_form(self._media_type, self._first)
        self._splitter = splitter_of(self._first)

    async def _next_chunk(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self._is_more = message.get("more_body", False)
        chunk: bytes = message.get("body", b"")
        return chunk

    async def pieces(self) -> AsyncIterator[list[Piece]]:
        """The items, in their order. Raises ClientDisconnect: what was not sent whole is no item."""
        if self._splitter is None:
            raise RuntimeError("the body has not begun")
        pieces = self._splitter.split(self._first)
        self._first = b""
        while True:
            if pieces and not self.is_given_up:
                yield pieces
            if not self._is_more:
                break
            chunk = await self._next_chunk()
            pieces = [] if self.is_given_up else self._splitter.split(chunk)
        if not self.is_given_up:
            yield self._splitter.finish()

    def note_fault(self) -> None:
        """An item cannot be read: behind it, nothing of an array can be told from it."""
        self.is_given_up = self._splitter is not None and self._splitter.ends_at_fault


def read_item(text: bytes) -> dict[str, Any] | None:
    """The JSON object that an item is; None where it is other JSON. Raises Refused (400) where it is none."""
    try:
        value = decode(text)
    except JSONFault as fault:
        message = fault.message.replace("The body", "The item", 1)
        raise refused(400, message, code="invalid_json", at="item") from None
    return value if isinstance(value, dict) else None
