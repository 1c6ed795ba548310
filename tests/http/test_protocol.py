"""A real uvicorn server on loopback, and clients that behave well, badly and slowly."""

import asyncio
import contextlib
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

from shipledger.http.protocol import GuardedProtocol, _HeadJoiningTransport

SECONDS_TO_BE_CLOSED_IN = 1.0
SLOW_APP_SECONDS = 0.5  # longer than any limit below


class ShortProtocol(GuardedProtocol):
    """The same protocol with limits that a test can wait for."""

    REQUEST_HEAD_SECONDS_MAX = 0.2
    BODY_WINDOW_SECONDS = 0.3
    BODY_BYTES_PER_WINDOW_MIN = 100
    IDLE_CONNECTION_SECONDS_MAX = 0.3
    LINGER_SECONDS_MAX = 0.2
    CHECK_SECONDS = 0.05


class App:
    """Answers by path, and remembers what it saw."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, object]] = []
        self.has_resumed = threading.Event()

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        assert scope["type"] == "http"
        handler: Callable[..., Any] = getattr(self, scope["path"].strip("/"))
        await handler(scope, receive, send)

    async def echo(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer with the length of the body."""
        size = await self._read(receive)
        self.seen.append(("echo", size))
        if size is not None:
            await _answer(send, 200, b"%d bytes" % size)

    async def nothing(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def stream(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for chunk in (b"one", b"two"):
            await asyncio.sleep(0.1)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})

    async def flood(self, scope: Any, receive: Any, send: Any) -> None:
        """Send far more than the sockets hold, and count what was taken before the client read."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(300):
            self.seen.append(("sent", number))
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        await send({"type": "http.response.body"})

    async def slow(self, scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(SLOW_APP_SECONDS)
        await self.echo(scope, receive, send)

    async def late(self, scope: Any, receive: Any, send: Any) -> None:
        """Read first, then take long to answer."""
        size = await self._read(receive)
        await asyncio.sleep(SLOW_APP_SECONDS)
        self.seen.append(("late", size))
        await _answer(send, 200, b"late")

    async def early(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer without reading the body."""
        await _answer(send, 413, b"early")

    async def headers(self, scope: Any, receive: Any, send: Any) -> None:
        await self._read(receive)
        await _answer(send, 200, b",".join(name for name, _ in scope["headers"]))

    async def _read(self, receive: Any) -> int | None:
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            size += len(message["body"])
            if not message["more_body"]:
                return size


async def _answer(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Server:
    """uvicorn in a thread."""

    def __init__(self, loop: str, protocol: type[GuardedProtocol] = ShortProtocol, **more: Any) -> None:
        self.app = App()
        # A protocol for websockets is there, and must not be turned to.
        options: dict[str, Any] = {"loop": loop, "ws": asyncio.Protocol, "lifespan": "off", "log_level": "error"}
        config = uvicorn.Config(self.app, http=protocol, access_log=False, **options, **more)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]})
        self._thread.start()

    def connect(self) -> socket.socket:
        return socket.create_connection(self._listener.getsockname(), timeout=10)

    def wait_until_idle(self) -> None:
        """Wait for what an earlier test left behind."""
        state = self._server.server_state
        deadline = time.monotonic() + 5
        while (state.connections or state.tasks) and time.monotonic() < deadline:
            time.sleep(0.005)
        assert not state.connections
        assert not state.tasks

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._listener.close()
        assert not self._thread.is_alive()


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def running(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(request.param)
    yield server
    server.stop()


@pytest.fixture
def server(running: Server) -> Server:
    running.wait_until_idle()
    running.app.seen.clear()
    return running


def ask(server: Server, *parts: bytes) -> bytes:
    """Send `parts` on a new connection and return all that comes until the server closes."""
    with server.connect() as client:
        for part in parts:
            client.sendall(part)
        return read_all(client)


def read_all(client: socket.socket) -> bytes:
    received = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while data := client.recv(65536):
            received += data
    return bytes(received)


def read_until(client: socket.socket, end: bytes) -> bytes:
    received = b""
    while not received.endswith(end):
        data = client.recv(65536)
        assert data, f"closed after {received!r}"
        received += data
    return received


def assert_closed_in_time(client: socket.socket, started: float) -> bytes:
    received = read_all(client)
    assert time.monotonic() - started < SECONDS_TO_BE_CLOSED_IN
    return received


def get(path: str, *headers: bytes, method: bytes = b"GET") -> bytes:
    return b"\r\n".join([method + b" /" + path.encode() + b" HTTP/1.1", b"Host: x", *headers, b"", b""])


def post(path: str, body: bytes, *headers: bytes, length: int | None = None) -> bytes:
    framing = b"Content-Length: %d" % (len(body) if length is None else length)
    return get(path, framing, *headers, method=b"POST") + body


CLOSE = b"Connection: close"
CHUNKED = b"Transfer-Encoding: chunked"


# One write for head and body


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What the real transport is told to write."""
    written: list[bytes] = []

    class Recorder:
        def __init__(self, transport: asyncio.Transport) -> None:
            self._transport = transport

        def __getattr__(self, name: str) -> Any:
            return getattr(self._transport, name)

        def write(self, data: bytes) -> None:
            written.append(bytes(data))
            self._transport.write(data)

    initialise = _HeadJoiningTransport.__init__

    def record(self: _HeadJoiningTransport, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        initialise(self, Recorder(transport), loop)  # type: ignore[arg-type]

    monkeypatch.setattr(_HeadJoiningTransport, "__init__", record)
    return written


@pytest.mark.parametrize("headers", [(), (CLOSE,)])
def test_head_and_body_leave_in_one_write(server: Server, writes: list[bytes], headers: tuple[bytes, ...]) -> None:
    with server.connect() as client:
        client.sendall(post("echo", b"abc", *headers))
        assert client.recv(65536).endswith(b"3 bytes")
    assert len(writes) == 1


def test_answers_without_a_body_are_sent(server: Server, writes: list[bytes]) -> None:
    with server.connect() as client:
        client.sendall(get("echo", method=b"HEAD"))
        assert read_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        client.sendall(get("nothing"))
        assert read_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 204 ")
        client.sendall(get("echo", CLOSE, method=b"HEAD"))
        assert read_all(client).startswith(b"HTTP/1.1 200 ")
    assert [data for data in writes if data[:5] != b"HTTP/"] == []


def test_a_streamed_answer_is_sent_as_it_comes(server: Server) -> None:
    with server.connect() as client:
        client.sendall(get("stream"))
        assert read_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        assert client.recv(65536) == b"3\r\none\r\n"
        assert read_until(client, b"0\r\n\r\n") == b"3\r\ntwo\r\n0\r\n\r\n"


def test_pipelined_requests_are_answered_in_order(server: Server, writes: list[bytes]) -> None:
    received = ask(server, post("late", b"a") + get("nothing") + post("echo", b"abc", CLOSE))
    statuses = [line for line in received.split(b"\r\n") if b"HTTP/1.1" in line]
    assert b"late" in received
    assert b" 204 " in statuses[1]
    assert received.endswith(b"3 bytes")
    assert len(writes) == 3


def test_a_client_that_does_not_read_stops_the_app(server: Server) -> None:
    with server.connect() as client:
        client.sendall(get("flood", CLOSE))
        time.sleep(0.2)
        sent_before_reading = len(server.app.seen)
        assert sent_before_reading < 100
        received = read_all(client)
    assert received.endswith(b"0\r\n\r\n")
    assert len(received) > 300 * 100_000


# Slow clients


def test_a_silent_connection_is_closed(server: Server) -> None:
    with server.connect() as client:
        assert assert_closed_in_time(client, time.monotonic()) == b""


class PatientProtocol(ShortProtocol):
    IDLE_CONNECTION_SECONDS_MAX = 60


def test_a_connection_that_was_answered_may_be_idle_for_less_long_than_a_new_one() -> None:
    server = Server("uvloop", PatientProtocol, timeout_keep_alive=0.2)
    try:
        with server.connect() as new, server.connect() as answered:
            answered.sendall(post("echo", b"abc"))
            assert read_until(answered, b"3 bytes")
            assert assert_closed_in_time(answered, time.monotonic()) == b""
            new.sendall(post("echo", b"abc", CLOSE))
            assert read_all(new).endswith(b"3 bytes")
    finally:
        server.stop()


def drip(client: socket.socket, data: bytes, *, seconds: float) -> float:
    """Send byte for byte until the server has closed for good; return the seconds it took."""
    started = time.monotonic()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for byte in itertools.cycle(data):
            if time.monotonic() - started > seconds:
                break
            client.sendall(bytes([byte]))
            time.sleep(0.04)
    return time.monotonic() - started


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\nX: " + b"a" * 1000, b"\r\n"])
def test_a_slow_head_is_closed(server: Server, data: bytes) -> None:
    with server.connect() as client:
        assert drip(client, data, seconds=2) < SECONDS_TO_BE_CLOSED_IN


@pytest.mark.parametrize("head", [post("echo", b"", length=1000), get("echo", CHUNKED, method=b"POST")])
def test_a_slow_body_is_closed_and_the_app_told(server: Server, head: bytes) -> None:
    data = b"1\r\na\r\n" if CHUNKED in head else b"a"
    with server.connect() as client:
        client.sendall(head)
        assert drip(client, data, seconds=2) < SECONDS_TO_BE_CLOSED_IN
    assert_seen(server, ("echo", None))


def assert_seen(server: Server, *expected: tuple[str, object]) -> None:
    deadline = time.monotonic() + 2
    while server.app.seen != list(expected) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.app.seen == list(expected)


def test_a_slow_body_after_an_early_answer_is_closed(server: Server) -> None:
    with server.connect() as client:
        client.sendall(post("early", b"", length=1000))
        assert read_until(client, b"early").startswith(b"HTTP/1.1 413 ")
        assert drip(client, b"a", seconds=2) < SECONDS_TO_BE_CLOSED_IN


def test_a_long_upload_that_moves_is_read(server: Server) -> None:
    with server.connect() as client:
        client.sendall(post("echo", b"", CLOSE, length=15 * 100))
        for _ in range(15):
            time.sleep(0.04)
            client.sendall(b"x" * 100)
        assert read_all(client).endswith(b"1500 bytes")


def test_an_app_that_does_not_read_is_not_blamed_on_the_client(server: Server) -> None:
    body = b"x" * 1_000_000
    assert ask(server, post("slow", body, CLOSE)).endswith(b"1000000 bytes")


def test_an_app_that_is_slow_to_answer_is_not_blamed_on_the_client(server: Server) -> None:
    with server.connect() as client:
        client.sendall(post("late", b"a"))
        assert read_until(client, b"late")
        client.sendall(post("echo", b"abc", CLOSE))
        assert read_all(client).endswith(b"3 bytes")


def test_a_client_that_waits_for_100_continue_is_not_blamed(server: Server) -> None:
    with server.connect() as client:
        client.sendall(post("slow", b"", CLOSE, b"Expect: 100-continue", length=3))
        assert read_until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        assert read_all(client).endswith(b"3 bytes")


def test_a_slow_second_head_does_not_cost_the_first_answer(server: Server) -> None:
    with server.connect() as client:
        client.sendall(post("late", b"a") + b"GET /echo HTT")
        assert read_all(client).endswith(b"late")


# Heads


@pytest.mark.parametrize(
    "request_parts",
    [
        (get("echo", *[b"X-%d: a" % number for number in range(100)]),),
        (get("echo", b"X: " + b"a" * 33_000),),
        (get("echo", b"X: " + b"a" * 500_000),),
        (get("echo?" + "a" * 33_000),),
        (b"GET /echo HTTP/1.1\r\nX: " + b"a" * 33_000,),
        (b"GET /", b"a" * 500_000),
        (get("echo", CHUNKED, method=b"POST"), b"1\r\na\r\n0\r\nX: ", b"a" * 500_000),
        (get("echo", CHUNKED, method=b"POST"), b"1;", b"a" * 500_000),
    ],
)
def test_a_large_head_gets_431(server: Server, request_parts: tuple[bytes, ...]) -> None:
    received = ask(server, *request_parts)
    head, _, body = received[received.index(b"HTTP/1.1 431 ") :].partition(b"\r\n\r\n")
    assert b"connection: close" in head
    assert json.loads(body)["error"] == "Request Header Fields Too Large"
    assert b"content-length: %d" % len(body) in head


def test_a_large_head_behind_a_request_does_not_spoil_its_answer(server: Server) -> None:
    received = ask(server, post("echo", b"a") + get("echo", b"X: " + b"a" * 33_000))
    assert received.endswith(b"1 bytes")
    assert server.app.seen == [("echo", 1)]


@pytest.mark.parametrize(
    "request_bytes",
    [
        get("echo", CLOSE, *[b"X-%d: a" % number for number in range(98)]),
        get("echo", CLOSE, b"X: " + b"a" * 32_000),
        post("echo", b"a" * 60_000) + get("echo", CLOSE),
    ],
)
def test_a_head_within_the_limits_is_read(server: Server, request_bytes: bytes) -> None:
    assert ask(server, request_bytes).startswith(b"HTTP/1.1 200 ")


def test_half_a_head_behind_a_large_body_is_waited_for(server: Server) -> None:
    with server.connect() as client:
        client.sendall(post("echo", b"a" * 60_000) + b"GET /echo HTTP/1.1\r\nConn")
        assert read_until(client, b"60000 bytes")
        client.sendall(b"ection: close\r\n\r\n")
        assert read_all(client).startswith(b"HTTP/1.1 200 ")


def test_trailers_are_not_headers(server: Server) -> None:
    received = ask(server, get("headers", CHUNKED, CLOSE, method=b"POST"), b"1\r\na\r\n0\r\nAuthorization: x\r\n\r\n")
    assert received.endswith(b"host,transfer-encoding,connection")


# What is not HTTP


@pytest.mark.parametrize(
    "request_bytes",
    [
        post("echo", b"0\r\n\r\n", CHUNKED),
        get("echo", CHUNKED, b"Content-Length: 5", method=b"POST") + b"0\r\n\r\n",
        post("echo", b"abc", b"Content-Length: 3"),
        post("echo", b"abc", b"Content-Length: 4"),
        get("echo", b"Content-Length: 3, 3", method=b"POST") + b"abc",
        get("echo", b"Content-Length: -3", method=b"POST") + b"abc",
        get("echo", b"Transfer-Encoding: gzip", method=b"POST") + b"abc",
        get("echo", CHUNKED, method=b"POST") + b"zz\r\n",
        get("echo", b"Content-Length : 3", method=b"POST") + b"abc",
        get("echo", b"X: a\r\n b"),
        b"<script> / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /echo HTTP/9.9\r\n\r\n",
        b"GET /echo HTTP/1.1\nHost: x\n\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_not_http_gets_a_json_error(server: Server, request_bytes: bytes) -> None:
    received = ask(server, request_bytes)
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/json" in head
    assert b"connection: close" in head
    error = json.loads(body)
    assert error["error"] == "Invalid Request"
    assert error["details"] == [{"code": "malformed_http", "at": "request", "message": error["message"]}]
    assert "script" not in error["message"]
    assert ("echo", 3) not in server.app.seen


BAD_CHUNK = b"zz\r\n"


def test_a_bad_body_is_told_to_an_app_that_has_not_read(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    received = ask(server, get("echo", CHUNKED, b"Expect: 100-continue", method=b"POST") + BAD_CHUNK)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert_seen(server, ("echo", None))
    assert caplog.records == []


def test_a_bad_body_behind_an_early_answer_gets_no_second_one(server: Server) -> None:
    with server.connect() as client:
        client.sendall(get("early", CHUNKED, method=b"POST"))
        assert read_until(client, b"early")
        client.sendall(BAD_CHUNK)
        assert read_all(client) == b""


def test_a_client_that_goes_on_after_a_refusal_is_cut_off(server: Server) -> None:
    with server.connect() as client:
        client.sendall(get("echo", CHUNKED, method=b"POST") + BAD_CHUNK)
        assert read_all(client).startswith(b"HTTP/1.1 400 ")
        assert drip(client, b"more", seconds=2) < SECONDS_TO_BE_CLOSED_IN


def test_garbage_behind_a_request_does_not_spoil_its_answer(server: Server) -> None:
    received = ask(server, post("late", b"a") + b"\x00garbage\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.endswith(b"late")


def test_a_body_shorter_than_declared_is_a_disconnect(server: Server) -> None:
    with server.connect() as client:
        client.sendall(post("echo", b"abc", length=10))
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b""
    assert_seen(server, ("echo", None))


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
@pytest.mark.parametrize("framing", [b"Content-Length: 3", CHUNKED])
def test_an_offer_to_upgrade_is_ignored(server: Server, framing: bytes, protocol: bytes) -> None:
    body = b"3\r\nabc\r\n0\r\n\r\n" if framing == CHUNKED else b"abc"
    offer = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: " + protocol)
    with server.connect() as client:
        client.sendall(get("echo", *offer, framing, method=b"POST"))
        time.sleep(0.05)
        client.sendall(body + get("echo", *offer))
        assert read_until(client, b"0 bytes").count(b"3 bytes") == 1
        client.sendall(get("echo", CLOSE))
        assert read_all(client).endswith(b"0 bytes")
    assert server.app.seen == [("echo", 3), ("echo", 0), ("echo", 0)]
