"""One request answered below ASGI: for the busiest routes its messages and scopes cost as much as parsing the JSON.

An exchange stands where uvicorn's protocol keeps its `RequestResponseCycle`, and has what is asked of that.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from starlette.types import Message, Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from shipledger.http.answer import Header, header_lines
from shipledger.http.application import Application
from shipledger.http.headers import Headers
from shipledger.http.route import Route

BODY_BYTES_MAX = 64 * 1024
"""A larger body is read in pieces, with a pause where it comes too fast: the way of ASGI."""
_CLOSE = (b"connection", b"close")
_NOT_DIRECT = frozenset({b"transfer-encoding", b"expect", b"upgrade"})
_NO_OTHER_METHODS: Mapping[str, Route] = {}


class WholeAnswerTransport(Protocol):
    """What an exchange needs of its connection."""

    def write_whole(self, data: bytes) -> None:
        """Send an answer, head and body."""
        ...

    def close(self) -> None: ...


def has_short_body(headers: Headers) -> bool:
    """Whether a request says that its body is short, and asks for nothing but to be read."""
    lengths = headers.get(b"content-length")
    if lengths is None or not _NOT_DIRECT.isdisjoint(headers):
        return False
    return lengths[-1].isdigit() and int(lengths[-1][:20]) <= BODY_BYTES_MAX


class _Bell:
    """Stands for the event that wakes a reader of the body: an exchange begins when the body is there."""

    def set(self) -> None:
        """Nobody waits."""


class DirectExchange:
    """A request and its answer. Until that is complete, `keep_alive` and `disconnected` may change."""

    waiting_for_100_continue = False
    response_started = False
    message_event = _Bell()

    def __init__(
        self, route: Route, scope: Scope, headers: Headers, transport: WholeAnswerTransport, *, keep_alive: bool
    ) -> None:
        self._route = route
        self._headers = headers
        self._transport = transport
        self.scope = scope
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False
        self.body = bytearray()

    async def run(
        self, application: Application, default_headers: list[Header], on_response: Callable[[], None]
    ) -> None:
        """Have the request answered, and write the answer in one piece."""
        request_id = next(application.request_ids)
        answer = await application.answer(
            self._route, _NO_OTHER_METHODS, self.scope, self._headers, _receive_no_more, request_id, bytes(self.body)
        )
        self.response_complete = True
        if answer is None or self.disconnected:
            return
        close = b""
        if _CLOSE in answer.headers:
            self.keep_alive = False
        elif not self.keep_alive:
            close = header_lines([_CLOSE])
        head = STATUS_LINE[answer.status] + header_lines(default_headers) + answer.head(request_id)
        self._transport.write_whole(b"%b%b\r\n%b" % (head, close, answer.body))
        if not self.keep_alive:
            self._transport.close()
        on_response()


async def _receive_no_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
