"""`POST /v1/fulfillments` as CONTRACT.md has it: both shapes, who is meant, what is answered.

Idempotency-Key has a file of its own: test_bad_keys.py.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.http.ledger_dump import codes, dump, refuse
from tests.http.orders_to_ship import JSON, NUMBER, envelope, number_of, parcel, record_order, remaining, text, unique
from tests.serving import Engine, Reply, Server

pytestmark = pytest.mark.on_both_databases

ENVELOPE = "line_items_by_fulfillment_order"
KEYS = ["order_id", "status", "tracking_number", "created_at", "id", "line_items", "carrier", "tracking_url"]
PATHS = ["/v1/fulfillments", "/fulfillments", "/fulfillments/create", "/v1/fulfillments/create"]


def create(server: Server, request: dict[str, Any], path: str = "/v1/fulfillments") -> Any:
    reply = server.post(path, request)
    assert reply.status == 200, reply
    return reply.json()


def refuse_parcel(server: Server, status: int, request: dict[str, Any]) -> Reply:
    return refuse(server, status, "POST", "/v1/fulfillments", text(request), JSON)


# The answer


def test_the_answer_has_the_published_keys_first_and_in_order(server: Server) -> None:
    order_id = record_order(server)
    reply = server.post(
        "/v1/fulfillments", parcel(order_id, ("MUG", 2), carrier="UPS", tracking_url="https://x.example/1")
    )
    body = reply.json()
    assert list(body) == KEYS
    assert body == {
        "order_id": order_id,
        "status": "created",
        "tracking_number": number_of(order_id),
        "created_at": body["created_at"],
        "id": body["id"],
        "line_items": [{"sku": "MUG", "quantity": 2}],
        "carrier": "UPS",
        "tracking_url": "https://x.example/1",
    }
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["location"] == f"/v1/fulfillments/{body['id']}"
    assert server.get(reply.headers["location"]).json() == body
    assert reply.headers["x-request-id"]


def test_created_at_is_now_in_utc_to_the_second(server: Server) -> None:
    created_at = create(server, parcel(record_order(server)))["created_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created_at)
    assert abs(datetime.fromisoformat(created_at) - datetime.now(UTC)) < timedelta(minutes=1)


def test_warnings_are_there_only_where_there_are_any_and_last(server: Server) -> None:
    order_id = record_order(server)
    body = create(server, parcel(order_id, ("MUG", 1), gift=True))
    assert list(body) == [*KEYS, "warnings"]
    assert body["warnings"] == [
        {"code": "unknown_field", "at": "gift", "message": "This field is not known and was ignored."}
    ]
    again = create(server, parcel(order_id, ("MUG", 1)))
    assert [(warning["code"], warning["at"]) for warning in again["warnings"]] == [
        ("tracking_number_repeated", "tracking_number")
    ]
    assert "warnings" not in create(server, parcel(order_id, ("MUG", 1), tracking_number="1Z5R89390357567127"))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("slash", ["", "/"])
def test_every_path_is_the_same_handler(server: Server, path: str, slash: str) -> None:
    reply = server.post(path + slash, parcel(record_order(server)), {"Idempotency-Key": unique("path")})
    assert reply.status == 200
    assert reply.headers["location"].startswith("/v1/fulfillments/")


def test_every_path_shares_the_keys(server: Server) -> None:
    order_id, key = record_order(server), unique("key")
    replies = [server.post(path, parcel(order_id), {"Idempotency-Key": key}) for path in PATHS]
    assert {(reply.status, reply.body) for reply in replies} == {(200, replies[0].body)}


# Which order


def test_a_string_is_the_reference_and_the_answer_holds_the_id(server: Server) -> None:
    reference = unique("#AMZ-112")
    order_id = record_order(server, reference=reference)
    assert create(server, parcel(reference, ("MUG", 1)))["order_id"] == order_id
    assert create(server, parcel(f" {reference} ", ("MUG", 1)))["order_id"] == order_id
    assert create(server, parcel(str(order_id), ("MUG", 1)))["order_id"] == order_id
    assert create(server, parcel(float(order_id), ("MUG", 1)))["order_id"] == order_id


def test_digits_are_a_reference_first_and_an_id_else(server: Server) -> None:
    by_id = record_order(server, id=880_001)
    by_reference = record_order(server, id=880_002, reference="880001")
    assert create(server, parcel("880001", ("MUG", 1)))["order_id"] == by_reference
    assert create(server, parcel(880_001, ("MUG", 1)))["order_id"] == by_id
    assert create(server, parcel("880002", ("MUG", 1)))["order_id"] == by_reference


def test_an_integer_is_always_the_id(server: Server) -> None:
    record_order(server, reference="880009")
    refuse_parcel(server, 404, parcel(880_009))


# Which lines


@pytest.mark.parametrize("absent", [{}, {"line_items": None}])
def test_omitted_lines_are_everything_that_remains(server: Server, absent: dict[str, None]) -> None:
    order_id = record_order(server, ("MUG", 5), ("TEE", 3), ("MUG", 1))
    create(server, parcel(order_id, ("MUG", 2)))
    body = create(server, {**parcel(order_id), **absent})
    assert body["line_items"] == [{"sku": "MUG", "quantity": 4}, {"sku": "TEE", "quantity": 3}]
    assert server.get(f"/v1/orders/{order_id}").json()["status"] == "fulfilled"
    assert codes(refuse_parcel(server, 400, parcel(order_id))) == [("nothing_remaining", "order_id")]


def test_lines_of_one_sku_are_filled_in_their_order(server: Server) -> None:
    order_id = record_order(server, ("MUG", 2), ("TEE", 1), ("MUG", 3))
    create(server, parcel(order_id, ("MUG", 3)))
    lines = server.get(f"/v1/orders/{order_id}").json()["line_items"]
    assert [line["fulfilled"] for line in lines] == [2, 0, 1]


@pytest.mark.parametrize("sku", [730143, 730143.0, "730143", " 730143 "])
def test_an_integer_sku_is_taken_as_its_digits(server: Server, sku: object) -> None:
    order_id = record_order(server, ("730143", 2))
    assert create(server, parcel(order_id, (sku, 1)))["line_items"] == [{"sku": "730143", "quantity": 1}]


@pytest.mark.parametrize("sku", [0, 2**63 - 1])
def test_integer_skus_reach_from_0_to_2_63(server: Server, sku: int) -> None:
    lines = [{"sku": sku, "quantity": 1}]
    order_id = server.post("/v1/orders", {"line_items": lines}).json()["id"]
    assert create(server, parcel(order_id, (str(sku), 1)))["line_items"] == [{"sku": str(sku), "quantity": 1}]


# The two shapes


def test_an_envelope_of_one_order_answers_the_flat_body(server: Server) -> None:
    order_id = record_order(server)
    reply = server.post("/v1/fulfillments", envelope((order_id, ("MUG", 1))))
    assert list(reply.json()) == KEYS
    assert reply.headers["location"] == f"/v1/fulfillments/{reply.json()['id']}"


def test_a_null_envelope_is_absent(server: Server) -> None:
    assert create(server, {**parcel(record_order(server)), ENVELOPE: None})["status"] == "created"


@pytest.mark.parametrize("value", [[], {}, "x", 1, True, [[]], ["x"], [None]])
def test_an_empty_envelope_is_refused(server: Server, value: object) -> None:
    reply = refuse_parcel(server, 400, {ENVELOPE: value, "tracking_number": NUMBER})
    assert reply.json()["error"] == "Invalid Request"
    assert codes(reply)[0][1].startswith(ENVELOPE)


@pytest.mark.parametrize("field", ["order_id", "line_items"])
def test_an_envelope_beside_a_top_level_field_is_refused(server: Server, field: str) -> None:
    order_id = record_order(server)
    more = {"order_id": order_id} if field == "order_id" else {"line_items": [{"sku": "MUG", "quantity": 1}]}
    reply = refuse_parcel(server, 400, {**envelope((order_id,)), **more})
    assert codes(reply) == [("two_shapes", ENVELOPE)]


def test_several_orders_are_one_parcel_with_a_fulfillment_each(server: Server) -> None:
    first, second = record_order(server), record_order(server, ("CAP", 4))
    reply = server.post("/v1/fulfillments", envelope((first, ("MUG", 2)), (second,), carrier="DHL"))
    body = reply.json()
    assert list(body) == ["status", "tracking_number", "created_at", "fulfillments"]
    assert (body["status"], body["tracking_number"]) == ("created", number_of(first, second))
    assert [list(each) for each in body["fulfillments"]] == [KEYS, KEYS]
    assert [(each["order_id"], each["line_items"]) for each in body["fulfillments"]] == [
        (first, [{"sku": "MUG", "quantity": 2}]),
        (second, [{"sku": "CAP", "quantity": 4}]),
    ]
    assert {each["created_at"] for each in body["fulfillments"]} == {body["created_at"]}
    assert "location" not in reply.headers
    for each in body["fulfillments"]:
        assert server.get(f"/v1/fulfillments/{each['id']}").json() == each


@pytest.mark.parametrize(
    ("status", "bad"),
    [
        (404, (1,)),
        (400, ("second", ("NONE", 1))),
        (400, ("second", ("MUG", 6))),
        (400, ("second", ("MUG", 0))),
        (400, ("emptied",)),
    ],
)
@pytest.mark.parametrize("bad_first", [False, True])
def test_several_orders_are_all_or_nothing(server: Server, status: int, bad: tuple[Any, ...], bad_first: bool) -> None:
    first, second, emptied = (record_order(server) for _ in range(3))
    create(server, parcel(emptied))
    bad = ({"second": second, "emptied": emptied}.get(bad[0], bad[0]), *bad[1:])
    groups = [(first, ("MUG", 1)), bad]
    refuse_parcel(server, status, envelope(*(groups[::-1] if bad_first else groups)))
    assert remaining(server, first) == {"MUG": 5, "TEE": 3}


def test_each_check_is_made_for_all_orders_before_the_next(server: Server) -> None:
    first, second = record_order(server), record_order(server)
    # A quantity at fault in the first, a sku in the second: skus come first.
    reply = refuse_parcel(server, 400, envelope((first, ("MUG", 6)), (second, ("NONE", 1))))
    assert codes(reply) == [("unknown_sku", f"{ENVELOPE}[1].line_items[0].sku")]
    # Both at fault alike: both are named.
    reply = refuse_parcel(server, 400, envelope((first, ("MUG", 6)), (second, ("TEE", 4))))
    assert [at for _, at in codes(reply)] == [f"{ENVELOPE}[{i}].line_items[0].quantity" for i in (0, 1)]
    # Orders come before skus, fields before orders.
    refuse_parcel(server, 404, envelope((first, ("NONE", 1)), (1,)))
    assert codes(refuse_parcel(server, 400, envelope((1, ("MUG", 0)), (first,)))) == [
        ("quantity_invalid", f"{ENVELOPE}[0].line_items[0].quantity")
    ]


def test_groups_of_one_order_are_merged(server: Server) -> None:
    reference = unique("#merged")
    order_id = record_order(server, reference=reference)
    # By id, by the digits of the id and by the reference: one order, and so the flat body.
    body = create(
        server, envelope((order_id, ("MUG", 1)), (str(order_id), ("MUG", 1), ("TEE", 1)), (reference, ("TEE", 1)))
    )
    assert list(body) == KEYS
    assert body["line_items"] == [{"sku": "MUG", "quantity": 2}, {"sku": "TEE", "quantity": 2}]
    assert codes(refuse_parcel(server, 400, envelope((order_id, ("MUG", 2)), (reference, ("MUG", 2))))) == [
        ("quantity_exceeds_remaining", f"{ENVELOPE}[0].line_items[0].quantity")
    ]
    assert create(server, envelope((order_id,), (reference,)))["line_items"] == [
        {"sku": "MUG", "quantity": 3},
        {"sku": "TEE", "quantity": 1},
    ]


@pytest.mark.parametrize("by_reference", [False, True])
def test_groups_that_contradict_each_other_are_refused(server: Server, by_reference: bool) -> None:
    reference = unique("#torn")
    order_id = record_order(server, reference=reference)
    reply = refuse_parcel(server, 400, envelope((order_id, ("MUG", 1)), (reference if by_reference else order_id,)))
    assert codes(reply) == [("contradicting_groups", f"{ENVELOPE}[1].order_id")]
    assert reply.json()["error"] == "Invalid Request"


# Dry runs and answers sent back


@pytest.mark.parametrize("value", ["true", "1"])
def test_a_dry_run_answers_what_would_be_and_writes_nothing(server: Server, value: str) -> None:
    first, second = record_order(server), record_order(server)
    before = dump(server.database)
    reply = server.post(f"/v1/fulfillments?dry_run={value}", parcel(first))
    assert (reply.status, list(reply.json()), "location" in reply.headers) == (200, KEYS, False)
    assert (reply.json()["status"], reply.json()["id"]) == ("dry_run", None)
    assert reply.json()["line_items"] == [{"sku": "MUG", "quantity": 5}, {"sku": "TEE", "quantity": 3}]
    several = server.post(f"/v1/fulfillments?dry_run={value}", envelope((first,), (second,))).json()
    assert (several["status"], [each["id"] for each in several["fulfillments"]]) == ("dry_run", [None, None])
    refuse(server, 400, "POST", f"/v1/fulfillments?dry_run={value}", text(parcel(first, ("MUG", 6))), JSON)
    refuse(server, 404, "POST", f"/v1/fulfillments?dry_run={value}", text(parcel(1)), JSON)
    assert dump(server.database) == before
    assert create(server, parcel(first), "/v1/fulfillments?dry_run=false")["status"] == "created"


def test_an_answer_posted_back_is_read_as_a_request(server: Server) -> None:
    order_id = record_order(server)
    answer = create(server, parcel(order_id, ("MUG", 1)))
    again = create(server, answer)
    assert again["id"] != answer["id"]
    assert {warning["at"] for warning in again["warnings"]} == {"status", "created_at", "id", "tracking_number"}
    lines = [{**line, "quantity": 1} for line in server.get(f"/v1/orders/{order_id}").json()["line_items"]]
    assert create(server, {**parcel(order_id), "line_items": lines})["line_items"][1] == {"sku": "TEE", "quantity": 1}


# SHIPLEDGER_REPEATED_TRACKING


@pytest.fixture(scope="module", params=["replay", "reject"])
def strict(request: pytest.FixtureRequest, engine: Engine) -> Iterator[tuple[str, Server]]:
    with engine.running(SHIPLEDGER_REPEATED_TRACKING=request.param) as server:
        yield request.param, server


@pytest.mark.parametrize("repeat", [lambda order_id: parcel(order_id, ("MUG", 2)), parcel], ids=["lines", "omitted"])
def test_a_repeat_is_replayed_or_refused_as_the_operator_wants(strict: tuple[str, Server], repeat: Any) -> None:
    what, server = strict
    order_id = record_order(server)
    first = server.post("/v1/fulfillments", repeat(order_id))
    before = dump(server.database)
    if what == "replay":
        again = server.post("/v1/fulfillments", repeat(order_id))
        assert (again.status, again.body, again.headers["idempotent-replayed"]) == (200, first.body, "true")
        assert again.headers["location"] == first.headers["location"]
    else:
        error = refuse_parcel(server, 409, repeat(order_id)).json()
        assert error["error"] == "Fulfillment Exists"
        assert error["details"][0]["message"] == f"Fulfillment {first.json()['id']} holds these lines already."
    assert dump(server.database) == before


def test_another_number_or_other_lines_are_no_repeat(strict: tuple[str, Server]) -> None:
    _, server = strict
    order_id = record_order(server)
    for request in (
        parcel(order_id, ("MUG", 1)),
        parcel(order_id, ("MUG", 2)),
        parcel(order_id, ("TEE", 1)),
        parcel(order_id, ("MUG", 1), tracking_number="other"),
    ):
        assert "idempotent-replayed" not in server.post("/v1/fulfillments", request).headers
    assert remaining(server, order_id) == {"MUG": 1, "TEE": 2}


def test_a_key_says_that_it_is_another_parcel(strict: tuple[str, Server]) -> None:
    _, server = strict
    order_id = record_order(server)
    ids = set()
    for key in (unique("key"), unique("key")):
        reply = server.post("/v1/fulfillments", parcel(order_id, ("MUG", 2)), {"Idempotency-Key": key})
        assert (reply.status, "idempotent-replayed" in reply.headers) == (200, False), reply
        ids.add(reply.json()["id"])
    assert len(ids) == 2


def test_by_default_a_repeat_is_a_new_fulfillment_with_a_warning(server: Server) -> None:
    order_id = record_order(server)
    first, second = (create(server, parcel(order_id, ("MUG", 2))) for _ in range(2))
    assert first["id"] != second["id"]
    assert "warnings" not in first
    assert second["warnings"][0]["code"] == "tracking_number_repeated"
