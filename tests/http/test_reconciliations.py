"""Reconciliations over HTTP: what is missing, extra and different, and of a partner its own alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shipledger.limits import RECONCILED_MAX
from tests.http.key_holders import Holder, close_server
from tests.http.ledger_dump import codes, dump
from tests.http.orders_to_ship import parcel
from tests.serving import Reply, Server

pytestmark = pytest.mark.on_both_databases


def moment(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


def named(order_id: Any, number: str, *lines: tuple[str, int], **fields: Any) -> dict[str, Any]:
    return {**parcel(order_id, *lines), "tracking_number": number, **fields}


def asked(*fulfillments: Any, **times: str) -> dict[str, Any]:
    return {"from": moment(hours=1), "to": moment(hours=-1), "fulfillments": list(fulfillments), **times}


@pytest.fixture(scope="module")
def operator(server: Server) -> Holder:
    """Order 1 has lines of the operator's, of east and of west; each shipped some of its own."""
    operator = close_server(server)
    lines = [{"sku": "A", "quantity": 9, "partner": partner} for partner in (None, "east", "west")]
    assert operator.post("/v1/orders", {"id": 1, "reference": "#1", "line_items": lines}).status == 201
    assert operator.post("/v1/fulfillments", parcel(1, ("A", 2), tracking_number="T1")).status == 200
    for partner in ("east", "west"):
        holder = operator.partner(partner)
        for number in ("T2", f"T-{partner}"):
            assert holder.post("/v1/fulfillments", parcel(1, ("A", 1), tracking_number=number)).status == 200
    return operator


@pytest.fixture(scope="module")
def east(operator: Holder) -> Holder:
    return operator.partner("east", scopes=["fulfillments:read"])


def verdicts(reply: Reply) -> tuple[list[str], list[str], list[str]]:
    assert reply.status == 200, reply
    answer = reply.json()
    assert answer["counts"]["missing"] == len(answer["missing"])
    return tuple([one["tracking_number"] for one in answer[name]] for name in ("missing", "extra", "different"))  # type: ignore[return-value]


def test_the_operator_s_is_of_all(operator: Holder) -> None:
    before = dump(operator.server.database)
    reply = operator.post("/v1/reconciliations", asked(named("#1", "T1", ("A", 2)), named(1, "T9", ("A", 1))))
    assert verdicts(reply) == (["T9"], ["T2", "T-east", "T2", "T-west"], [])
    assert dump(operator.server.database) == before, "it writes nothing"
    both = operator.post("/v1/reconciliations", asked(named(1, "T2", ("A", 2))))
    assert verdicts(both) == ([], ["T1", "T-east", "T-west"], []), "fulfillments of one number are added up"


def test_a_partner_s_is_of_its_own(east: Holder) -> None:
    reply = east.post("/v1/reconciliations", asked(named(1, "T2", ("A", 1)), named(1, "T1", ("A", 2))))
    assert verdicts(reply) == (["T1"], ["T-east"], []), "T1 is there for the operator alone"
    assert reply.json()["counts"] == {
        "named": 2,
        "recorded": 2,
        "equal": 1,
        "missing": 1,
        "extra": 1,
        "different": 0,
    }
    assert verdicts(east.post("/v1/reconciliations", asked(named(1, "T-west", ("A", 1)))))[0] == ["T-west"]


def test_what_differs_says_in_what(east: Holder) -> None:
    reply = east.post("/v1/reconciliations", asked(named(1, "T2", ("A", 3), status="delivered"), named(1, "T-east")))
    (different,) = reply.json()["different"]
    assert (different["index"], different["order_id"], different["differences"]) == (0, 1, ["line_items", "status"])
    assert different["recorded"][0]["line_items"] == [{"sku": "A", "quantity": 1}]


def test_what_was_recorded_at_another_time_is_not_extra(operator: Holder) -> None:
    long_ago = {"from": "2020-01-01", "to": "2020-01-31"}
    assert verdicts(operator.post("/v1/reconciliations", asked(**long_ago))) == ([], [], [])
    today = datetime.now(UTC).date().isoformat()
    assert len(verdicts(operator.post("/v1/reconciliations", asked(**{"from": today, "to": today})))[1]) == 5


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"from": "2026-01-01", "fulfillments": []}, ("required", "to")),
        ({"to": "2026-01-01", "fulfillments": []}, ("required", "from")),
        ({"from": "yesterday", "to": "2026-01-01", "fulfillments": []}, ("not_a_moment", "from")),
        ({"from": "2026-01-02", "to": "2026-01-01", "fulfillments": []}, ("empty", "to")),
        ({"from": "2026-01-01", "to": "2026-01-01"}, ("not_a_list", "fulfillments")),
        ({"from": "2026-01-01", "to": "2026-01-01", "fulfillments": [{}] * (RECONCILED_MAX + 1)},
         ("not_a_list", "fulfillments")),
        (asked(7), ("not_an_object", "fulfillments[0]")),
        (asked({"tracking_number": "T"}), ("required", "fulfillments[0].order_id")),
        (asked({"order_id": 1}), ("required", "fulfillments[0].tracking_number")),
        (asked(named(1, "T", status="gone")), ("not_a_status", "fulfillments[0].status")),
        (asked(named(1, "T", trackingNo="T")), ("unknown_field", "fulfillments[0].trackingNo")),
        (asked(named(1, "T", ("A", 0))), ("quantity_invalid", "fulfillments[0].line_items[0].quantity")),
        ({**asked(), "fulfilments": []}, ("unknown_field", "fulfilments")),
    ],
)  # fmt: skip
def test_what_it_cannot_mean_is_refused(operator: Holder, body: Any, fault: tuple[str, str]) -> None:
    reply = operator.post("/v1/reconciliations", body)
    assert (reply.status, fault in codes(reply)) == (400, True), reply
    assert operator.server.send("POST", "/v1/reconciliations?limit=1", "{}", operator.headers).status == 400
