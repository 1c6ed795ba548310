"""One connection to a receiver: HTTP/1.1, one POST at a time, and of each answer no more than is kept.

Ours and not a library's, because the relay shares its machine with those who create: docs/decisions/0018.
"""

import asyncio
from typing import cast

import httptools

from shipledger.value import dataclass

ANSWER_BYTES_KEPT = 1_024
HEAD_BYTES_MAX = 16_384
"""Of an answer's status line and headers, and of all that comes before them."""
FIRST_FINAL_STATUS = 200
STATUS_MAX = 999


class SendFault(Exception):
    """Why there is no answer, in words that the owner of the endpoint may read."""


class ClosedEarly(SendFault):
    """The receiver closed the connection and had not answered."""


@dataclass(slots=True)
class Answer:
    """What a receiver answered. `body` is no longer than ANSWER_BYTES_KEPT."""

    status: int
    retry_after: str | None
    body: bytes


class Connection(asyncio.Protocol):
    """To be used from its event loop, for one POST after the other while `is_usable`."""

    def __init__(self) -> None:
        self.is_usable = False
        self.idle_since = 0.0
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._answer: asyncio.Future[Answer] | None = None
        self._retry_after: str | None = None
        self._forget()

    async def post(self, request: bytes, deadline: float) -> Answer:
        """Send a whole request and wait for its answer until `deadline`, in the loop's time.

        A head that came by then is an answer, whatever became of the body. Raises SendFault, and TimeoutError.
        """
        loop = asyncio.get_running_loop()
        self._forget()
        self._answer = loop.create_future()
        timer = loop.call_at(deadline, self._give_up)
        self._transport.write(request)
        try:
            return await self._answer
        finally:
            timer.cancel()
            if not self._is_whole:  # what is yet to come of this answer would be taken for the next one's
                self.close()
            self._answer = None

    def close(self) -> None:
        """At once."""
        self.is_usable = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.is_usable = True

    def data_received(self, data: bytes) -> None:
        if self._answer is None:  # nobody asked
            self.close()
            return
        if not self._has_head:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(SendFault("the answer was no HTTP"))
        except httptools.HttpParserError:
            self._is_whole, self._has_excess = False, True
            if self._has_head:
                self._finish()
            else:
                self._fail(SendFault("the answer was no HTTP"))
        if not self._has_head and self._head_bytes > HEAD_BYTES_MAX:
            self._fail(SendFault("the answer was no HTTP"))

    def connection_lost(self, _: Exception | None) -> None:
        self.is_usable = False
        if self._has_head:
            self._finish()
        else:
            self._fail(ClosedEarly("the connection was closed before the answer"))

    def on_message_begin(self) -> None:
        if self._answer is None or self._answer.done():
            self._is_whole, self._has_excess = False, True

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after":
            self._retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()
        self._has_head = self._status >= FIRST_FINAL_STATUS
        if self._status > STATUS_MAX:
            self._fail(SendFault("the answer was no HTTP"))

    def on_body(self, body: bytes) -> None:
        self._body += body[: ANSWER_BYTES_KEPT - len(self._body)]
        if len(self._body) >= ANSWER_BYTES_KEPT:
            self._finish()  # the rest is of no interest

    def on_message_complete(self) -> None:
        if self._has_head:  # a status below 200 only says that there is more to come
            self._is_whole = self._parser.should_keep_alive() and not self._has_excess
            self._finish()

    def _forget(self) -> None:
        self._status = 0
        self._retry_after = None
        self._body = b""
        self._head_bytes = 0
        self._has_head = False
        self._is_whole = False
        """Whether the connection is as it was before the request."""
        self._has_excess = False
        """Whether more came than was asked for."""

    def _give_up(self) -> None:
        if self._has_head:
            self._finish()
        else:
            self._fail(TimeoutError())

    def _finish(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(self._status, self._retry_after, self._body))

    def _fail(self, fault: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(fault)
