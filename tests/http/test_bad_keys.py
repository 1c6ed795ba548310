"""Idempotency-Key: the rows of BAD_INPUTS.md, and what makes a request safe to repeat for ever."""

import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shipledger.commit import batch
from shipledger.commit.idempotency import kept_outcome
from tests.http.ledger_dump import MARK, codes, dump, refuse
from tests.http.orders_to_ship import JSON, envelope, number_of, parcel, record_order, remaining, text, unique
from tests.serving import Engine, Reply, Server

pytestmark = pytest.mark.on_both_databases

ORDER_ID = 7004
CLIENTS = 50


@pytest.fixture(scope="module", autouse=True)
def order(server: Server) -> None:
    record_order(server, ("MUG", 1_000), id=ORDER_ID)


def keyed(server: Server, key: str, request: dict[str, Any], path: str = "/v1/fulfillments") -> Reply:
    return server.post(path, request, {"Idempotency-Key": key})


def refuse_keyed(server: Server, status: int, key: str, request: dict[str, Any]) -> Reply:
    return refuse(server, status, "POST", "/v1/fulfillments", text(request), {**JSON, "Idempotency-Key": key})


def assert_replayed(reply: Reply, first: Reply) -> None:
    assert (reply.status, reply.body, reply.headers["idempotent-replayed"]) == (200, first.body, "true")
    assert reply.headers.get("location") == first.headers.get("location")
    assert "idempotent-replayed" not in first.headers


# Keys that are none


@pytest.mark.parametrize(
    "key",
    ["", " ", '""', "x" * 256, '"' + "x" * 256 + '"', "a\tb", "a\x01b", "a\x7fb", "caf\u00e9", "\xff", MARK + "\x00"],
    ids=lambda key: repr(key)[:20],
)
@pytest.mark.parametrize("path", ["/v1/fulfillments", "/v1/orders"])
def test_a_key_that_is_none_is_refused(server: Server, path: str, key: str) -> None:
    body = text(parcel(ORDER_ID, ("MUG", 1)) if "fulfil" in path else {"line_items": [{"sku": "MUG", "quantity": 1}]})
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    before = dump(server.database)
    received = exchange(server, f"{head}Idempotency-Key: {key}\r\n\r\n{body}".encode("latin-1"))
    assert received.startswith(b"HTTP/1.1 400 "), received
    assert dump(server.database) == before
    assert MARK.encode() not in received
    if key.isascii() and not {"\x00", "\x01", "\x7f"} & set(key):
        assert b'"at":"Idempotency-Key"' in received


def exchange(server: Server, sent: bytes) -> bytes:
    """What comes back on a socket until it is closed: clients of libraries do not send such headers."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(sent)
        received = b""
        while data := client.recv(65_536):
            received += data
    return received


@pytest.mark.parametrize("second", ["same", "other"])
def test_two_keys_are_refused(server: Server, second: str) -> None:
    body = text(parcel(ORDER_ID, ("MUG", 1)))
    head = f"POST /v1/fulfillments HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    before = dump(server.database)
    received = exchange(server, f"{head}Idempotency-Key: same\r\nIdempotency-Key: {second}\r\n\r\n{body}".encode())
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"given_twice","at":"Idempotency-Key"' in received
    assert dump(server.database) == before


@pytest.mark.parametrize("key", ["x", "x" * 255, '"' + "x" * 254 + '"', "a b", "!~", "'", '"', 'a"b'])
def test_a_key_of_1_to_255_printable_characters_is_taken(server: Server, key: str) -> None:
    order_id = record_order(server)
    first = keyed(server, key, parcel(order_id))
    assert first.status == 200, first
    assert_replayed(keyed(server, key, parcel(order_id)), first)


def test_faults_of_key_and_fields_are_reported_together(server: Server) -> None:
    reply = refuse_keyed(server, 400, "", parcel(1.5, ("MUG", 0)))
    assert {at for _, at in codes(reply)} == {"Idempotency-Key", "order_id", "line_items[0].quantity"}


# Replays


def test_the_same_request_is_replayed_and_ships_once(server: Server) -> None:
    order_id = record_order(server)
    key, request = unique("key"), parcel(order_id, ("MUG", 2), note="unknown, so that there are warnings")
    first = keyed(server, key, request)
    before = dump(server.database)
    assert_replayed(keyed(server, key, request), first)
    assert_replayed(keyed(server, f'"{key}"', request), first)
    assert dump(server.database) == before, "a replay writes nothing"
    assert remaining(server, order_id) == {"MUG": 3, "TEE": 3}


EQUIVALENTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "envelope": lambda order_id: envelope((order_id, ("MUG", 2), ("TEE", 1))),
    "groups merged": lambda order_id: envelope((order_id, ("TEE", 1)), (order_id, ("MUG", 2))),
    "other order of lines": lambda order_id: parcel(order_id, ("TEE", 1), ("MUG", 2)),
    "sku twice": lambda order_id: parcel(order_id, ("MUG", 1), ("TEE", 1), ("MUG", 1)),
    "1.0": lambda order_id: parcel(order_id, ("MUG", 2.0), ("TEE", 1)),
    "spaces": lambda order_id: parcel(order_id, (" MUG ", 2), ("TEE", 1), tracking_number=f" {number_of(order_id)} "),
    "nulls": lambda order_id: parcel(order_id, ("MUG", 2), ("TEE", 1), carrier=None, tracking_url=""),
    "unknown field": lambda order_id: parcel(order_id, ("MUG", 2), ("TEE", 1), note="x"),
}


@pytest.mark.parametrize("name", EQUIVALENTS)
def test_the_same_request_in_other_words_is_replayed(server: Server, name: str) -> None:
    order_id, key = record_order(server), unique("key")
    first = keyed(server, key, parcel(order_id, ("MUG", 2), ("TEE", 1)))
    assert_replayed(keyed(server, key, EQUIVALENTS[name](order_id)), first)


OTHERS: dict[str, Callable[[int], dict[str, Any]]] = {
    "quantity": lambda order_id: parcel(order_id, ("MUG", 1)),
    "sku": lambda order_id: parcel(order_id, ("TEE", 2)),
    "one line more": lambda order_id: parcel(order_id, ("MUG", 2), ("TEE", 1)),
    "lines omitted": parcel,
    "number": lambda order_id: parcel(order_id, ("MUG", 2), tracking_number="other"),
    "carrier": lambda order_id: parcel(order_id, ("MUG", 2), carrier="DHL"),
    "url": lambda order_id: parcel(order_id, ("MUG", 2), tracking_url="https://x.example/1"),
    "order": lambda _: parcel(ORDER_ID, ("MUG", 2)),
    "unknown order": lambda _: parcel(1, ("MUG", 2)),
    "more than remains": lambda order_id: parcel(order_id, ("MUG", 99)),
    "unknown sku": lambda order_id: parcel(order_id, ("NONE", 2)),
    "another order besides": lambda order_id: envelope((order_id, ("MUG", 2)), (ORDER_ID, ("MUG", 1))),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_key_used_for_another_request_gets_422(server: Server, name: str) -> None:
    order_id, key = record_order(server), unique("key")
    assert keyed(server, key, parcel(order_id, ("MUG", 2))).status == 200
    reply = refuse_keyed(server, 422, key, OTHERS[name](order_id))
    assert codes(reply) == [("idempotency_key_reused", "Idempotency-Key")]
    assert reply.json()["error"] == "Idempotency-Key Reused"


def test_orders_and_fulfillments_share_one_namespace(server: Server) -> None:
    order_id, key = record_order(server), unique("key")
    assert keyed(server, key, parcel(order_id, ("MUG", 1))).status == 200
    order = text({"line_items": [{"sku": "MUG", "quantity": 1}]})
    refuse(server, 422, "POST", "/v1/orders", order, {**JSON, "Idempotency-Key": key})


@pytest.mark.parametrize(
    ("status", "bad"),
    [(400, {"tracking_number": ""}), (400, {"line_items": [{"sku": "MUG", "quantity": 6}]}), (404, {"order_id": 1})],
)
def test_a_refused_request_can_be_mended_and_sent_again_under_its_key(
    server: Server, status: int, bad: dict[str, Any]
) -> None:
    order_id, key = record_order(server), unique("key")
    refuse_keyed(server, status, key, {**parcel(order_id, ("MUG", 5)), **bad})
    first = keyed(server, key, parcel(order_id, ("MUG", 5)))
    assert first.status == 200
    assert_replayed(keyed(server, key, parcel(order_id, ("MUG", 5))), first)


def test_a_dry_run_neither_takes_nor_heeds_a_key(server: Server) -> None:
    order_id, key = record_order(server), unique("key")
    before = dump(server.database)
    dry = keyed(server, key, parcel(order_id, ("MUG", 1)), "/v1/fulfillments?dry_run=true")
    assert dry.json()["status"] == "dry_run"
    assert dump(server.database) == before
    assert keyed(server, key, parcel(order_id, ("MUG", 2))).json()["status"] == "created"
    dry = keyed(server, key, parcel(order_id, ("MUG", 1)), "/v1/fulfillments?dry_run=true")
    assert (dry.status, dry.json()["status"]) == (200, "dry_run")


def test_a_parcel_of_several_orders_is_replayed_without_a_location(server: Server) -> None:
    orders, key = (record_order(server), record_order(server)), unique("key")
    first = keyed(server, key, envelope(*[(order_id,) for order_id in orders]))
    assert "location" not in first.headers
    assert_replayed(keyed(server, key, envelope(*[(order_id,) for order_id in reversed(orders)])), first)


def test_without_a_key_a_repeated_request_is_a_new_one(server: Server) -> None:
    order_id = record_order(server)
    first, second = (server.post("/v1/fulfillments", parcel(order_id, ("MUG", 1))) for _ in range(2))
    assert first.json()["id"] != second.json()["id"]
    assert [warning["code"] for warning in second.json()["warnings"]] == ["tracking_number_repeated"]


# Races and restarts


def race(server: Server, order_id: int, key: str) -> list[Reply]:
    with ThreadPoolExecutor(CLIENTS) as clients:
        asked = [clients.submit(keyed, server, key, parcel(order_id, ("MUG", 1))) for _ in range(CLIENTS)]
        return [future.result() for future in asked]


def test_50_clients_with_one_key_make_one_fulfillment_and_get_one_answer(server: Server) -> None:
    order_id = record_order(server, ("MUG", CLIENTS))
    replies = race(server, order_id, unique("key"))
    assert [reply.status for reply in replies] == [200] * CLIENTS
    assert len({reply.body for reply in replies}) == 1
    assert sum("idempotent-replayed" in reply.headers for reply in replies) == CLIENTS - 1
    assert remaining(server, order_id) == {"MUG": CLIENTS - 1}


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_replay_survives_a_restart(engine: Engine, end: signal.Signals) -> None:
    key = unique("key")
    with engine.running() as server:
        order_id = record_order(server)
        first = keyed(server, key, parcel(order_id, ("MUG", 1)))
        if end is signal.SIGKILL:
            server.kill()
        else:
            assert server.stop() == 0
    with engine.running(server.database) as again:
        assert again.process.pid != server.process.pid
        assert_replayed(keyed(again, key, parcel(order_id, ("MUG", 1))), first)
        refuse_keyed(again, 422, key, parcel(order_id, ("MUG", 2)))
        assert remaining(again, order_id) == {"MUG": 4, "TEE": 3}


FORGETFUL = """
import shipledger.commit.batch as batch
batch.kept_outcome = lambda *asked: None
batch.keep_answer = lambda *_: None
"""


def test_the_race_catches_a_server_that_does_not_look_at_keys(engine: Engine, tmp_path: Path) -> None:
    """The control: a build without the rule, made as its process starts, and the same race ships many times."""
    assert vars(batch)["kept_outcome"] is kept_outcome, "the name that the broken build replaces"
    (tmp_path / "sitecustomize.py").write_text(FORGETFUL)
    with engine.running(PYTHONPATH=str(tmp_path)) as forgetful:
        order_id = record_order(forgetful, ("MUG", CLIENTS))
        replies = race(forgetful, order_id, "key")
        assert len({reply.body for reply in replies}) == CLIENTS
        assert remaining(forgetful, order_id) == {"MUG": 0}
