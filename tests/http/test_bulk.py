"""Bulk requests: each item is answered as a request of its own would be, on a line of its own, in its place."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from shipledger.limits import ATOMIC_ITEMS_MAX, BODY_BYTES_MAX
from tests.http.bulk_requests import (
    END,
    FULFILLMENTS,
    LINES,
    ORDERS,
    chunk,
    lines_of,
    read_answer,
    read_reply,
    send_items,
    send_text,
    upload,
)
from tests.http.orders_to_ship import envelope, parcel, record_order, remaining, unique
from tests.serving import Server

pytestmark = pytest.mark.on_both_databases


def order_item(**fields: Any) -> dict[str, Any]:
    return {"line_items": [{"sku": "MUG", "quantity": 1}], **fields}


def without_ids(body: Any) -> Any:
    """A body without what two requests of one content differ in; a number that two orders have is warned of."""
    differing = {"id", "created_at", "tracking_number", "tracking_url"}
    if isinstance(body, dict):
        return {name: without_ids(value) for name, value in body.items() if name not in differing}
    return [without_ids(part) for part in body] if isinstance(body, list) else body


AS_ALONE: dict[str, Callable[[int], Any]] = {
    "a parcel": lambda order: parcel(order, ("MUG", 1)),
    "all that remains": parcel,
    "an envelope": lambda order: envelope((order, ("TEE", 1))),
    "an unknown field": lambda order: parcel(order, ("MUG", 1), note="hello"),
    "a field that resembles one": lambda order: parcel(order, ("MUG", 1), trackingNumber="1Z"),
    "no tracking number": lambda order: {"order_id": order},
    "a sku that is none of the order's": lambda order: parcel(order, ("MUGG", 1)),
    "more than remains": lambda order: parcel(order, ("MUG", 6)),
    "no such order": lambda order: parcel("#no-such-order"),
    "a quantity that is none": lambda order: parcel(order, ("MUG", 0)),
    "no lines": lambda order: {**parcel(order), "line_items": []},
}


@pytest.mark.parametrize("name", AS_ALONE)
def test_an_item_is_answered_as_a_request_of_its_own(server: Server, name: str) -> None:
    alone, in_bulk = record_order(server), record_order(server)
    requests = [AS_ALONE[name](order) for order in (alone, in_bulk)]
    for request in requests:
        if "tracking_number" in request:
            request["tracking_number"] = unique("TRACK")
    reply = server.post("/v1/fulfillments", requests[0])
    answer = send_items(server, FULFILLMENTS, requests[1:])
    assert answer.statuses == [reply.status]
    expected = json.loads(reply.body.replace(str(alone).encode(), str(in_bulk).encode()))
    assert without_ids(answer.bodies[0]) == without_ids(expected)
    assert remaining(server, alone) == remaining(server, in_bulk)


def test_an_order_of_another_ledger_brings_its_past(server: Server) -> None:
    past = {"cancelled": [1, 0], "hold_reason": "Call first", "cancelled_at": None}
    lines = [{"sku": "MUG", "quantity": 2}, {"sku": "TEE", "quantity": 1}]
    references = [unique("#past") for _ in range(2)]
    items = [
        order_item(line_items=lines, reference=references[0], past=past),
        order_item(line_items=lines, reference=references[1], past={"cancelled_at": "2024-04-30T12:00:00Z"}),
        order_item(line_items=lines, reference=references[0]),
    ]
    answer = send_items(server, ORDERS, items)
    assert answer.statuses == [201, 201, 200]
    held, cancelled, again = answer.bodies
    assert (held["on_hold"], held["hold_reason"], held["totals"]["cancelled"]) == (True, "Call first", 1)
    assert (cancelled["status"], cancelled["cancelled_at"]) == ("cancelled", "2024-04-30T12:00:00Z")
    assert again["hold_reason"] == "Call first"


@pytest.mark.parametrize(
    "past", [[], {"cancelled": [1]}, {"cancelled": [3, 0]}, {"cancelled": [True, 0]}, {"cancelled_at": "yesterday"}]
)
def test_a_past_that_cannot_be_is_400(server: Server, past: Any) -> None:
    lines = [{"sku": "MUG", "quantity": 2}, {"sku": "TEE", "quantity": 1}]
    item = order_item(line_items=lines, reference=unique("#past"))
    assert send_items(server, ORDERS, [{**item, "past": past}]).statuses == [400]
    assert server.post("/v1/orders", {**item, "past": past}).status == 201, "a single request has no such field"


def test_an_order_is_answered_as_a_request_of_its_own(server: Server) -> None:
    reference = unique("#bulk")
    items = [
        order_item(reference=reference),
        order_item(reference=reference),
        order_item(reference=reference, email="a@example.com"),
        order_item(line_items=[]),
        order_item(reference=unique("#bulk"), lineitems=[]),
    ]
    answer = send_items(server, ORDERS, items)
    assert answer.statuses == [201, 200, 409, 400, 400]
    assert answer.bodies[1] == answer.bodies[0] == server.get(f"/v1/orders/{answer.bodies[0]['id']}").json()


def test_an_order_that_is_known_is_answered_with_its_present_state(server: Server) -> None:
    item = order_item(reference=unique("#bulk"))
    (order_id,) = [body["id"] for body in send_items(server, ORDERS, [item]).bodies]
    assert server.post("/v1/fulfillments", parcel(order_id)).status == 200
    answer = send_items(server, ORDERS, [item])
    assert (answer.statuses, answer.bodies[0]["status"]) == ([200], "fulfilled")


@pytest.mark.parametrize(
    "write",
    [
        lines_of,
        json.dumps,
        lambda items: json.dumps(items, indent=2),
        lambda items: "\r\n \r\n".join(json.dumps(item) for item in items),
        lambda items: " \n" + json.dumps(items).removesuffix("]") + " , ] \n",
    ],
    ids=["lines", "array", "array over many lines", "lines of Windows, some of them blank", "array, comma trailing"],
)
def test_items_come_as_lines_or_as_an_array(server: Server, write: Callable[[list[Any]], str]) -> None:
    text = 'a "quoted" [text], with {brackets} and \\ and ü'
    items = [order_item(reference=unique("#bulk"), metadata={"text": text, "list": [[], {}]}) for _ in range(70)]
    answer = send_text(server, ORDERS, write(items))
    assert answer.statuses == [201] * 70
    assert [body["reference"] for body in answer.bodies] == [item["reference"] for item in items]
    assert {body["metadata"]["text"] for body in answer.bodies} == {text}
    assert answer.summary["complete"] is True


@pytest.mark.parametrize("media_type", ["application/json", "application/x-ndjson", "application/jsonl", None])
@pytest.mark.parametrize("write", [lines_of, json.dumps])
def test_the_body_says_itself_how_it_is_written(
    server: Server, media_type: str | None, write: Callable[[list[Any]], str]
) -> None:
    headers = {} if media_type is None else {"Content-Type": media_type}
    reply = server.send("POST", ORDERS, write([order_item(), order_item()]), headers)
    assert (reply.status, read_reply(reply.body).statuses) == (200, [201, 201])


@pytest.mark.parametrize("write", [lines_of, lambda items: json.dumps(items, ensure_ascii=False)])
def test_a_body_may_be_cut_anywhere(server: Server, write: Callable[[list[Any]], str]) -> None:
    """In pieces of each length from 1 to 9: within a name, an escape, a character."""
    items = [order_item(reference=unique("#bulk"), metadata={'\\é"': '[{",\\'}) for _ in range(2)]
    data = write(items).encode()
    for length in range(1, 10):
        with upload(server, ORDERS) as client:
            client.sendall(b"".join(chunk(data[at : at + length]) for at in range(0, len(data), length)) + END)
            answer = read_reply(read_answer(client).body)
        assert answer.statuses == ([201] * 2 if length == 1 else [200] * 2)


def test_an_item_with_a_key_is_taken_once_in_bulk_or_alone(server: Server) -> None:
    order, key, other = record_order(server), unique("key"), unique("key")
    item = parcel(order, ("MUG", 1), idempotency_key=key)
    first = send_items(server, FULFILLMENTS, [item, item])
    assert [line.get("replayed") for line in first.lines] == [None, True]
    assert first.bodies[0] == first.bodies[1]
    alone = server.post("/v1/fulfillments", parcel(order, ("MUG", 1)), {"Idempotency-Key": key})
    assert (alone.json(), alone.headers["idempotent-replayed"]) == (first.bodies[0], "true")
    alone = server.post("/v1/fulfillments", parcel(order, ("TEE", 1)), {"Idempotency-Key": f'"{other}"'})
    again = send_items(server, FULFILLMENTS, [parcel(order, ("TEE", 1), idempotency_key=other)])
    assert (again.bodies, again.lines[0]["replayed"]) == ([alone.json()], True)
    changed = send_items(server, FULFILLMENTS, [parcel(order, ("TEE", 2), idempotency_key=key)])
    assert changed.statuses == [422]
    assert remaining(server, order) == {"MUG": 4, "TEE": 2}


@pytest.mark.parametrize("key", ["", "k" * 256, "kä", 7, ["k"], "a\nb"])
def test_a_key_that_is_none_is_a_fault_of_its_item(server: Server, key: Any) -> None:
    order = record_order(server)
    answer = send_items(server, FULFILLMENTS, [parcel(order, idempotency_key=key), parcel(order, ("MUG", 1))])
    assert answer.statuses == [400, 200]
    assert answer.bodies[0]["details"][0]["at"] == "idempotency_key"


def test_a_key_that_is_misspelt_is_a_fault_of_its_item(server: Server) -> None:
    order = record_order(server)
    answer = send_items(server, FULFILLMENTS, [parcel(order, idempotencyKey="k"), parcel(order, idempotency_key=None)])
    assert answer.statuses == [400, 200]
    assert "idempotency_key is" in answer.bodies[0]["message"]


WHOLE: dict[str, tuple[str, bytes | str, dict[str, str], int, str]] = {
    "nothing": ("", "", {}, 400, "is empty"),
    "spaces": ("", " \r\n\t\n", {}, 400, "is empty"),
    "a key for all": ("", lines_of([{}]), {"Idempotency-Key": "k"}, 400, "idempotency_key"),
    "text": ("", lines_of([{}]), {"Content-Type": "text/plain"}, 415, "application/json"),
    "a real form": ("", "a=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "application/json"),
    "compressed": ("", lines_of([{}]), {"Content-Encoding": "gzip"}, 415, "Content-Encoding"),
    "an unknown parameter": ("?atomc=true", lines_of([{}]), {}, 400, "did you mean atomic"),
    "neither true nor false": ("?atomic=maybe", lines_of([{}]), {}, 400, "atomic must be"),
    "both": ("?atomic=true&dry_run=true", lines_of([{}]), {}, 400, "not for both"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_wrong_with_the_whole_is_no_item(server: Server, name: str) -> None:
    query, body, headers, status, message = WHOLE[name]
    reply = server.send("POST", FULFILLMENTS + query, body, {**LINES, **headers})
    assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
    assert message in reply.json()["message"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("path", [FULFILLMENTS, ORDERS])
def test_bulk_is_a_path_of_its_own(server: Server, method: str, path: str) -> None:
    """And not the id of a fulfillment."""
    reply = server.send(method, path)
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


TORN_LINES = {
    "no JSON": ["{", 400],
    "half a line": ['{"line_items": [{"sku": "MUG",', 400],
    "a list": ["[]", 400],
    "a number": ["7", 400],
    "a name twice": ['{"id": 1, "id": 1}', 400],
    "not UTF-8": [b'{"reference": "\xff"}', 400],
    "too deep": ["[" * 100_000, 400],
    "too large": ["{" + " " * BODY_BYTES_MAX + "}", 413],
}


@pytest.mark.parametrize("name", TORN_LINES)
def test_a_line_that_cannot_be_read_is_an_item_and_the_lines_behind_it_are_read(server: Server, name: str) -> None:
    text, status = TORN_LINES[name]
    torn = text.encode() if isinstance(text, str) else text
    good = json.dumps(order_item()).encode()
    answer = send_text(server, ORDERS, b"\n".join([good, torn, good, torn]))  # type: ignore[list-item]
    assert answer.statuses == [201, status, 201, status]
    assert answer.summary["complete"] is True


def test_the_largest_item_is_taken(server: Server) -> None:
    item = json.dumps(order_item())
    largest = item + " " * (BODY_BYTES_MAX - len(item))
    assert send_text(server, ORDERS, f"{largest}\n{largest} \n{largest}").statuses == [201, 413, 201]
    assert send_text(server, ORDERS, f"[{largest},{largest},{item}]").statuses == [201, 201, 201]


GOOD = json.dumps(order_item())
TORN_ARRAYS = {
    "ends within an item": (f'[{GOOD}, {{"line_items"', [201, 400]),
    "ends behind an item": (f"[{GOOD}, {GOOD}", [201, 400]),
    "ends behind a comma": (f"[{GOOD},", [201, 400]),
    "ends at once": ("[", [400]),
    "ends within a text": (f'[{GOOD}, {{"reference": "]}}', [201, 400]),
    "no JSON": (f'[{GOOD}, {{"id" 1}}, {GOOD}]', [201, 400]),
    "two commas": (f"[{GOOD},, {GOOD}]", [201, 400]),
    "a comma first": (f"[, {GOOD}]", [400]),
    "the wrong bracket": (f'[{GOOD}, {{"id": 1], {GOOD}]', [201, 400]),
    "more behind its end": (f"[{GOOD}] {GOOD}", [201, 400]),
    "another array": (f"[{GOOD}][{GOOD}]", [201, 400]),
    "a line": (f"[{GOOD}\n{GOOD}]", [400]),
    "an item too large": (f"[{GOOD}, {{{' ' * BODY_BYTES_MAX}}}, {GOOD}]", [201, 413]),
    "an item without end": (f"[{GOOD}, {' ' * 2 * BODY_BYTES_MAX}", [201, 413]),
}


@pytest.mark.parametrize("name", TORN_ARRAYS)
def test_of_a_torn_array_what_came_before_is_taken_and_nothing_behind_it(server: Server, name: str) -> None:
    text, statuses = TORN_ARRAYS[name]
    answer = send_text(server, ORDERS, text)
    assert answer.statuses == statuses
    assert answer.summary["complete"] is False
    assert "not applied" in answer.summary["message"]


def test_other_json_in_an_array_is_an_item_and_what_is_behind_it_is_read(server: Server) -> None:
    answer = send_text(server, ORDERS, f'[1, "a,b", null, [[1], 2], {GOOD}]')
    assert answer.statuses == [400] * 4 + [201]
    assert answer.summary["complete"] is True


def test_an_empty_array_is_no_item(server: Server) -> None:
    assert send_text(server, ORDERS, " [ ] ").summary["items"] == 0


def test_dry_items_are_answered_by_themselves_and_nothing_is_written(server: Server) -> None:
    order = record_order(server, ("MUG", 5))
    items = [parcel(order, ("MUG", 5), idempotency_key=unique("key")) for _ in range(2)]
    answer = send_items(server, FULFILLMENTS + "?dry_run=true", items)
    assert [(body["status"], body["id"]) for body in answer.bodies] == [("dry_run", None)] * 2
    assert remaining(server, order) == {"MUG": 5}
    assert send_items(server, FULFILLMENTS, items).statuses == [200, 400]


def test_all_are_taken_where_each_is_good(server: Server) -> None:
    order = record_order(server, ("MUG", 5))
    answer = send_items(server, FULFILLMENTS + "?atomic=true", [parcel(order, ("MUG", n)) for n in (2, 3)])
    assert answer.statuses == [200, 200]
    assert remaining(server, order) == {"MUG": 0}


ONE_BAD: dict[str, tuple[Callable[[int], Any], int]] = {
    "by the ledger": (lambda order: parcel(order, ("MUG", 9)), 400),
    "for what an item before it took": (lambda order: parcel(order, ("MUG", 4)), 400),
    "for its fields": (lambda order: {"order_id": order}, 400),
    "for its order": (lambda order: parcel("#no-such-order"), 404),
    "for what it is": (lambda order: 7, 400),
}


@pytest.mark.parametrize("name", ONE_BAD)
def test_none_is_taken_where_one_is_refused(server: Server, name: str) -> None:
    order = record_order(server, ("MUG", 5))
    bad, status = ONE_BAD[name]
    items = [parcel(order, ("MUG", 2), idempotency_key=unique("key")), bad(order), parcel(order, ("MUG", 1))]
    answer = send_items(server, FULFILLMENTS + "?atomic=true", items)
    assert answer.statuses == [424, status, 424]
    assert answer.bodies[0]["error"] == "Failed Dependency"
    assert answer.bodies[1] == send_items(server, FULFILLMENTS + "?atomic=true", items).bodies[1], "nothing was kept"
    assert remaining(server, order) == {"MUG": 5}
    assert server.get(f"/v1/fulfillments?order_id={order}").json()["fulfillments"] == []


def test_none_is_taken_where_the_body_is_torn(server: Server) -> None:
    order = record_order(server)
    torn = json.dumps([parcel(order), parcel(order)]).removesuffix("]")
    answer = send_text(server, FULFILLMENTS + "?atomic=true", torn)
    assert answer.statuses == [424, 400]
    assert remaining(server, order) == {"MUG": 5, "TEE": 3}


def test_an_answer_that_was_kept_is_given_again_whether_or_not_the_others_are_taken(server: Server) -> None:
    order, key, new = record_order(server, ("MUG", 5)), unique("key"), unique("key")
    kept = parcel(order, ("MUG", 1), idempotency_key=key)
    (first,) = send_items(server, FULFILLMENTS, [kept]).bodies
    # The last two are one request: the second of them repeats nothing that stands.
    others = [parcel(order, ("MUG", 1), idempotency_key=new)] * 2
    failed = send_items(server, FULFILLMENTS + "?atomic=true", [kept, parcel(order, ("MUG", 9)), *others])
    assert failed.statuses == [200, 400, 424, 424]
    assert (failed.bodies[0], failed.lines[0]["replayed"]) == (first, True)
    taken = send_items(server, FULFILLMENTS + "?atomic=true", [kept, *others])
    assert [line.get("replayed", False) for line in taken.lines] == [True, False, True]
    assert remaining(server, order) == {"MUG": 3}


def test_an_order_that_is_known_stays_known_where_others_fail(server: Server) -> None:
    known, new = order_item(reference=unique("#bulk")), order_item(reference=unique("#bulk"))
    send_items(server, ORDERS, [known])
    answer = send_items(server, ORDERS + "?atomic=true", [known, new, new, order_item(line_items=[])])
    assert answer.statuses == [200, 424, 424, 400]
    assert server.get(f"/v1/orders?reference={new['reference'].replace('#', '%23')}").json()["orders"] == []


def test_too_many_for_all_or_none_are_refused_before_any_is_taken(server: Server) -> None:
    order = record_order(server, ("MUG", 10**6))
    items = [parcel(order, ("MUG", 1)) for _ in range(ATOMIC_ITEMS_MAX + 1)]
    reply = server.send("POST", FULFILLMENTS + "?atomic=true", lines_of(items), LINES)
    assert (reply.status, reply.json()["details"][0]["code"]) == (400, "too_many")
    assert remaining(server, order) == {"MUG": 10**6}
    answer = send_items(server, FULFILLMENTS + "?atomic=true", items[1:])
    assert answer.summary["statuses"] == {"200": ATOMIC_ITEMS_MAX}
    assert remaining(server, order) == {"MUG": 10**6 - ATOMIC_ITEMS_MAX}


def test_too_large_for_all_or_none_is_refused_before_any_is_taken(server: Server) -> None:
    item = json.dumps(order_item(reference=(reference := unique("bulk")))) + " " * (BODY_BYTES_MAX - 200)
    reply = server.send("POST", ORDERS + "?atomic=true", "\n".join([item] * 10), LINES)
    assert reply.status == 413
    assert server.get(f"/v1/orders?reference={reference}").json()["orders"] == []
