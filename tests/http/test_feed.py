"""The feed over HTTP: gapless pages, and answers that wait for what comes next."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.serving import Engine, Server

pytestmark = pytest.mark.on_both_databases

NUMBERED_SECONDS_MAX = 5


def create_order(server: Server, reference: str) -> int:
    order = {"reference": reference, "email": "a@example.com", "line_items": [{"sku": "A", "quantity": 9}]}
    answer = server.post("/v1/orders", order)
    assert answer.status == 201, answer.body
    return int(answer.json()["id"])


def read(server: Server, query: str = "") -> dict[str, Any]:
    answer = server.get(f"/v1/events?{query}")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    return found


def end_of(server: Server) -> str:
    """The cursor behind what happened so far, on PostgreSQL once it has its place."""
    after = "0"
    while (page := read(server, f"after={after}&limit=200&wait=1"))["events"]:
        after = page["next_cursor"]
    return after


def test_every_change_is_told_once_in_pages_that_join(server: Server) -> None:
    after = end_of(server)
    order_id = create_order(server, "#pages")
    for number in range(4):
        line = {"order_id": order_id, "line_items": [{"sku": "A", "quantity": 2}], "tracking_number": f"T{number}"}
        assert server.post("/v1/fulfillments", line).status == 200
    assert server.post("/v1/fulfillments", {"order_id": order_id, "tracking_number": "T4"}).status == 200
    told: list[dict[str, Any]] = []
    while len(told) < 7:
        page = read(server, f"after={after}&limit=2&wait=5")
        assert 1 <= len(page["events"]) <= 2
        told += page["events"]
        after = page["next_cursor"]
        assert after == str(told[-1]["id"])
    assert [event["sequence"] for event in told] == [1, 2, 3, 4, 5, 6, 7]
    assert [event["type"] for event in told] == [
        "order.created",
        *["fulfillment.created"] * 5,
        "order.fulfilled",
    ]
    assert list(told[0]) == ["id", "type", "created_at", "order_id", "sequence", "data"]
    assert not any({"email", "shipping_address"} & event["data"].keys() for event in told)
    assert told[1]["data"] == server.get(f"/v1/fulfillments/{told[1]['data']['id']}").json()
    assert read(server, f"after={after}") == {"events": [], "next_cursor": after}


def test_a_reader_that_waits_is_answered_when_something_happens(server: Server) -> None:
    after = end_of(server)
    got: list[tuple[float, dict[str, Any]]] = []

    def wait() -> None:
        page = read(server, f"after={after}&wait=20")
        got.append((time.monotonic(), page))

    readers = [threading.Thread(target=wait) for _ in range(5)]
    for reader in readers:
        reader.start()
    time.sleep(0.5)
    assert not got
    create_order(server, "#wakes")
    begin = time.monotonic()
    for reader in readers:
        reader.join(15)
    assert len(got) == 5
    assert all(at - begin < NUMBERED_SECONDS_MAX for at, _ in got)
    assert {page["events"][0]["data"]["reference"] for _, page in got} == {"#wakes"}


def test_a_reader_waits_no_longer_than_it_asked(server: Server) -> None:
    after = end_of(server)
    begin = time.monotonic()
    assert read(server, f"after={after}&wait=1")["events"] == []
    assert 0.9 < time.monotonic() - begin < 5


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("after=-1", "after_invalid"),
        ("after=abc", "after_invalid"),
        ("after=9223372036854775808", "after_invalid"),
        ("after=9223372036854775807", "event_unknown"),
        ("after=", "after_invalid"),
        ("limit=0", "limit_invalid"),
        ("limit=201", "limit_invalid"),
        ("wait=31", "wait_invalid"),
        ("wait=1.5", "wait_invalid"),
        ("wait=1&wait=2", "given_twice"),
        ("cursor=1", "unknown_parameter"),
    ],
)
def test_what_is_not_in_order_is_refused(server: Server, query: str, code: str) -> None:
    answer = server.get(f"/v1/events?{query}")
    assert (answer.status, answer.json()["details"][0]["code"]) == (400, code)


@pytest.fixture
def waited_on(engine: Engine) -> Iterator[Server]:
    with engine.running() as server:
        yield server


def test_readers_that_wait_do_not_hold_up_the_end(waited_on: Server) -> None:
    after = end_of(waited_on)

    def wait() -> None:
        with suppress(OSError):
            read(waited_on, f"after={after}&wait=30")

    readers = [threading.Thread(target=wait) for _ in range(3)]
    for reader in readers:
        reader.start()
    time.sleep(0.5)
    begin = time.monotonic()
    assert waited_on.stop() == 0
    assert time.monotonic() - begin < 5
    for reader in readers:
        reader.join(5)
