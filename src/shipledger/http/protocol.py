"""uvicorn's HTTP protocol, with what a server needs besides when clients reach it directly.

Head and body of an answer leave in one write. Heads are limited, slow clients are cut off, malformed HTTP gets a
JSON error, and an offer to upgrade is ignored. Pass `GuardedProtocol` to `uvicorn.Config(http=...)`.
"""

import asyncio
import enum
import json
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar, cast

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from shipledger.http.application import Application
from shipledger.http.direct import DirectExchange, has_short_body
from shipledger.http.headers import gather
from shipledger.http.route import Route

_Refusal = tuple[int, bytes]  # status and body


class _Phase(enum.Enum):
    """What the client is to send next."""

    HEAD_BEGIN = enum.auto()
    HEAD_END = enum.auto()
    BODY = enum.auto()
    NOTHING = enum.auto()


class _IgnoredTrailers(list[tuple[bytes, bytes]]):
    """Takes trailers, which must not turn up among the headers of a request that is already being handled."""

    def append(self, trailer: tuple[bytes, bytes]) -> None:
        """Forget it."""


class _HeadJoiningTransport:
    """A transport that holds the head of an answer until its body is written, or until the loop comes round."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""
        self._has_ended = False
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._has_ended or self.is_closing():
            return
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head + data)
        elif data[:9] == b"HTTP/1.1 ":
            self._head = data
            self._loop.call_soon(self.flush)
        else:
            self._transport.write(data)

    def write_whole(self, data: bytes) -> None:
        """Send an answer, head and body."""
        if self._head:
            self.flush()
        if not self._has_ended and not self.is_closing():
            self._transport.write(data)

    def flush(self) -> None:
        if self._head:
            self.write(b"")

    def write_eof(self) -> None:
        self.flush()
        self._has_ended = True
        self._transport.write_eof()

    def close(self) -> None:
        self.flush()
        self._transport.close()


class GuardedProtocol(HttpToolsProtocol):
    """One connection. The limits are class attributes: seconds, bytes, and a number of headers."""

    REQUEST_HEAD_SECONDS_MAX: ClassVar = 10.0
    REQUEST_HEAD_BYTES_MAX: ClassVar = 32 * 1024
    HEADERS_MAX: ClassVar = 100
    BODY_WINDOW_SECONDS: ClassVar = 10.0
    BODY_BYTES_PER_WINDOW_MIN: ClassVar = 1024
    IDLE_CONNECTION_SECONDS_MAX: ClassVar = 60.0
    LINGER_SECONDS_MAX: ClassVar = 2.0
    CHECK_SECONDS: ClassVar = 1.0

    _direct: Application
    _direct_routes: Mapping[bytes, Route]
    _exchange: DirectExchange | None = None
    """A request that is answered below ASGI, until its body is there."""
    _now = 0.0
    """When this connection last had its turn."""
    _phase = _Phase.HEAD_BEGIN
    _since = 0.0
    _seconds_allowed = 0.0
    _body_bytes = 0
    _read_bytes = 0
    _head_bytes_at_most = 0
    _overhead_bytes = 0
    _refusal: _Refusal | None = None
    _is_deaf = False
    _is_replaying_head = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        self._answers = _HeadJoiningTransport(transport, self.loop)
        super().connection_made(cast("asyncio.Transport", self._answers))
        self._direct = cast("Application", self.app)
        self._direct_routes = getattr(self.app, "direct_routes", {})
        self._now = self.loop.time()
        self._enter(_Phase.HEAD_BEGIN, self.IDLE_CONNECTION_SECONDS_MAX)
        self._next_check = self.loop.call_later(self.CHECK_SECONDS, self._check_pace)

    def connection_lost(self, exc: Exception | None) -> None:
        self._next_check.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            return
        self._now = self.loop.time()
        self._read_bytes = len(data)
        self._head_bytes_at_most += self._read_bytes
        self._overhead_bytes += self._read_bytes
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse(self._refusal or _malformed(error))
        else:
            if self._overhead_bytes > self.REQUEST_HEAD_BYTES_MAX:
                self._refuse(_HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        if self._is_replaying_head:
            return
        self.url, self.headers = b"", []
        self._enter(_Phase.HEAD_END, self.REQUEST_HEAD_SECONDS_MAX)
        self._head_bytes_at_most = self._read_bytes

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if self._is_replaying_head:
            return
        if self._is_head_too_large():
            self._refusal = _HEAD_TOO_LARGE
            raise ValueError  # the parser stops, and data_received refuses
        if not self._begin_directly():
            self._make_scope()
            super().on_headers_complete()
        self.headers = _IGNORED_TRAILERS
        self._overhead_bytes = 0
        self._enter(_Phase.BODY, self.BODY_WINDOW_SECONDS)

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        self._overhead_bytes = 0
        if self._exchange is None:
            super().on_body(body)
        else:
            self._exchange.body += body

    def on_message_complete(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is None and self.parser.should_upgrade():
            return  # the body is yet to come: see _ignore_upgrade
        self._overhead_bytes = 0
        self._enter(_Phase.HEAD_BEGIN, self.IDLE_CONNECTION_SECONDS_MAX)
        if exchange is None:
            super().on_message_complete()
            return
        run = exchange.run(self._direct, self.server_state.default_headers, self.on_response_complete)
        task = self.loop.create_task(run)
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def on_response_complete(self) -> None:
        """What uvicorn does then, but without a timer for each answer: `_check_pace` ends what stays idle."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._phase is _Phase.HEAD_BEGIN:
            self._now = self.loop.time()
            self._enter(_Phase.HEAD_BEGIN, min(self.IDLE_CONNECTION_SECONDS_MAX, self.timeout_keep_alive))

    def _begin_directly(self) -> bool:
        """Whether this request needs no more of ASGI than its handler, and goes below it."""
        route = self._direct_routes.get(self.url)
        if route is None or self.parser.get_method() != b"POST" or self.parser.get_http_version() != "1.1":
            return False
        headers = gather(self.headers)
        if not has_short_body(headers) or self._is_earlier_answer_owed() or self.flow.write_paused:
            return False
        scope = {
            "type": "http",
            "method": "POST",
            "path": self.url.decode(),
            "query_string": b"",
            "headers": self.headers,
        }
        keep_alive = self.parser.should_keep_alive()
        self._exchange = DirectExchange(route, scope, headers, self._answers, keep_alive=keep_alive)
        self.cycle = self._exchange  # type: ignore[assignment] # it has what is asked of one
        return True

    def _make_scope(self) -> None:
        """What uvicorn does as soon as a message begins, and with each header. ASGI alone needs it."""
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        for name, value in headers:
            super().on_header(name, value)

    def _enter(self, phase: _Phase, seconds_allowed: float) -> None:
        self._phase = phase
        self._seconds_allowed = seconds_allowed
        self._since = self._now
        self._body_bytes = 0

    def _is_head_too_large(self) -> bool:
        if len(self.headers) > self.HEADERS_MAX:
            return True
        # What was read together with the head may be a body, so that only a large read needs the exact sum.
        if self._head_bytes_at_most <= self.REQUEST_HEAD_BYTES_MAX:
            return False
        header_bytes = sum(len(name) + len(value) + 4 for name, value in self.headers)
        return len(self.url) + header_bytes > self.REQUEST_HEAD_BYTES_MAX

    def _should_upgrade(self) -> bool:
        return False

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Read on in HTTP/1.1 after a head that offered another protocol.

        The parser ends such a message with its head, although a body may follow: Java's client offers h2c with the
        first request of a connection. A new parser, told only how the body is framed, reads that body.
        """
        framing = [b"%s: %s\r\n" % header for header in self.cycle.scope["headers"] if header[0] in _FRAMING]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._is_replaying_head = True
        self.parser.feed_data(b"POST / HTTP/1.1\r\n%s\r\n" % b"".join(framing))
        self._is_replaying_head = False
        self.data_received(rest)

    def _check_pace(self) -> None:
        """Close the connection when the client has kept us waiting. One coarse timer costs a request nothing."""
        self._next_check = self.loop.call_later(self.CHECK_SECONDS, self._check_pace)
        self._now = self.loop.time()
        if not self._is_client_awaited():
            self._enter(self._phase, self._seconds_allowed)
        elif self._now - self._since > self._seconds_allowed:
            self._refuse(None)

    def _is_client_awaited(self) -> bool:
        """Whether it is the client's turn: unless its body moves, or the app has yet to read, ask for it, or answer."""
        if self.flow.read_paused:
            return False
        if self._phase is _Phase.BODY:
            has_moved = self._body_bytes >= self.BODY_BYTES_PER_WINDOW_MIN
            return not (has_moved or self.cycle.waiting_for_100_continue)
        return self._phase is not _Phase.HEAD_BEGIN or not self._is_earlier_answer_owed()

    def _is_earlier_answer_owed(self) -> bool:
        """Whether an answer to a request before the one that is being read is still to come."""
        if self._phase is _Phase.BODY:
            return bool(self.pipeline)
        latest: RequestResponseCycle | None = self.cycle
        return latest is not None and not (latest.response_complete or latest.disconnected)

    def _refuse(self, refusal: _Refusal | None) -> None:
        """Read no more, say why if that can still be said, and close once earlier answers are sent."""
        self._is_deaf = True
        if self._is_earlier_answer_owed():
            self.cycle.keep_alive = False
            return
        if self._phase is _Phase.BODY:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started:
                refusal = None
        if refusal is None:
            self.transport.close()
        else:
            self._answer(refusal)

    def _answer(self, refusal: _Refusal) -> None:
        """Answer and close, but let the client finish sending: closing at once would reset what it has yet to read."""
        status, body = refusal
        lines = [b"%s: %s\r\n" % header for header in self.server_state.default_headers]
        lines += [b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body)]
        lines += [b"x-request-id: %s\r\nconnection: close\r\n\r\n" % secrets.token_hex(8).encode()]
        self.transport.write(b"".join([STATUS_LINE[status], *lines, body]))
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.flow.resume_reading()
            self._enter(_Phase.NOTHING, self.LINGER_SECONDS_MAX)
        else:
            self.transport.close()


def _malformed(error: httptools.HttpParserError) -> _Refusal:
    """Make the answer to what is not HTTP. The parser's reasons are fixed sentences, nothing of the request."""
    is_from_callback = isinstance(error, httptools.HttpParserCallbackError)
    reason = "The request target cannot be read" if is_from_callback else str(error)
    message = f"The request is not valid HTTP/1.1: {reason}."
    details = [{"code": "malformed_http", "at": "request", "message": message}]
    return 400, json.dumps({"error": "Invalid Request", "message": message, "details": details}).encode()


_FRAMING = (b"content-length", b"transfer-encoding")
_IGNORED_TRAILERS = _IgnoredTrailers()
_HEAD_TOO_LARGE = 431, b'{"error": "Request Header Fields Too Large", "message": "Shorten the URL and the headers."}'
