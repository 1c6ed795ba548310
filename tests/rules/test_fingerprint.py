"""Whether two requests mean the same: only that counts when an Idempotency-Key comes again."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipledger.command import CreateOrder, RepeatedTracking, content_fingerprint
from shipledger.http.fields import Findings
from shipledger.http.fulfillment_request import ENVELOPE, read_create_fulfillment
from shipledger.order import OrderContent, OrderedLine
from shipledger.refusal import Refusal
from tests.rules.asking import Parcel, origin
from tests.rules.desk import NOON

A1, A2, A3, B1 = [{"sku": sku, "quantity": quantity} for sku, quantity in [("A", 1), ("A", 2), ("A", 3), ("B", 1)]]


def fingerprint(body: dict[str, Any]) -> bytes:
    command = read_create_fulfillment({"tracking_number": "T1", **body}, origin(), Findings())
    assert not isinstance(command, Refusal), command
    return command.fingerprint()


def flat(order: float | str, *lines: Any, **more: Any) -> dict[str, Any]:
    return {"order_id": order, "line_items": list(lines) or None, **more}


def envelope(*groups: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {ENVELOPE: list(groups), **more}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (flat(1, A1), envelope(flat(1, A1))),
        (flat(1), {"order_id": 1}),
        (flat(1), envelope({"order_id": 1})),
        (flat(1, A1, B1), flat(1, B1, A1)),
        (flat(1, A1, A2), flat(1, A3)),
        (flat(1, A3, B1), envelope(flat(1, A1), flat(1, B1, A2))),
        (flat(1), envelope(flat(1), flat(1))),
        (envelope(flat(1, A1), flat(2)), envelope(flat(2), flat(1, A1))),
        (envelope(flat(1), flat("1"), flat("#1")), envelope(flat("#1"), flat("1"), flat(1))),
        (flat(1, A1), flat(1.0, {"sku": " A ", "quantity": 1.0})),
        (flat(1, {"sku": 7, "quantity": 1}), flat(1, {"sku": "7", "quantity": 1})),
        (flat(1, {"sku": "\u00e9", "quantity": 1}), flat(1, {"sku": "e\u0301", "quantity": 1})),
        (flat(1, A1), flat(1, A1, tracking_number=" T1 ")),
        (flat(1, A1), flat(1, A1, carrier=None, tracking_url=" ")),
        (flat(1, A1), flat(1, A1, note="an unknown field, which is a warning")),
    ],
)
def test_requests_that_mean_the_same_are_alike(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert fingerprint(one) == fingerprint(other)


PLAIN = flat(1, A1)


@pytest.mark.parametrize(
    "other",
    [
        flat(2, A1),
        flat("1", A1),
        flat(1),
        flat(1, A2),
        flat(1, B1),
        flat(1, A1, B1),
        flat(1, {"sku": "a", "quantity": 1}),
        flat(1, A1, tracking_number="T2"),
        flat(1, A1, tracking_number="t1"),
        flat(1, A1, carrier="UPS"),
        flat(1, A1, tracking_url="https://example.com/T1"),
        envelope(flat(1, A1), flat(2)),
    ],
)
def test_any_difference_in_meaning_differs(other: dict[str, Any]) -> None:
    assert fingerprint(PLAIN) != fingerprint(other)


def test_no_two_of_them_are_alike_either() -> None:
    """Neighbouring values must not run into each other."""
    bodies = [
        envelope(flat(1, A1), flat(2, B1)),
        envelope(flat(1, B1), flat(2, A1)),
        envelope(flat(1, A1, B1), flat(2)),
        envelope(flat(1), flat(2, A1, B1)),
        flat(12, A1),
        flat(1, {"sku": "A1", "quantity": 1}),
        flat(1, {"sku": "A", "quantity": 11}),
        flat(1, {"sku": 'A",1],["B', "quantity": 1}),
        flat(1, A1, carrier="x", tracking_url="https://y"),
        flat(1, A1, carrier="https://y"),
    ]
    assert len({fingerprint(body) for body in bodies}) == len(bodies)


def test_how_a_request_is_carried_out_is_no_part_of_its_meaning() -> None:
    plain = Parcel(((1, None),))
    others = [
        replace(plain, key="k"),
        replace(plain, dry_run=True),
        replace(plain, repeated=RepeatedTracking.REJECT),
        replace(plain, partner="east"),
    ]
    commands = [parcel.command() for parcel in [plain, *others]]
    assert len({command.fingerprint() for command in commands if not isinstance(command, Refusal)}) == 1


@given(
    st.permutations([("A", 1), ("A", 2), ("B", 5), ("C", 1)]),
    st.integers(0, 4),
    st.booleans(),
)
def test_lines_may_be_named_in_any_order_and_spread_over_groups(
    lines: list[tuple[str, int]], cut: int, is_reversed: bool
) -> None:
    parts = [part for part in (lines[:cut], lines[cut:]) if part]
    groups = [(1, tuple(part)) for part in (parts[::-1] if is_reversed else parts)]
    assert fingerprint(Parcel(tuple(groups)).body()) == fingerprint(
        flat(1, A3, {"sku": "B", "quantity": 5}, {"sku": "C", "quantity": 1})
    )


# Orders.

CONTENT = OrderContent(7, (OrderedLine("A", 1), OrderedLine("B", 1)), metadata={"a": 1, "b": 2})


@pytest.mark.parametrize(
    "changes",
    [
        {"id": 8},
        {"id": None},
        {"reference": "#7"},
        {"channel": "#7"},
        {"email": "#7"},
        {"shipping_service": "#7"},
        {"shipping_address": {"city": "Lyon"}},
        {"ship_by": NOON},
        {"deliver_by": NOON},
        {"metadata": None},
        {"metadata": {"a": 1, "b": "2"}},
        {"lines": CONTENT.lines[::-1]},
        {"lines": CONTENT.lines[:1]},
        {"lines": (OrderedLine("A", 2), OrderedLine("B", 1))},
        {"lines": (OrderedLine("A", 1, title="B"), OrderedLine("B", 1))},
        {"lines": (OrderedLine("A", 1, partner="B"), OrderedLine("B", 1))},
    ],
    ids=str,
)
def test_an_order_that_says_anything_else_is_another(changes: dict[str, Any]) -> None:
    assert content_fingerprint(replace(CONTENT, **changes)) != content_fingerprint(CONTENT)


def test_an_order_that_says_the_same_is_the_same() -> None:
    again = replace(CONTENT, metadata={"b": 2, "a": 1})
    assert CreateOrder(origin("east"), again, "k").fingerprint() == content_fingerprint(CONTENT)
