"""Connections to receivers: kept, closed, tied to an address, and whatever a receiver may do with one."""

import asyncio
import gc
import shutil
import ssl
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from shipledger.outbox import connections
from shipledger.outbox.address_guard import AddressGuard, read_networks
from shipledger.outbox.connections import place_of
from shipledger.outbox.exchange import ANSWER_BYTES_KEPT, SendFault
from shipledger.outbox.sender import Message, Sender
from shipledger.webhook import Attempt

GUARD = AddressGuard(read_networks("127.0.0.0/8"))
TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


def attempts(
    talk: Talk,
    times: int = 1,
    *,
    pause: float = 0,
    seconds_max: float = 5,
    url: str = "http://127.0.0.1:{port}/",
    tls: ssl.SSLContext | None = None,
) -> tuple[list[Attempt], int]:
    """Attempts one after the other at a receiver that talks so, and how many connections it was asked for."""
    count = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        try:
            await talk(reader, writer, count)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def send_all() -> list[Attempt]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
        sender = Sender(GUARD, "test", lambda: time.time_ns() // 1_000, seconds_max=seconds_max)
        address = url.format(port=server.sockets[0].getsockname()[1])
        found = []
        try:
            for number in range(times):
                found.append(await sender.send(Message(str(number), address, b"{}", [b"secret"])))
                await asyncio.sleep(pause)
            return found
        finally:
            await sender.close()
            server.close()

    return asyncio.run(send_all()), count


def saying(*parts: bytes, pause: float = 0) -> Talk:
    """Answers each request like this, part by part, for as long as it is asked."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        while True:
            await read_request(reader)
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)

    return talk


def test_a_connection_is_used_again() -> None:
    found, connections_made = attempts(saying(TAKEN), 5)
    assert [attempt.status for attempt in found] == [200] * 5
    assert connections_made == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000,
        TAKEN + b"and more",
        TAKEN + TAKEN,
    ],
)
def test_one_that_cannot_be_used_again_is_not(answer: bytes) -> None:
    found, connections_made = attempts(saying(answer), 3, pause=0.05)
    assert [attempt.status for attempt in found] == [200] * 3
    assert connections_made == 3


def test_one_that_was_closed_while_it_was_idle_costs_no_attempt() -> None:
    """A receiver that closes as the next request comes: it has not answered that one, and is asked again."""

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await read_request(reader)
        writer.write(TAKEN)
        await reader.readexactly(1)

    found, connections_made = attempts(once, 3)
    assert [(attempt.status, attempt.error) for attempt in found] == [(200, None)] * 3
    assert connections_made == 3


def test_a_new_one_that_is_closed_at_once_is_a_failed_attempt() -> None:
    async def closing(reader: asyncio.StreamReader, _: asyncio.StreamWriter, __: int) -> None:
        await read_request(reader)

    (attempt,), connections_made = attempts(closing)
    assert attempt.error == "the connection was closed before the answer"
    assert connections_made == 1


def test_idle_ones_are_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS_MAX", 0.05)
    _, connections_made = attempts(saying(TAKEN), 2, pause=0.3)
    assert connections_made == 2


def test_what_comes_before_the_answer_is_none() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    (attempt,), _ = attempts(saying(b"HTTP/1.1 100 Continue\r\n\r\n", early, TAKEN, pause=0.02))
    assert (attempt.status, attempt.answer) == (200, "ok")


@pytest.mark.parametrize(
    "parts",
    [
        (b"HTTP/1.1 200 OK\r\nUpgrade: h2,h2c\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nok",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"o", b"k"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n", b"1\r\nk\r\n0\r\n\r\n"),
        (b"HTTP/1.1 2", b"00 OK\r\nContent-Len", b"gth: 2\r\n\r\no", b"k"),
    ],
)
def test_an_answer_may_come_in_parts(parts: tuple[bytes, ...]) -> None:
    (attempt, again), connections_made = attempts(saying(*parts, pause=0.02), 2)
    assert (attempt.status, attempt.answer) == (again.status, again.answer) == (200, "ok")
    assert connections_made == 1


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 202 Accepted\r\n\r\nthank you")

    (attempt,), _ = attempts(talk)
    assert (attempt.status, attempt.answer) == (202, "thank you")


def test_a_head_without_the_rest_is_an_answer_when_time_is_up() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"
    (attempt,), _ = attempts(saying(head), seconds_max=0.3)
    assert (attempt.status, attempt.answer) == (200, "ok")


def test_a_head_that_does_not_end_is_given_up() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"x: " + b"y" * 1_000 + b"\r\n")
            await writer.drain()

    (attempt,), _ = attempts(endless)
    assert (attempt.status, attempt.error) == (None, "the answer was no HTTP")


@pytest.mark.parametrize("size", [ANSWER_BYTES_KEPT - 1, ANSWER_BYTES_KEPT, ANSWER_BYTES_KEPT + 1])
def test_no_more_than_the_limit_is_kept(size: int) -> None:
    (attempt,), _ = attempts(saying(b"HTTP/1.1 500 no\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size))
    assert attempt.status == 500
    assert len(attempt.answer) == min(size, ANSWER_BYTES_KEPT)


def test_a_name_is_looked_up_once_at_a_time_however_long_it_takes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connections, "NAMES_SECONDS_KEPT", 0.01)
    asked = 0

    async def look_up(host: str, port: int) -> list[Any]:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.5)
        raise OSError

    async def send_all() -> list[Attempt]:
        sender = Sender(GUARD, "test", lambda: 0, seconds_max=0.1)
        sender._connections._look_up = look_up  # type: ignore[method-assign]
        message = Message("1", "http://example.com/", b"{}", [b"secret"])
        found = [await sender.send(message) for _ in range(3)]
        assert asked == 1
        await asyncio.sleep(0.5)
        found.append(await sender.send(message))  # the one that failed when nobody waited any more is forgotten
        gc.collect()
        await sender.close()
        return found

    assert [attempt.error for attempt in asyncio.run(send_all())] == ["no answer within 0.1 s"] * 4
    assert asked == 2
    assert not caplog.records


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("http://Example.com", "example.com", "/"),
        ("http://example.com:80/a?b=%20#c", "example.com", "/a?b=%20"),
        ("http://example.com:8080?x", "example.com:8080", "/?x"),
        ("https://[2001:4860::8888]:443/", "[2001:4860::8888]", "/"),
        ("https://[2001:4860::8888]:444/", "[2001:4860::8888]:444", "/"),
    ],
)
def test_what_is_asked_for_of_whom(url: str, host: str, target: str) -> None:
    assert place_of(url)[1:] == (host, target)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/",
        "http://",
        "http:///x",
        "http://a:x/",
        "http://u:p@a/",
        "http://a/\r\nX: y",
        "http://a/ b",
        "http://ä/",
    ],
)
def test_no_url_says_more_than_where_it_leads(url: str) -> None:
    with pytest.raises(SendFault):
        place_of(url)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a receiver called localhost, which nobody vouches for, with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is missing: this test makes a certificate with it")
    found = tmp_path_factory.mktemp("tls") / "receiver.pem"
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(found))
    made = found.with_suffix(".crt")
    command = [openssl, "req", "-x509", "-days", "2", *names, *key, "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    found.write_text(found.read_text() + made.read_text())
    return found


def tls_attempts(certificate: Path, host: str) -> list[Attempt]:
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(certificate)
    return attempts(saying(TAKEN), 2, url=f"https://{host}:{{port}}/", tls=served)[0]


def test_a_certificate_that_is_trusted_will_do(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_tls", lambda: ssl.create_default_context(cafile=str(certificate)))
    assert [(attempt.status, attempt.error) for attempt in tls_attempts(certificate, "localhost")] == [(200, None)] * 2


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_one_that_is_not_trusted_or_for_another_name_will_not(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    if host != "localhost":
        monkeypatch.setattr(connections, "_tls", lambda: ssl.create_default_context(cafile=str(certificate)))
    for attempt in tls_attempts(certificate, host):
        assert attempt.error == "no connection: TLS failed, or the certificate is not trusted"
