"""One request answered below ASGI: for the busiest routes its messages and scopes cost as much as parsing the JSON.

An exchange stands where uvicorn's protocol keeps its `RequestResponseCycle`, and has what is asked of that.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from starlette.types import Receive, Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from shipledger.http.answer import Answer, Header
from shipledger.http.route import Route

BODY_BYTES_MAX = 64 * 1024
"""A larger body is read in pieces, with a pause where it comes too fast: the way of ASGI."""
_CLOSE = (b"connection", b"close")
_NOT_DIRECT = frozenset({b"transfer-encoding", b"expect", b"upgrade"})


class DirectApplication(Protocol):
    """What an application has for this."""

    direct_routes: dict[bytes, Route]
    """The routes that take a POST of one JSON object, by their URLs."""

    async def answer_directly(self, route: Route, scope: Scope, receive: Receive) -> tuple[Answer | None, str]:
        """The answer of such a route, None where the client has left, and the id of the request."""
        ...


def has_short_body(headers: list[Header]) -> bool:
    """Whether a request says that its body is short, and asks for nothing but to be read."""
    length = b""
    for name, value in headers:
        if name == b"content-length":
            length = value
        elif name in _NOT_DIRECT:
            return False
    return length.isdigit() and int(length[:20]) <= BODY_BYTES_MAX


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
        self, route: Route, url: bytes, headers: list[Header], transport: asyncio.Transport, *, keep_alive: bool
    ) -> None:
        self._route = route
        self._transport = transport
        self.scope = {"type": "http", "method": "POST", "path": url.decode(), "query_string": b"", "headers": headers}
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False
        self.more_body = True
        self.body = bytearray()

    async def run(
        self, application: DirectApplication, default_headers: list[Header], on_response: Callable[[], None]
    ) -> None:
        """Have the request answered, and write the answer in one piece."""
        answer, request_id = await application.answer_directly(self._route, self.scope, self._receive)
        self.response_complete = True
        if answer is None or self.disconnected:
            return
        headers = default_headers + answer.all_headers(request_id)
        if _CLOSE in answer.headers:
            self.keep_alive = False
        elif not self.keep_alive:
            headers.append(_CLOSE)
        lines = [b"%s: %s\r\n" % header for header in headers]
        self._transport.write(b"".join((STATUS_LINE[answer.status], *lines, b"\r\n", answer.body)))
        if not self.keep_alive:
            self._transport.close()
        on_response()

    async def _receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": bytes(self.body), "more_body": False}
