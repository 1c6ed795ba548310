"""What a file says of an order as a whole, by the same rules as those of `POST /v1/orders`. Raises Rejected."""

from datetime import tzinfo
from typing import Any

import msgspec

from shipledger.importing.moments import moment_field
from shipledger.importing.reading import NO_NUMBER, NOTHING, Rejected
from shipledger.limits import (
    ADDRESS_BYTES_MAX,
    CHANNEL_CHARS_MAX,
    EMAIL_CHARS_MAX,
    ID_MAX,
    METADATA_BYTES_MAX,
    REFERENCE_CHARS_MAX,
    SHIPPING_SERVICE_CHARS_MAX,
)
from shipledger.order import OrderContent
from shipledger.text import tidy
from shipledger.validity import text_fault

_encode = msgspec.json.Encoder().encode


def order_from_values(values: dict[str, Any], zone: tzinfo) -> OrderContent:
    """An order without its lines, from an object in the shape of `POST /v1/orders`.

    One with neither id nor reference could not be told from a new one when its file is imported again.
    """
    content = OrderContent(
        id=_id(values.get("id")),
        lines=(),
        reference=_text(values, "reference", REFERENCE_CHARS_MAX),
        channel=_text(values, "channel", CHANNEL_CHARS_MAX),
        email=_text(values, "email", EMAIL_CHARS_MAX),
        shipping_address=_object(values, "shipping_address", ADDRESS_BYTES_MAX),
        shipping_service=_text(values, "shipping_service", SHIPPING_SERVICE_CHARS_MAX, prose=True),
        ship_by=_moment(values, "ship_by", zone),
        deliver_by=_moment(values, "deliver_by", zone),
        metadata=_object(values, "metadata", METADATA_BYTES_MAX),
    )
    if content.id is None and content.reference is None:
        raise Rejected(NO_NUMBER)
    return content


def id_of_number(number: str) -> int | None:
    """The id that an order number is: digits as a number is written, in the range of ids. 007 is no id."""
    if number.isascii() and number.isdigit() and not number.startswith("0") and len(number) <= len(str(ID_MAX)):
        return int(number) if int(number) <= ID_MAX else None
    return None


def _id(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= ID_MAX:
        raise Rejected(f"the order's id is not an integer from 1 to {ID_MAX}")
    return value


def _text(values: dict[str, Any], name: str, chars_max: int, *, prose: bool = False) -> str | None:
    value = values.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Rejected(f"{name} must be a text")
    text = tidy(value)
    if text in {"", NOTHING}:
        return None
    fault = text_fault(text, chars_max, prose=prose)
    if fault is not None:
        raise Rejected(f"{name} {fault[1]}")
    return text


def _moment(values: dict[str, Any], name: str, zone: tzinfo) -> int | None:
    text = _text(values, name, 64)
    return None if text is None else moment_field(name, text, zone)


def _object(values: dict[str, Any], name: str, bytes_max: int) -> dict[str, Any] | None:
    value = values.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Rejected(f"{name} must be a JSON object")
    encoded = _encode(value)
    if len(encoded) > bytes_max:
        raise Rejected(f"{name} must be at most {bytes_max} bytes of JSON")
    if b"\\u0000" in encoded:
        raise Rejected(f"{name} must not hold the character U+0000")
    return value
