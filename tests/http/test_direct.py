"""The way below ASGI: a busy route answers there as it does above, byte for byte, and its connection goes on alike."""

import json
import re
import socket
import time

import pytest

from shipledger.http.direct import BODY_BYTES_MAX
from tests.http.orders_to_ship import parcel, record_order
from tests.serving import Server

BELOW, ABOVE = "/v1/fulfillments", "/v1/fulfillments/"
"""One route; a final slash is looked at by the application, so that it goes the way of ASGI."""
ITS_OWN = re.compile(
    rb"(date|x-request-id|location|content-length): [^\r]*\r\n|\"(id|order_id|created_at|tracking_number)\":[^,}]*"
)


def request(path: str, body: bytes, *headers: bytes, version: bytes = b"1.1", length: int | None = None) -> bytes:
    lines = [b"POST %s HTTP/%s" % (path.encode(), version), b"Host: localhost", *headers]
    return b"\r\n".join([*lines, b"Content-Length: %d" % (len(body) if length is None else length), b"", body])


def ship(server: Server) -> bytes:
    order_id = record_order(server, ("MUG", 5))
    return json.dumps(parcel(order_id, ("MUG", 1), tracking_number=f"DIRECT-{order_id}")).encode()


def talk(server: Server, *parts: bytes, close: bool = True) -> bytes:
    """Send these parts on one connection, and return all that comes until the server closes it."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        for part in parts:
            client.sendall(part)
        if close:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        received = b""
        while data := client.recv(65_536):
            received += data
    return received


def answers(received: bytes) -> list[bytes]:
    return [b"HTTP/1.1 " + answer for answer in received.split(b"HTTP/1.1 ")[1:]]


CASES: dict[str, tuple[bytes, ...]] = {
    "a key": (b"Idempotency-Key: direct-%s",),
    "a bad key": (b"Idempotency-Key: ",),
    "another type": (b"Content-Type: text/plain",),
    "an encoding": (b"Content-Encoding: gzip",),
    "a foreign origin": (b"Origin: http://example.com",),
    "the connection's end": (b"Connection: close",),
}
BODIES = {
    "no JSON": b"{",
    "no object": b"[]",
    "no order": b'{"order_id": 1, "tracking_number": "1Z"}',
    "a field at fault": b'{"order_id": {}, "tracking_number": 5}',
    "nothing": b"",
}


@pytest.mark.parametrize("case", CASES)
def test_both_ways_answer_alike_whatever_the_headers(server: Server, case: str) -> None:
    both = []
    for name, path in (("below", BELOW), ("above", ABOVE)):
        headers = [line % name.encode() if b"%s" in line else line for line in CASES[case]]
        received = answers(talk(server, request(path, ship(server), *headers)))
        both.append(ITS_OWN.sub(b"", received[0]))
    assert both[0] == both[1]


@pytest.mark.parametrize("case", BODIES)
def test_both_ways_answer_alike_whatever_the_body(server: Server, case: str) -> None:
    below, above = (ITS_OWN.sub(b"", answers(talk(server, request(path, BODIES[case])))[0]) for path in (BELOW, ABOVE))
    assert below == above


def test_an_answer_of_a_busy_route_is_one_write(server: Server) -> None:
    """What is read at once was written at once: on loopback nothing splits an answer as short as this."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(request(BELOW, ship(server)))
        received = client.recv(65_536)
    assert received.endswith(b"}")


def test_requests_sent_at_once_are_answered_in_order_on_both_ways(server: Server) -> None:
    bodies = [ship(server) for _ in range(4)]
    received = talk(
        server, b"".join(request(path, body) for path, body in zip((BELOW, ABOVE) * 2, bodies, strict=True))
    )
    orders = [json.loads(answer.partition(b"\r\n\r\n")[2])["order_id"] for answer in answers(received)[:-1]]
    assert orders == [json.loads(body)["order_id"] for body in bodies]


@pytest.mark.parametrize("at", [1, 40])
def test_a_body_may_come_in_pieces(server: Server, at: int) -> None:
    whole = request(BELOW, ship(server))
    cut = len(whole) - at
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(whole[:cut])
        time.sleep(0.05)
        client.sendall(whole[cut:])
        assert client.recv(65_536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("extra", [0, 1])
def test_a_body_around_the_limit_is_read_whole(server: Server, extra: int) -> None:
    body = ship(server)
    received = answers(talk(server, request(BELOW, body + b" " * (BODY_BYTES_MAX + extra - len(body)))))
    assert received[0].startswith(b"HTTP/1.1 200 ")


def test_a_request_that_waits_for_leave_is_given_it(server: Server) -> None:
    body = ship(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(request(BELOW, b"", b"Expect: 100-continue", length=len(body)))
        assert client.recv(65_536).startswith(b"HTTP/1.1 100 ")
        client.sendall(body)
        assert client.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_an_older_protocol_and_a_wish_to_close_end_the_connection(server: Server) -> None:
    for part in (
        request(BELOW, ship(server), version=b"1.0"),
        request(BELOW, ship(server), b"Connection: close"),
    ):
        assert b" 200 OK\r\n" in talk(server, part, close=False)


def test_a_client_that_leaves_before_its_body_is_whole_writes_nothing(server: Server) -> None:
    body = ship(server)
    order_id = json.loads(body)["order_id"]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(request(BELOW, body[:-1], length=len(body)))
    assert server.get(f"/v1/fulfillments?order_id={order_id}").json()["fulfillments"] == []
