"""The rows "HTTP" of BAD_INPUTS.md, end to end: wrong types, sizes, paths and methods write nothing."""

import contextlib
import itertools
import json
import socket
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import apsw
import pytest

from tests.http.ledger_dump import MARK, codes, dump, refuse
from tests.http.orders_to_ship import JSON, parcel, record_order, remaining, text
from tests.serving import Reply, Server, running

BODY_BYTES_MAX = 2 * 1024 * 1024
ORDER_ID = 7002


@pytest.fixture(scope="module", autouse=True)
def order(server: Server) -> None:
    record_order(server, ("MUG", 1_000), id=ORDER_ID)


GOOD = text(parcel(ORDER_ID, ("MUG", 1)))

# Types


@pytest.mark.parametrize("path", ["/v1/fulfillments", "/v1/orders", "/fulfillments/create"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "text/html"},
        {"Content-Type": "text/csv"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/octet-stream"},
        {"Content-Type": "application/xml"},
        {"Content-Type": "application/jsonx"},
        {"Content-Type": "application/x-ndjson"},
        {"Content-Type": "image/svg+json"},
        {"Content-Type": f"{MARK}/json"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json; charset=us-ascii"},
        {"Content-Type": 'application/json; charset="iso-8859-1"'},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "identity"},
        {"Content-Encoding": MARK},
    ],
    ids=str,
)
def test_a_type_that_is_not_json_gets_415_and_the_header_to_send(
    server: Server, path: str, headers: Mapping[str, str]
) -> None:
    reply = refuse(server, 415, "POST", path, GOOD, headers)
    assert '"Content-Type: application/json"' in reply.json()["message"]


def test_a_form_that_is_a_form_gets_415(server: Server) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (f"order_id={ORDER_ID}&tracking_number={MARK}", "", MARK):
        refuse(server, 415, "POST", "/v1/fulfillments", body, headers)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json; odata=verbose",
        "text/json",
        "application/vnd.x+json",
        "application/vnd.api+json; version=1",
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=UTF-8",
    ],
)
def test_these_types_are_read_as_json(server: Server, content_type: str | None) -> None:
    reply = server.send(
        "POST", "/v1/fulfillments", GOOD, {} if content_type is None else {"Content-Type": content_type}
    )
    assert reply.status == 200, reply


# Sizes, over a socket: clients of libraries do not send such things


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def head(*headers: str, path: str = "/v1/fulfillments") -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def read_all(client: socket.socket) -> bytes:
    received = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while data := client.recv(65_536):
            received += data
    return bytes(received)


def assert_413_and_close(received: bytes) -> None:
    top, _, body = received.partition(b"\r\n\r\n")
    assert top.startswith(b"HTTP/1.1 413 "), received[:200]
    assert b"connection: close" in top
    assert b"x-request-id: " in top
    assert list(json.loads(body)) == ["error", "message"]
    assert str(BODY_BYTES_MAX) in json.loads(body)["message"]


@pytest.mark.parametrize("path", ["/v1/fulfillments", "/v1/orders"])
@pytest.mark.parametrize("length", [BODY_BYTES_MAX + 1, 10**12, 10**18])
def test_a_length_above_the_limit_gets_413_before_the_body_is_sent(server: Server, path: str, length: int) -> None:
    before = dump(server.database)
    with connect(server) as client:
        client.sendall(head(f"Content-Length: {length}", path=path))
        assert_413_and_close(read_all(client))
    assert dump(server.database) == before


def test_an_expectation_of_100_is_not_met_above_the_limit(server: Server) -> None:
    with connect(server) as client:
        client.sendall(head(f"Content-Length: {BODY_BYTES_MAX + 1}", "Expect: 100-continue"))
        assert_413_and_close(read_all(client))


def test_a_chunked_body_beyond_the_limit_gets_413_and_is_closed(server: Server) -> None:
    before = dump(server.database)
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    with connect(server) as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(head("Transfer-Encoding: chunked"))
            for _ in range(BODY_BYTES_MAX // 65_536):
                client.sendall(chunk)
            client.sendall(b"1\r\n \r\n")
        assert_413_and_close(read_all(client))
    assert dump(server.database) == before


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_exactly_the_limit_is_read(server: Server, chunked: bool) -> None:
    body = GOOD.encode().ljust(BODY_BYTES_MAX)
    with connect(server) as client:
        if chunked:
            client.sendall(head("Transfer-Encoding: chunked", "Connection: close"))
            client.sendall(b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
        else:
            client.sendall(head(f"Content-Length: {len(body)}", "Connection: close") + body)
        assert read_all(client).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "cut_off",
    [
        head(f"Content-Length: {len(GOOD) + 1}") + GOOD.encode(),
        head("Content-Length: 100000") + GOOD.encode(),
        head("Transfer-Encoding: chunked") + b"%x\r\n" % len(GOOD) + GOOD.encode() + b"\r\n",
        head("Transfer-Encoding: chunked") + b"%x\r\n" % (len(GOOD) + 9) + GOOD.encode(),
        head(f"Content-Length: {len(GOOD)}"),
        b"POST /v1/fulfillments HTTP/1.1\r\nHost: localhost\r\n",
    ],
    ids=["one byte short", "far too short", "no last chunk", "half a chunk", "no body", "half a head"],
)
def test_a_body_shorter_than_declared_is_closed_and_writes_nothing(server: Server, cut_off: bytes) -> None:
    before = dump(server.database)
    with connect(server) as client:
        client.sendall(cut_off)
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b""
    # What it had handed in would be committed before this one, which writes nothing.
    assert server.post("/v1/fulfillments", parcel(1)).status == 404
    assert dump(server.database) == before


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (head(f"Content-Length: {len(GOOD)}", "Content-Length: 1") + GOOD.encode(), 400),
        (head(f"Content-Length: {len(GOOD)}", "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
        (head("Content-Length: -1") + GOOD.encode(), 400),
        (head(f"Content-Length: {MARK}") + GOOD.encode(), 400),
        (head(*[f"X-{number}: {MARK}" for number in range(101)]), 431),
        (head("X: " + MARK * 10_000), 431),
        (f"{MARK} / HTTP/1.1\r\n\r\n".encode(), 400),
    ],
    ids=["two lengths", "length and chunked", "negative", "no number", "many headers", "long header", "no method"],
)
def test_what_is_not_http_is_refused_and_writes_nothing(server: Server, sent: bytes, status: int) -> None:
    before = dump(server.database)
    with connect(server) as client:
        client.sendall(sent)
        received = read_all(client)
    assert received.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nx-request-id: " in received
    assert MARK.encode() not in received
    assert dump(server.database) == before


def test_slow_clients_are_closed_within_30_seconds_and_write_nothing(server: Server) -> None:
    """Takes about 12 s: the limits are the product's own (tests/http/test_protocol.py has shorter ones)."""
    before, started = dump(server.database), time.monotonic()
    with connect(server) as slow_head, connect(server) as slow_body:
        slow_head.sendall(b"POST /v1/fulfillments HTTP/1.1\r\nX: ")
        slow_body.sendall(head(f"Content-Length: {len(GOOD)}"))
        is_open = {slow_head: True, slow_body: True}
        while any(is_open.values()) and time.monotonic() - started < 30:
            for client in [client for client, still in is_open.items() if still]:
                client.settimeout(0.5)
                try:
                    client.sendall(b" ")
                    is_open[client] = client.recv(1) != b""
                except TimeoutError:
                    continue
                except (BrokenPipeError, ConnectionResetError):
                    is_open[client] = False
    assert not any(is_open.values())
    assert dump(server.database) == before


def test_a_client_that_leaves_before_its_answer_is_committed_all_the_same(server: Server) -> None:
    order_id = record_order(server, ("MUG", 1))
    body = text(parcel(order_id, ("MUG", 1)))
    with connect(server) as client:
        client.sendall(head(f"Content-Length: {len(body)}") + body.encode())
    deadline = time.monotonic() + 5
    while remaining(server, order_id)["MUG"] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert remaining(server, order_id) == {"MUG": 0}


# Paths, methods, queries


@pytest.mark.parametrize("resource", ["orders", "fulfillments"])
@pytest.mark.parametrize(
    "name",
    [
        *("%00", "%ff", "%20", "1%20", "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", f"%3Cb%3E{MARK}", MARK),
        *("0", "-1", "+1", "1.0", "1e3", "0x1", "1;2", "abc", "null", "%D9%A1", "%EF%BC%91"),
        *("9223372036854775808", "9" * 19, "9" * 10_000),
    ],
    ids=lambda name: name[:20],
)
def test_a_path_that_names_nothing_gets_404(server: Server, resource: str, name: str) -> None:
    error = refuse(server, 404, "GET", f"/v1/{resource}/{name}").json()
    assert list(error) == ["error", "message"]


def test_ids_that_do_not_exist_get_the_404_of_their_resource(server: Server) -> None:
    for name in ("123456789", "9223372036854775807", "9223372036854775808", "abc"):
        assert refuse(server, 404, "GET", f"/v1/orders/{name}").json() == {
            "error": "Order Not Found",
            "message": "The order with the specified ID was not found.",
        }
        assert refuse(server, 404, "GET", f"/v1/fulfillments/{name}").json()["error"] == "Not Found"


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/v1/fulfillment", "/v1/fulfillments"),
        ("/v1/fulfilments", "/v1/fulfillments"),
        ("/V1/Fulfillments", "/v1/fulfillments"),
        ("/fulfillment", "/fulfillments"),
        ("/v1/order", "/v1/orders"),
        ("/v1/orders/", "/v1/orders"),
        ("/v2/orders", "/v1/orders"),
        ("/openapi.yaml", "/openapi.json"),
        ("/" + MARK, "/v1/fulfillments"),
        ("/" + "x" * 10_000, "/v1/fulfillments"),
    ],
    ids=lambda path: path[:20],
)
def test_an_unknown_path_names_the_right_one(server: Server, path: str, right: str) -> None:
    if path.endswith("/"):
        path += "/"  # one final slash is fine
    error = refuse(server, 404, "POST", path, GOOD, JSON).json()
    assert error["error"] == "Not Found"
    assert f" {right}?" in error["message"]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/v1/orders", "GET, HEAD, POST"),
        ("PUT", "/v1/fulfillments", "GET, HEAD, POST"),
        ("PATCH", "/v1/fulfillments", "GET, HEAD, POST"),
        ("OPTIONS", "/v1/fulfillments", "GET, HEAD, POST"),
        ("TRACE", "/v1/fulfillments", "GET, HEAD, POST"),
        ("GET", "/fulfillments/create", "POST"),
        ("HEAD", "/v1/fulfillments/create", "POST"),
        ("GET", "/fulfillments/", "POST"),
        ("POST", "/v1/orders/7002", "GET, HEAD, PATCH"),
        ("DELETE", "/v1/fulfillments/1", "GET, HEAD, PATCH"),
        ("POST", "/", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
    ],
)
def test_a_wrong_method_gets_405_with_allow(server: Server, method: str, path: str, allow: str) -> None:
    assert refuse(server, 405, method, path, GOOD if method == "POST" else None).headers["allow"] == allow


@pytest.mark.parametrize(
    "query", ["dry_run=maybe", "dry_run=", f"dry_run={MARK}", "dry_run=true&dry_run=true", "dryrun=true", f"{MARK}=1"]
)
def test_a_query_that_is_not_understood_writes_nothing(server: Server, query: str) -> None:
    reply = refuse(server, 400, "POST", f"/v1/fulfillments?{query}", GOOD, JSON)
    assert codes(reply)[0][1].startswith("query")


def test_an_order_takes_no_dry_run(server: Server) -> None:
    refuse(server, 400, "POST", "/v1/orders?dry_run=true", '{"line_items": [{"sku": "MUG", "quantity": 1}]}', JSON)


# Overload


@contextlib.contextmanager
def storage_held(database: Path) -> Iterator[None]:
    """Nothing can be committed meanwhile."""
    connection = apsw.Connection(str(database))
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def assert_503(reply: Reply) -> None:
    assert reply.status == 503, reply
    assert int(reply.headers["retry-after"]) >= 1
    assert reply.headers["x-request-id"]
    assert reply.json()["error"] == "Service Unavailable"
    assert list(reply.json()) == ["error", "message"]


def test_what_the_queue_does_not_hold_is_refused_at_once_and_never_applied(tmp_path: Path) -> None:
    with running(tmp_path / "ledger.db", SHIPLEDGER_QUEUE_MAX="2", SHIPLEDGER_BATCH_MAX="1") as small:
        order_id = record_order(small, ("MUG", 20))
        with ThreadPoolExecutor(20) as clients:
            with storage_held(small.database):
                asked = [
                    clients.submit(small.post, "/v1/fulfillments", parcel(order_id, ("MUG", 1))) for _ in range(20)
                ]
                # One is being committed, or about to be, and two wait.
                refused = list(itertools.islice(as_completed(asked, timeout=10), 17))
                for future in refused:
                    assert_503(future.result())
            accepted = [future.result() for future in asked if future not in refused]
        done = sum(reply.status == 200 for reply in accepted)
        assert done >= 2
        assert remaining(small, order_id) == {"MUG": 20 - done}


def test_a_database_that_is_away_before_commit_gets_503_and_comes_back(server: Server) -> None:
    """Takes as long as storage waits for a lock, about 5 s."""
    before = dump(server.database)
    with storage_held(server.database):
        assert_503(server.send("POST", "/v1/fulfillments", GOOD, JSON))
        assert server.get(f"/v1/orders/{ORDER_ID}").status == 200, "reads go on"
    assert dump(server.database) == before
    assert server.send("POST", "/v1/fulfillments", GOOD, JSON).status == 200
