"""Orders and requests for tests over HTTP: small, and different each time."""

import itertools
import json
import zlib
from typing import Any

from tests.serving import Server

JSON = {"Content-Type": "application/json"}
NUMBER = "1ZE356F8YW01937117"

FUZZED_ORDERS = [{"id": 450789469 + number, "reference": f"#{1001 + number}"} for number in range(500)]
"""Many: a request that omits its lines leaves nothing of the order that it names."""
FUZZED_SKU = "RPBF24-1941"
FUZZED_FULFILLMENTS = 8
"""Recorded before the fuzzer begins, so that it can change and cancel some from its first request on."""
FUZZED_LEDGER = "SHIPLEDGER_TEST_FUZZED_LEDGER"
"""The variable that tells the fuzzer's process which ledger to watch."""

FUZZERS_KEY = 1
"""The id of the key that the fuzzer sends, and must not revoke."""

_serial = itertools.count(1)


def record_order(server: Server, *lines: tuple[str, int], **fields: Any) -> int:
    """Record an order with lines of (sku, quantity); returns its id."""
    lines = lines or (("MUG", 5), ("TEE", 3))
    line_items = [{"sku": sku, "quantity": quantity} for sku, quantity in lines]
    reply = server.post("/v1/orders", {"line_items": line_items, **fields})
    assert reply.status == 201, reply
    order_id: int = reply.json()["id"]
    return order_id


def parcel(order_id: Any, *lines: tuple[Any, Any], **fields: Any) -> dict[str, Any]:
    """The request for a parcel of one order; without lines, everything that remains."""
    request: dict[str, Any] = {"order_id": order_id, "tracking_number": number_of(order_id), **fields}
    if lines:
        request["line_items"] = [{"sku": sku, "quantity": quantity} for sku, quantity in lines]
    return request


def envelope(*groups: tuple[Any, ...], **fields: Any) -> dict[str, Any]:
    """The request for a parcel of several orders; a group is an order id and its lines."""
    named = [
        {"order_id": order_id, "line_items": [{"sku": sku, "quantity": quantity} for sku, quantity in lines]}
        if lines
        else {"order_id": order_id}
        for order_id, *lines in groups
    ]
    return {
        "line_items_by_fulfillment_order": named,
        "tracking_number": number_of(*(group[0] for group in groups)),
        **fields,
    }


def number_of(*order_ids: Any) -> str:
    """A carrier's tracking number for parcels of these orders: the same each time, and no other orders'."""
    return f"TBA{zlib.crc32(' '.join(sorted(set(map(str, order_ids)))).encode()):012}"


def text(value: Any) -> str:
    return json.dumps(value)


def unique(prefix: str) -> str:
    """A text that no other test has used."""
    return f"{prefix}-{next(_serial)}"


def remaining(server: Server, order_id: int) -> dict[str, int]:
    """What remains of each sku of an order."""
    left: dict[str, int] = {}
    for line in server.get(f"/v1/orders/{order_id}").json()["line_items"]:
        left[line["sku"]] = left.get(line["sku"], 0) + line["remaining"]
    return left
