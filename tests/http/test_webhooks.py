"""Webhooks over HTTP: registered, changed, rotated, replayed; and each refusal."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from shipledger.limits import REPLAYED_EVENTS_MAX, WEBHOOKS_MAX
from tests.outbox.receiver import Receiver, receiving
from tests.outbox.webhook_server import SETTINGS, create_orders, register, wait_for
from tests.serving import Engine, Server

pytestmark = pytest.mark.on_both_databases


@pytest.fixture(scope="module")
def server(engine: Engine) -> Iterator[Server]:
    with engine.running(**SETTINGS) as started:
        yield started


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def endpoint(server: Server, receiver: Receiver) -> Iterator[dict[str, Any]]:
    found = register(server, receiver.url)
    yield found
    server.send("DELETE", f"/v1/webhooks/{found['id']}")


def path(endpoint: dict[str, Any], what: str = "") -> str:
    return f"/v1/webhooks/{endpoint['id']}{what}"


def patch(server: Server, endpoint: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = server.send("PATCH", path(endpoint), json.dumps(changes))
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    return found


def has_come(receiver: Receiver, count: int) -> bool:
    return len(receiver.received) >= count


def test_an_event_comes_as_the_feed_tells_it_and_is_signed(
    server: Server, receiver: Receiver, endpoint: dict[str, Any]
) -> None:
    (order_id,) = create_orders(server, 1, "signed")
    wait_for(lambda: receiver.received)
    (came,) = receiver.received
    event = came.verified(endpoint["secret"])
    assert (event["type"], event["order_id"]) == ("order.created", order_id)
    assert came.id == str(event["id"])
    told: list[dict[str, Any]] = []
    after = "0"
    while not any(one["id"] == event["id"] for one in told):
        page = server.get(f"/v1/events?after={after}&limit=200").json()
        told, after = page["events"], page["next_cursor"]
    assert event in told


def test_a_secret_is_shown_once(server: Server, endpoint: dict[str, Any]) -> None:
    assert endpoint["secret"].startswith("whsec_")
    for answer in (server.get(path(endpoint)), server.get("/v1/webhooks"), server.send("PATCH", path(endpoint), "{}")):
        assert answer.status == 200
        assert endpoint["secret"].encode() not in answer.body
        assert b"secret" not in answer.body.replace(b"old_secret_signs_until", b"")


def test_only_the_types_that_were_chosen_come(server: Server, receiver: Receiver) -> None:
    endpoint = register(server, receiver.url, event_types=["fulfillment.created", "fulfillment.created"])
    assert endpoint["event_types"] == ["fulfillment.created"]
    (order_id,) = create_orders(server, 1, "chosen")
    answer = server.post("/v1/fulfillments", {"order_id": order_id, "tracking_number": "T1"})
    wait_for(lambda: receiver.received)
    assert [one.verified(endpoint["secret"])["data"]["id"] for one in receiver.received] == [answer.json()["id"]]
    server.send("DELETE", path(endpoint))


def test_a_receiver_is_told_nothing_from_before_it_was_registered(server: Server, receiver: Receiver) -> None:
    create_orders(server, 3, "before")
    feed = server.get("/v1/events?limit=200&wait=2").json()
    while feed["events"]:
        feed = server.get(f"/v1/events?limit=200&wait=1&after={feed['next_cursor']}").json()
    endpoint = register(server, receiver.url)
    (after,) = create_orders(server, 1, "after")
    wait_for(lambda: receiver.received)
    assert [one.verified(endpoint["secret"])["order_id"] for one in receiver.received] == [after]
    server.send("DELETE", path(endpoint))


def test_what_was_held_while_disabled_comes_in_order_when_enabled(
    server: Server, receiver: Receiver, endpoint: dict[str, Any]
) -> None:
    disabled = patch(server, endpoint, enabled=False)
    assert (disabled["enabled"], disabled["disabled_because"]) == (False, "by_hand")
    ids = create_orders(server, 30, "held")
    server.get("/v1/events?after=0&wait=1")
    assert not receiver.received
    enabled = patch(server, endpoint, enabled=True)
    assert (enabled["enabled"], enabled["disabled_at"]) == (True, None)
    wait_for(lambda: len(receiver.received) >= 30)
    assert [one.verified(endpoint["secret"])["order_id"] for one in receiver.received] == ids


def test_for_a_day_both_secrets_sign(server: Server, receiver: Receiver, endpoint: dict[str, Any]) -> None:
    answer = server.send("POST", path(endpoint, "/rotate"))
    rotated = answer.json()
    assert answer.status == 200
    assert rotated["secret"] != endpoint["secret"]
    assert rotated["old_secret_signs_until"]
    create_orders(server, 1, "rotated")
    wait_for(lambda: receiver.received)
    for secret in (endpoint["secret"], rotated["secret"]):
        receiver.received[0].verified(secret)
    again = server.send("POST", path(endpoint, "/rotate")).json()
    create_orders(server, 1, "rotated-again")
    wait_for(lambda: len(receiver.received) == 2)
    for secret in (rotated["secret"], again["secret"]):
        receiver.received[1].verified(secret)
    with pytest.raises(WebhookVerificationError):
        receiver.received[1].verified(endpoint["secret"])


def test_events_are_sent_again_by_id_by_range_and_with_the_same_id_and_body(
    server: Server, receiver: Receiver, endpoint: dict[str, Any]
) -> None:
    create_orders(server, 5, "again")
    wait_for(lambda: len(receiver.received) >= 5)
    first = {one.id: one for one in receiver.received}
    ids = sorted(map(int, first))
    wait_for(lambda: len(server.get(path(endpoint, "/attempts")).json()["attempts"]) == 5)
    for asked, expected in (
        ({"event_ids": [ids[0], ids[3], ids[3]]}, [ids[0], ids[3]]),
        ({"event_ids": [10**15]}, []),
        ({"after": ids[1]}, ids[2:]),
        ({"after": str(ids[0]), "before": ids[3]}, ids[1:3]),
    ):
        receiver.received.clear()
        answer = server.post(path(endpoint, "/replay"), asked)
        assert (answer.status, answer.json()) == (200, {"replayed": len(expected), "goes_on_after": None})
        wait_for(partial(has_come, receiver, len(expected)))
        assert sorted(int(one.id) for one in receiver.received) == expected
        for one in receiver.received:
            one.verified(endpoint["secret"])
            assert one.body == first[one.id].body


def test_attempts_are_listed_newest_first(server: Server, receiver: Receiver, endpoint: dict[str, Any]) -> None:
    receiver.always(418)
    create_orders(server, 3, "attempts")
    wait_for(lambda: len(server.get(path(endpoint, "/attempts")).json()["attempts"]) == 3)
    page = server.get(path(endpoint, "/attempts?limit=2")).json()
    rest = server.get(path(endpoint, f"/attempts?cursor={page['next_cursor']}")).json()
    found = page["attempts"] + rest["attempts"]
    assert len({one["event_id"] for one in found}) == 3
    assert {(one["status"], one["error"]) for one in found} == {(418, None)}
    one = found[0]
    assert server.get(path(endpoint, f"/attempts?event_id={one['event_id']}")).json()["attempts"] == [one]
    assert server.get(path(endpoint)).json()["failing_since"]


def test_a_ping_tells_what_came_of_it(server: Server, receiver: Receiver, endpoint: dict[str, Any]) -> None:
    answer = server.send("POST", path(endpoint, "/ping"))
    assert (answer.status, answer.json()["taken"], answer.json()["status"]) == (200, True, 200)
    assert receiver.received[0].verified(endpoint["secret"])["type"] == "webhook.ping"
    receiver.always(503)
    answer = server.send("POST", path(endpoint, "/ping"))
    assert (answer.json()["taken"], answer.json()["status"]) == (False, 503)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ({"url": "http://10.0.0.1/"}, "url_not_allowed"),
        ({"url": "http://[::1]/"}, "url_not_allowed"),
        ({"url": "https://user:password@example.com"}, "url_not_allowed"),
        ({"url": "ftp://example.com"}, "url_not_allowed"),
        ({"url": "https://example.com/" + "x" * 2048}, "too_long"),
        ({"url": 7}, "not_a_text"),
        ({"url": "https://8.8.8.8", "event_types": []}, "not_event_types"),
        ({"url": "https://8.8.8.8", "event_types": "order.created"}, "not_event_types"),
        ({"url": "https://8.8.8.8", "event_types": ["order.create"]}, "not_an_event_type"),
        ({"url": "https://8.8.8.8", "event_types": ["key.created"]}, "not_an_event_type"),
        ({"url": "https://8.8.8.8", "event_types": [["order.created"]]}, "not_an_event_type"),
        ({"url": "https://8.8.8.8", "ordered": "yes"}, "not_true_or_false"),
        ({"url": "https://8.8.8.8", "events": ["order.created"]}, "unknown_field"),
        ({"URL": "https://8.8.8.8"}, "unknown_field"),
    ],
)
def test_what_cannot_be_a_receiver_is_refused(server: Server, body: dict[str, Any], code: str) -> None:
    answer = server.post("/v1/webhooks", body)
    assert answer.status == 400
    assert code in {detail["code"] for detail in answer.json()["details"]}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "not_one_way"),
        ({"event_ids": []}, "not_event_ids"),
        ({"event_ids": [0]}, "not_event_ids"),
        ({"event_ids": ["1"]}, "not_event_ids"),
        ({"event_ids": [1] * (REPLAYED_EVENTS_MAX + 1)}, "not_event_ids"),
        ({"event_ids": [1], "after": 1}, "not_one_way"),
        ({"after": 10**15}, "event_unknown"),
        ({"before": 0}, "not_an_event_id"),
        ({"failed_since": "yesterday"}, "not_a_moment"),
    ],
)
def test_a_replay_that_is_not_clear_is_refused(
    server: Server, endpoint: dict[str, Any], body: dict[str, Any], code: str
) -> None:
    answer = server.post(path(endpoint, "/replay"), body)
    assert answer.status == 400
    assert code in {detail["code"] for detail in answer.json()["details"]}


def test_what_was_deleted_is_gone(server: Server, receiver: Receiver) -> None:
    endpoint = register(server, receiver.url)
    assert server.send("DELETE", path(endpoint)).status == 200
    for method, what in (
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/attempts"), ("POST", "/ping"), ("POST", "/rotate"),
    ):  # fmt: skip
        answer = server.send(method, path(endpoint, what), "{}" if method == "PATCH" else None)
        assert (answer.status, answer.json()["error"]) == (404, "Not Found"), (method, what)
    assert server.post(path(endpoint, "/replay"), {"after": 0}).status == 404
    assert server.get("/v1/webhooks/0").status == 404
    create_orders(server, 1, "deleted")
    other = register(server, receiver.url)
    assert other["id"] > endpoint["id"], "an id is never given twice"
    server.send("DELETE", path(other))


def test_every_change_of_a_receiver_is_an_event_of_the_audit_alone(server: Server, endpoint: dict[str, Any]) -> None:
    patch(server, endpoint, description="ours", event_types=["*"], ordered=True)
    shown = server.get(path(endpoint)).json()
    assert (shown["description"], shown["event_types"], shown["ordered"]) == ("ours", ["*"], True)
    assert patch(server, endpoint, description=" ")["description"] is None
    types = {event["type"] for event in server.get("/v1/events?limit=200").json()["events"]}
    assert not any(kind.startswith("webhook.") for kind in types)


def test_there_are_only_so_many(server: Server) -> None:
    made = [register(server, "https://8.8.8.8/", description=str(number)) for number in range(5)]
    listed = server.get("/v1/webhooks?limit=2").json()
    assert [one["id"] for one in listed["webhooks"]] == [made[4]["id"], made[3]["id"]]
    more = server.get(f"/v1/webhooks?limit=200&cursor={listed['next_cursor']}").json()["webhooks"]
    count = len(listed["webhooks"]) + len(more)
    made += [register(server, "https://8.8.8.8/") for _ in range(WEBHOOKS_MAX - count)]
    answer = server.post("/v1/webhooks", {"url": "https://8.8.8.8/"})
    assert (answer.status, answer.json()["details"][0]["code"]) == (400, "too_many_webhooks")
    for one in made:
        server.send("DELETE", path(one))
