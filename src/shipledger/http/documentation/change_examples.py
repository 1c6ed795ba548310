"""The examples of requests that change what was recorded, of their answers, and of what forbids them."""

from collections.abc import Mapping
from typing import Any

from shipledger.http import schemas_changes as schemas

Examples = dict[str, dict[str, Any]]

_MOMENT = "2024-05-02T09:30:00Z"


def _one(summary: str, value: Any) -> Examples:
    return {"example": {"summary": summary, "value": value}}


CHANGE_REQUESTS: Mapping[type[Any], Examples] = {
    schemas.ChangeOrder: _one("Another date", {"deliver_by": "2030-05-04", "metadata": {"gift": True}}),
    schemas.CancelOrder: {
        "whole": {"summary": "All that remains", "value": {}},
        "by_lines": {"summary": "One piece", "value": {"line_items": [{"sku": "RPBF24-1941", "quantity": 1}]}},
    },
    schemas.HoldOrder: _one("A reason", {"reason": "address check"}),
    schemas.ReleaseOrder: _one("Nothing to say", {}),
    schemas.ChangeTracking: _one("A mistyped number", {"tracking_number": "1ZE356F8YW01937125", "carrier": "UPS"}),
    schemas.CancelFulfillment: _one("Nothing to say", {}),
    schemas.AddCarrierEvent: _one(
        "Delivered",
        {"status": "delivered", "occurred_at": _MOMENT, "message": "Left with a neighbour", "location": "Berlin, DE"},
    ),
}

TIMELINE = {
    "events": [
        {
            "status": "delivered",
            "occurred_at": _MOMENT,
            "message": "Left with a neighbour",
            "location": "Berlin, DE",
            "received_at": "2024-05-02T09:31:07Z",
        },
        {
            "status": "in_transit",
            "occurred_at": "2024-05-01T04:12:00Z",
            "message": None,
            "location": "Leipzig, DE",
            "received_at": "2024-05-01T04:12:09Z",
        },
    ],
    "next_cursor": None,
}

CHANGE_NOTES: Mapping[str, Mapping[str, str]] = {
    "ChangeOrder": {
        "reference": "The number that people know the order by. Unique.",
        "ship_by": "The moment by which it must leave. A bare date means the end of that day.",
        "deliver_by": "The moment by which it must arrive. A bare date means the end of that day.",
        "shipping_address": "Kept as it was sent, in the place of the one before.",
        "metadata": "Anything of yours, in the place of what was there before.",
    },
    "CancelOrder": {
        "line_items": "What is cancelled. Omitted or null: everything that remains. An empty list is refused."
    },
    "HoldOrder": {"reason": "Why, for those who wait for the order."},
    "ChangeTracking": {
        "tracking_number": "The right number. A number cannot be taken away.",
        "tracking_url": "Where the parcel can be followed. Absent beside a new number: where its carrier shows it.",
        "carrier": "Who carries the parcel. Absent beside a new number: whose numbers look like it.",
    },
    "AddCarrierEvent": {
        "status": "What the event says of the parcel.",
        "occurred_at": "When it happened, at most 24 hours ahead. Absent: now.",
        "message": "What the carrier says, for people.",
        "location": "Where it happened.",
    },
    "CarrierEvent": {
        "status": "What the event says of the parcel.",
        "occurred_at": "When it happened.",
        "message": "What the carrier says, for people.",
        "location": "Where it happened.",
        "received_at": "When it was recorded here.",
    },
    "Timeline": {"next_cursor": "Always null: a timeline is one page."},
}
