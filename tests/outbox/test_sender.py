"""One attempt: what is sent, and what is made of whatever comes back."""

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest
from aiohttp import web

from shipledger.outbox.address_guard import AddressGuard, read_networks
from shipledger.outbox.exchange import ANSWER_BYTES_KEPT
from shipledger.outbox.sender import Message, Sender
from shipledger.outbox.signature import shown_secret
from shipledger.webhook import Attempt
from tests.outbox.receiver import Receiver, receiving

GUARD = AddressGuard(read_networks("127.0.0.0/8"))
SECRET = b"s" * 32


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def now() -> int:
    return time.time_ns() // 1_000


def send(url: str, body: bytes = b'{"id":7}', seconds_max: float = 5) -> Attempt:
    async def attempt() -> Attempt:
        sender = Sender(GUARD, "1.2.3", now, seconds_max=seconds_max)
        try:
            return await sender.send(Message("7", url, body, [SECRET]))
        finally:
            await sender.close()

    return asyncio.run(attempt())


def test_a_message_is_one_signed_post(receiver: Receiver) -> None:
    attempt = send(receiver.url)
    assert (attempt.status, attempt.error, attempt.answer) == (200, None, "thank you")
    assert attempt.is_taken
    (came,) = receiver.received
    assert came.verified(shown_secret(SECRET)) == {"id": 7}
    assert came.headers["webhook-id"] == "7"
    assert came.headers["content-type"] == "application/json"
    assert came.headers["user-agent"] == "Shipledger/1.2.3"


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.always(302, Location=receiver.url + "/elsewhere")
    attempt = send(receiver.url)
    assert attempt.status == 302
    assert not attempt.is_taken
    assert [came.path for came in receiver.received] == ["/hook"]


def test_a_long_answer_is_kept_in_part_and_not_read_on(receiver: Receiver) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(200):
            await response.write(b"x" * 10_000)
        return response

    receiver.answer = endless
    attempt = send(receiver.url)
    assert attempt.is_taken
    assert 0 < len(attempt.answer) <= ANSWER_BYTES_KEPT


def test_an_answer_that_does_not_come_in_time_is_none(receiver: Receiver) -> None:
    async def hang(_: web.BaseRequest) -> web.Response:
        await asyncio.sleep(20)
        return web.Response()

    receiver.answer = hang
    attempt = send(receiver.url, seconds_max=0.3)
    assert (attempt.status, attempt.error) == (None, "no answer within 0.3 s")
    assert 300 <= attempt.duration_ms < 3_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120), ("-1", None), ("soon", None), ("9999999999999", None), ("1 Jan 99999999999 00:00:00", None),
        ("99999999999 Jan 99 00:00:00 :: :", None), ("Mon, 01 Jan 0001 00:00:00 +2359", 0),
    ],
)  # fmt: skip
def test_retry_after_is_read(receiver: Receiver, text: str, seconds: int | None) -> None:
    receiver.always(503, Retry_After=text)
    attempt = send(receiver.url)
    assert (attempt.status, attempt.retry_after_seconds) == (503, seconds)


def test_retry_after_may_be_a_date(receiver: Receiver) -> None:
    moment = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 100))
    receiver.always(503, Retry_After=moment)
    seconds = send(receiver.url).retry_after_seconds
    assert seconds is not None
    assert 95 <= seconds <= 100


def test_what_went_wrong_is_told_in_words_of_ours() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert send(f"http://127.0.0.1:{port}/").error == "no connection"
    assert send("http://no-such-name.invalid/").error == "the name could not be looked up"
    assert send("http://10.0.0.1/").error == "the name leads to an address that webhooks may not be sent to"


@pytest.mark.parametrize("bytes_", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 99999 no\r\n\r\n"])
def test_what_is_no_http_is_a_failed_attempt(bytes_: bytes) -> None:
    async def talk() -> Attempt:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(bytes_)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        sender = Sender(GUARD, "1.2.3", now, seconds_max=5)
        async with server:
            try:
                return await sender.send(Message("7", f"http://127.0.0.1:{port}/", b"{}", [SECRET]))
            finally:
                await sender.close()

    attempt = asyncio.run(talk())
    assert attempt.status is None
    assert attempt.error
    assert not attempt.is_taken
