"""From the JSON of requests that change what was recorded to commands."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any, cast

from shipledger.command import (
    AddCarrierEvent,
    CancelFulfillment,
    CancelOrder,
    ChangeOrder,
    ChangeTracking,
    HoldOrder,
    Origin,
    ReleaseOrder,
    requested_order,
)
from shipledger.fulfillment import REPORTED, FulfillmentStatus, TrackingChanges
from shipledger.http.fields import Fields, Findings
from shipledger.http.fulfillment_request import TRACKING_SYNONYMS, judge_sums, read_lines
from shipledger.http.lookalikes import Vocabulary
from shipledger.http.order_request import ORDER
from shipledger.limits import (
    ADDRESS_BYTES_MAX,
    CARRIER_CHARS_MAX,
    CARRIER_EVENT_LOCATION_CHARS_MAX,
    CARRIER_EVENT_MESSAGE_CHARS_MAX,
    HOLD_REASON_CHARS_MAX,
    LINES_MAX,
    METADATA_BYTES_MAX,
    REFERENCE_CHARS_MAX,
    TRACKING_NUMBER_CHARS_MAX,
    TRACKING_URL_CHARS_MAX,
)
from shipledger.order import OrderChanges
from shipledger.refusal import Refusal

_ORDER_ANSWERED = ORDER.fields | ORDER.answered
_FULFILLMENT_ANSWERED = frozenset({"id", "order_id", "status", "created_at", "line_items", "warnings"})
_TRACKING = frozenset({"tracking_number", "tracking_url", "carrier"})
_CHANGEABLE = frozenset({"reference", "ship_by", "deliver_by", "shipping_address", "metadata"})
_LINES = frozenset({"line_items"})
_LINES_SYNONYMS = {"items": "line_items", "lines": "line_items", "skus": "line_items", "products": "line_items"}

CHANGE_ORDER = Vocabulary(_CHANGEABLE, _ORDER_ANSWERED - _CHANGEABLE, {"address": "shipping_address"})
CANCEL_ORDER = Vocabulary(_LINES, _ORDER_ANSWERED - _LINES, _LINES_SYNONYMS)
HOLD_ORDER = Vocabulary(frozenset({"reason"}), _ORDER_ANSWERED, {"holdreason": "reason"})
RELEASE_ORDER = Vocabulary(frozenset(), _ORDER_ANSWERED | {"reason"})
CHANGE_TRACKING = Vocabulary(_TRACKING, _FULFILLMENT_ANSWERED, TRACKING_SYNONYMS)
CANCEL_FULFILLMENT = Vocabulary(_LINES, (_FULFILLMENT_ANSWERED | _TRACKING) - _LINES, _LINES_SYNONYMS)
CARRIER_EVENT = Vocabulary(
    frozenset({"status", "occurred_at", "message", "location"}),
    frozenset({"received_at"}),
    {"happenedat": "occurred_at", "datetime": "occurred_at", "timestamp": "occurred_at", "description": "message"},
)

Values = dict[str, Any]


def read_change_order(
    values: Values, origin: Origin, zone: tzinfo, findings: Findings, *, order_id: int, key: str | None
) -> ChangeOrder | Refusal:
    """The command that a request means, like those below. `findings` may hold faults of its headers already."""
    order = Fields(values, CHANGE_ORDER, findings)
    changes = _given(
        order,
        {
            "reference": lambda name: order.text(name, REFERENCE_CHARS_MAX),
            "ship_by": lambda name: order.moment(name, zone),
            "deliver_by": lambda name: order.moment(name, zone),
            "shipping_address": lambda name: order.json_object(name, ADDRESS_BYTES_MAX),
            "metadata": lambda name: order.json_object(name, METADATA_BYTES_MAX),
        },
    )
    return findings.refusal() or ChangeOrder(
        origin, order_id, cast("OrderChanges", changes), key, tuple(findings.cautions)
    )


def _given(fields: Fields, readers: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
    """Those fields that a request holds, each as its reader reads it."""
    return {name: read(name) for name, read in readers.items() if fields.is_given(name)}


def read_cancel_order(
    values: Values, origin: Origin, findings: Findings, *, order_id: int, key: str | None
) -> CancelOrder | Refusal:
    order = Fields(values, CANCEL_ORDER, findings)
    lines = read_lines(order, findings, [LINES_MAX])
    share = requested_order(order_id, lines, "line_items")
    return (
        findings.refusal()
        or judge_sums((share,), findings)
        or CancelOrder(origin, order_id, share.lines, key, tuple(findings.cautions))
    )


def read_hold_order(
    values: Values, origin: Origin, findings: Findings, *, order_id: int, key: str | None
) -> HoldOrder | Refusal:
    reason = Fields(values, HOLD_ORDER, findings).text("reason", HOLD_REASON_CHARS_MAX, required=True, prose=True)
    return findings.refusal() or HoldOrder(origin, order_id, reason or "", key, tuple(findings.cautions))


def read_release_order(
    values: Values, origin: Origin, findings: Findings, *, order_id: int, key: str | None
) -> ReleaseOrder | Refusal:
    Fields(values, RELEASE_ORDER, findings)
    return findings.refusal() or ReleaseOrder(origin, order_id, key, tuple(findings.cautions))


def read_change_tracking(
    values: Values, origin: Origin, findings: Findings, *, fulfillment_id: int, key: str | None
) -> ChangeTracking | Refusal:
    """A number may be corrected, and not be taken away."""
    given = Fields(values, CHANGE_TRACKING, findings)
    read = _given(
        given,
        {
            "tracking_number": lambda name: given.text(name, TRACKING_NUMBER_CHARS_MAX, required=True),
            "tracking_url": lambda name: given.web_address(name, TRACKING_URL_CHARS_MAX),
            "carrier": lambda name: given.text(name, CARRIER_CHARS_MAX),
        },
    )
    changes = {name.removeprefix("tracking_"): value for name, value in read.items()}
    return findings.refusal() or ChangeTracking(
        origin, fulfillment_id, cast("TrackingChanges", changes), key, tuple(findings.cautions)
    )


def read_cancel_fulfillment(
    values: Values, origin: Origin, findings: Findings, *, fulfillment_id: int, key: str | None
) -> CancelFulfillment | Refusal:
    if Fields(values, CANCEL_FULFILLMENT, findings).value("line_items") is not None:
        message = "A fulfillment is cancelled whole: cancel it, and create one of what was really shipped."
        findings.fault("only_whole", "line_items", message)
    return findings.refusal() or CancelFulfillment(origin, fulfillment_id, key, tuple(findings.cautions))


def read_carrier_event(
    values: Values, origin: Origin, zone: tzinfo, findings: Findings, *, fulfillment_id: int, key: str | None
) -> AddCarrierEvent | Refusal:
    event = Fields(values, CARRIER_EVENT, findings)
    status = event.text("status", 32, required=True)
    occurred_at = event.moment("occurred_at", zone)
    message = event.text("message", CARRIER_EVENT_MESSAGE_CHARS_MAX, prose=True)
    location = event.text("location", CARRIER_EVENT_LOCATION_CHARS_MAX, prose=True)
    if status is not None and status not in REPORTED:
        words = ", ".join(sorted(REPORTED))
        sentence = f"status must be one of {words}; a fulfillment is cancelled at .../cancel."
        findings.fault("not_a_status", "status", sentence)
    refusal = findings.refusal()
    if refusal is not None:
        return refusal
    said, cautions = FulfillmentStatus(str(status)), tuple(findings.cautions)
    return AddCarrierEvent(origin, fulfillment_id, said, occurred_at, message, location, key, cautions)
