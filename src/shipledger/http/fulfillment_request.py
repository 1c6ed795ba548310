"""From the JSON of `POST /v1/fulfillments` to a command: both shapes of the published page, and every fault named."""

from dataclasses import replace
from typing import Any

from shipledger.command import (
    CreateFulfillment,
    OrderKey,
    Origin,
    RepeatedTracking,
    RequestedLine,
    RequestedOrder,
    requested_order,
)
from shipledger.fulfilling import merge
from shipledger.fulfillment import Tracking
from shipledger.http.fields import Fields, Findings, whole_number
from shipledger.http.lookalikes import Vocabulary
from shipledger.limits import (
    CARRIER_CHARS_MAX,
    ID_MAX,
    LINES_MAX,
    QUANTITY_MAX,
    TRACKING_NUMBER_CHARS_MAX,
    TRACKING_URL_CHARS_MAX,
)
from shipledger.refusal import Refusal
from shipledger.tracking import understood
from shipledger.value import dataclass

ENVELOPE = "line_items_by_fulfillment_order"

_ANSWERED = frozenset({"id", "status", "created_at", "warnings", "fulfillments"})
_ORDER_SYNONYMS = {"items": "line_items", "lines": "line_items", "skus": "line_items", "products": "line_items"}
TRACKING_SYNONYMS = {
    "tracking": "tracking_number",
    "trackingno": "tracking_number",
    "trackingcode": "tracking_number",
    "trackingid": "tracking_number",
    "trackinglink": "tracking_url",
    "carriername": "carrier",
    "carriercode": "carrier",
}
TOP = Vocabulary(
    frozenset({"order_id", "line_items", ENVELOPE, "tracking_number", "tracking_url", "carrier"}),
    _ANSWERED,
    {**_ORDER_SYNONYMS, **TRACKING_SYNONYMS},
)
ITEM = replace(TOP, fields=TOP.fields | {"idempotency_key"})
"""What an item of a bulk request may hold: its key as well, which alone comes in a header."""
GROUP = Vocabulary(frozenset({"order_id", "line_items"}), _ANSWERED, _ORDER_SYNONYMS)
LINE = Vocabulary(
    frozenset({"sku", "quantity"}),
    frozenset({"title", "partner", "ordered", "fulfilled", "cancelled", "remaining"}),
    {"qty": "quantity", "count": "quantity", "amount": "quantity", "itemsku": "sku", "productsku": "sku"},
)


@dataclass(frozen=True, slots=True)
class RequestedParcel:
    """What a body asks to record, every fault and leniency behind it."""

    orders: tuple[RequestedOrder, ...]
    given: Tracking


def read_create_fulfillment(
    values: dict[str, Any],
    origin: Origin,
    findings: Findings,
    *,
    idempotency_key: str | None = None,
    dry_run: bool = False,
    repeated: RepeatedTracking = RepeatedTracking.ACCEPT,
    vocabulary: Vocabulary = TOP,
) -> CreateFulfillment | Refusal:
    """The command that a request means. `findings` may hold faults already, of its headers and its query."""
    parcel = read_parcel(values, findings, vocabulary)
    if isinstance(parcel, Refusal):
        return parcel
    return create_fulfillment(
        parcel, origin, findings, idempotency_key=idempotency_key, dry_run=dry_run, repeated=repeated
    )


def read_parcel(values: dict[str, Any], findings: Findings, vocabulary: Vocabulary = TOP) -> RequestedParcel | Refusal:
    """What a body asks to record. Beside its own faults it is refused for those that were found before."""
    top = Fields(values, vocabulary, findings)
    groups = _groups(top, findings)
    number = top.text("tracking_number", TRACKING_NUMBER_CHARS_MAX, required=True)
    url = top.web_address("tracking_url", TRACKING_URL_CHARS_MAX)
    carrier = top.text("carrier", CARRIER_CHARS_MAX)
    refusal = findings.refusal()
    if refusal is not None:
        return refusal
    orders = _merged(groups)
    if isinstance(orders, Refusal):
        return orders
    return judge_sums(orders, findings) or RequestedParcel(orders, Tracking(number or "", url, carrier))


def create_fulfillment(
    parcel: RequestedParcel,
    origin: Origin,
    findings: Findings,
    *,
    idempotency_key: str | None = None,
    dry_run: bool = False,
    repeated: RepeatedTracking = RepeatedTracking.ACCEPT,
) -> CreateFulfillment:
    """The command to record it, its tracking completed, with what its sender should know."""
    given = parcel.given
    told = understood(given.number, given.url, given.carrier)
    cautions = (*findings.cautions, *told.cautions)
    return CreateFulfillment(origin, parcel.orders, told.tracking, idempotency_key, dry_run, repeated, cautions, given)


def _groups(top: Fields, findings: Findings) -> list[RequestedOrder]:
    """The orders of the request, from whichever of the two shapes it has."""
    envelope = top.value(ENVELOPE)
    if envelope is None:
        return _present([read_group(top, findings, lines_left=[LINES_MAX])])
    if top.value("order_id") is not None or top.value("line_items") is not None:
        message = f"Name orders in {ENVELOPE} or at the top, not in both."
        findings.fault("two_shapes", ENVELOPE, message)
    if not isinstance(envelope, list) or not envelope:
        findings.fault("not_a_list", ENVELOPE, f"{ENVELOPE} must be a list of at least one order.")
        return []
    if len(envelope) > LINES_MAX:
        findings.fault("too_many", ENVELOPE, f"{ENVELOPE} must name at most {LINES_MAX} orders.")
        return []
    groups, lines_left = [], [LINES_MAX]
    for index, values in enumerate(envelope):
        place = f"{ENVELOPE}[{index}]"
        if isinstance(values, dict):
            groups.append(read_group(Fields(values, GROUP, findings, place), findings, lines_left))
        else:
            findings.fault("not_an_object", place, f"{place} must be an object with order_id and line_items.")
    return _present(groups)


def _present(groups: list[RequestedOrder | None]) -> list[RequestedOrder]:
    return [group for group in groups if group is not None]


def read_group(group: Fields, findings: Findings, lines_left: list[int]) -> RequestedOrder | None:
    """One order's share; None where it is at fault. `lines_left` counts down over the whole request."""
    key = _order_key(group, findings)
    lines = read_lines(group, findings, lines_left)
    return None if key is None else requested_order(key, lines, group.at("order_id"))


def _order_key(group: Fields, findings: Findings) -> OrderKey | None:
    value = group.value("order_id")
    if value is None:
        findings.fault("required", group.at("order_id"), f"{group.at('order_id')} is required.")
        return None
    if isinstance(value, str):
        return group.text("order_id", TRACKING_NUMBER_CHARS_MAX, required=True)
    number = whole_number(value)
    if number is None or abs(number) > ID_MAX:
        message = f"{group.at('order_id')} must be the order's id (an integer) or its reference (a string)."
        findings.fault("not_an_order", group.at("order_id"), message)
        return None
    return number


def read_lines(group: Fields, findings: Findings, lines_left: list[int]) -> list[RequestedLine] | None:
    """The lines asked for; None where they are omitted. `lines_left` counts down over the whole request."""
    value, at = group.value("line_items"), group.at("line_items")
    if value is None:
        return None
    if not isinstance(value, list):
        findings.fault("not_a_list", at, f"{at} must be a list of objects with sku and quantity.")
        return []
    if not value:
        message = f"{at} is empty: name lines, or omit it for everything that remains."
        findings.fault("empty", at, message, in_lines=True)
        return []
    lines_left[0] -= len(value)
    if lines_left[0] < 0:
        findings.fault("too_many", at, f"A request may name at most {LINES_MAX} lines.")
        return []
    lines = [_line(values, f"{at}[{index}]", findings) for index, values in enumerate(value)]
    return [line for line in lines if line is not None]


def _line(values: Any, place: str, findings: Findings) -> RequestedLine | None:
    if not isinstance(values, dict):
        findings.fault("not_a_line", place, f"{place} must be an object with sku and quantity.", in_lines=True)
        return None
    line = Fields(values, LINE, findings, place)
    sku, quantity = line.sku(), line.quantity()
    return None if sku is None or quantity is None else RequestedLine(sku, quantity, place)


def judge_sums(orders: tuple[RequestedOrder, ...], findings: Findings) -> Refusal | None:
    """The quantities of one sku of one order are one quantity, wherever the request names them."""
    for order in orders:
        for line in order.lines or ():
            if line.quantity > QUANTITY_MAX:
                message = f"The quantities of one sku may add up to at most {QUANTITY_MAX}."
                findings.fault("quantity_invalid", f"{line.at}.quantity", message, in_lines=True)
    return findings.refusal()


def _merged(groups: list[RequestedOrder]) -> tuple[RequestedOrder, ...] | Refusal:
    """Groups that name one order alike as one group."""
    merged: dict[OrderKey, RequestedOrder] = {}
    for group in groups:
        known = merged.get(group.order)
        both = merge(known, group) if known else group
        if isinstance(both, Refusal):
            return both
        merged[group.order] = both
    return tuple(merged.values())
