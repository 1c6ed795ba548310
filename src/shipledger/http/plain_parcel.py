"""The request that nearly every sender makes, read in a quarter of the time: one order, in the published types.

What it does not know, wrong or merely unusual, it leaves to `fulfillment_request.py`, which alone names faults and is
lenient. What it does read, that reads alike.
"""

from typing import Any

import msgspec

from shipledger.command import OrderKey, RequestedLine, RequestedOrder, requested_order
from shipledger.fulfillment import Tracking
from shipledger.http.body import json_object
from shipledger.http.fields import Findings, is_web_address
from shipledger.http.fulfillment_request import RequestedParcel
from shipledger.http.parameters import read_key
from shipledger.limits import (
    CARRIER_CHARS_MAX,
    ID_MAX,
    LINES_MAX,
    QUANTITY_MAX,
    SKU_CHARS_MAX,
    TRACKING_NUMBER_CHARS_MAX,
    TRACKING_URL_CHARS_MAX,
)
from shipledger.text import tidy
from shipledger.validity import text_fault


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    sku: str
    quantity: int


class _Item(msgspec.Struct, forbid_unknown_fields=True):
    """What is absent is empty here. What was sent and is empty is not known: its name would be one too many."""

    order_id: int | str
    tracking_number: str
    line_items: list[_Line] = []
    tracking_url: str = ""
    carrier: str = ""
    idempotency_key: str = ""


def parcel_or_object(body: bytes) -> RequestedParcel | dict[str, Any]:
    """The parcel that a body asks to record, or else the JSON object that it is. Raises Refused (400)."""
    return plain_parcel(body) or json_object(body)


def plain_parcel(body: bytes) -> RequestedParcel | None:
    """The parcel that a body asks to record; None where that is for `fulfillment_request.py` to tell."""
    parcel, key = plain_item(body) or (None, None)
    return parcel if key is None else None


def plain_item(text: bytes) -> tuple[RequestedParcel, str | None] | None:
    """The same for an item of a bulk request, which may hold its key."""
    try:
        asked = _decode(text)
    except ValueError:
        return None
    # An escape may write a colon without one.
    if text.count(b":") != _colons(asked) or b"\\" in text:
        return None
    key = asked.idempotency_key and read_key(asked.idempotency_key, "idempotency_key", Findings())
    share, given = _share(asked), _given(asked)
    if key is None or share is None or given is None:
        return None
    return RequestedParcel((share,), given), key or None


def _colons(asked: _Item) -> int:
    """How many there are, unless a name occurs twice, of which the decoder keeps the last, or a text holds one.

    Beside a name, only an address and a key usually do.
    """
    count = 2
    if asked.line_items:
        count += 1 + 2 * len(asked.line_items)
    if asked.tracking_url:
        count += 1 + asked.tracking_url.count(":")
    if asked.carrier:
        count += 1
    if asked.idempotency_key:
        count += 1 + asked.idempotency_key.count(":")
    return count


def _share(asked: _Item) -> RequestedOrder | None:
    key = _order_key(asked.order_id)
    if key is None or len(asked.line_items) > LINES_MAX:
        return None
    if not asked.line_items:
        return RequestedOrder(key, None, "order_id")
    lines = []
    for index, line in enumerate(asked.line_items):
        sku = _text(line.sku, SKU_CHARS_MAX)
        if not sku or not 1 <= line.quantity <= QUANTITY_MAX:
            return None
        lines.append(RequestedLine(sku, line.quantity, f"line_items[{index}]"))
    if len(lines) == 1:
        return RequestedOrder(key, tuple(lines), "order_id")
    share = requested_order(key, lines, "order_id")
    return None if any(line.quantity > QUANTITY_MAX for line in share.lines or ()) else share


def _order_key(value: int | str) -> OrderKey | None:
    if isinstance(value, str):
        return _text(value, TRACKING_NUMBER_CHARS_MAX) or None
    return value if abs(value) <= ID_MAX else None


def _given(asked: _Item) -> Tracking | None:
    number = _text(asked.tracking_number, TRACKING_NUMBER_CHARS_MAX)
    url = _text(asked.tracking_url, TRACKING_URL_CHARS_MAX) if asked.tracking_url else None
    carrier = _text(asked.carrier, CARRIER_CHARS_MAX) if asked.carrier else None
    if not number or url == "" or carrier == "" or (url is not None and not is_web_address(url)):
        return None
    return Tracking(number, url, carrier)


def _text(text: str, chars_max: int) -> str:
    """A text as it is stored, blank where it is at fault."""
    text = tidy(text)
    return "" if text_fault(text, chars_max) else text


_decode = msgspec.json.Decoder(_Item).decode
