"""What a file says of a parcel: one order and one tracking number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shipledger.command import OrderKey
from shipledger.file_import import parcel_key
from shipledger.fulfillment import Tracking, summed
from shipledger.importing.reading import NO_NUMBER, NOTHING, Rejected
from shipledger.limits import CARRIER_CHARS_MAX, REFERENCE_CHARS_MAX, TRACKING_NUMBER_CHARS_MAX, TRACKING_URL_CHARS_MAX
from shipledger.order import OrderedLine
from shipledger.past import ParcelPast, parcel_past
from shipledger.text import tidy
from shipledger.validity import text_fault

NO_TRACKING_NUMBER = "no tracking number"
_EXPORTED = {"id", "order_id", "status", "tracking_number", "created_at", "carrier", "tracking_url"}
"""What our exports say of every parcel, and other programs by other names."""
NOT_A_WEB_ADDRESS = "the tracking_url is not an http or https URL"


@dataclass(frozen=True, slots=True)
class ParcelContent:
    """A parcel. `id` is there to sort by: those of another ledger come in its order, others stay in the file's."""

    order: OrderKey
    tracking: Tracking
    lines: tuple[OrderedLine, ...] = ()
    id: int | None = None
    past: ParcelPast | None = None

    @property
    def name(self) -> str:
        """What is the same for all rows of the parcel, and for no others."""
        return parcel_name(self.order, self.tracking.number, self.id)

    def likeness(self) -> str:
        """What is the same for parcels that hold the same and stand the same."""
        is_cancelled = self.past is not None and self.past.is_cancelled
        quantities = summed((line.sku, line.quantity) for line in self.lines)
        return f"{is_cancelled} {parcel_key(self.order, self.tracking.number, quantities.items())}"


def parcel_name(order: OrderKey, number: str, id_elsewhere: int | None = None) -> str:
    """No order's name and no tracking number holds control characters."""
    return f"{type(order).__name__}\x1f{order}\x1f{number}\x1f{id_elsewhere or ''}"


def order_name(text: str) -> str:
    """An order's reference, or its id in digits. Raises Rejected."""
    return _text(text, "the order number", REFERENCE_CHARS_MAX) or _reject(NO_NUMBER)


def tracking_number(text: str) -> str:
    """A tracking number, whatever it looks like. Raises Rejected."""
    return _text(text, "the tracking number", TRACKING_NUMBER_CHARS_MAX) or _reject(NO_TRACKING_NUMBER)


def tracking_of(number: str, url: str, carrier: str) -> Tracking:
    """A number with its page and its carrier, where they are given. Raises Rejected."""
    page = _text(url, "the tracking_url", TRACKING_URL_CHARS_MAX)
    if page is not None and not _is_web_address(page):
        raise Rejected(NOT_A_WEB_ADDRESS)
    return Tracking(number, page, _text(carrier, "the carrier", CARRIER_CHARS_MAX))


def past_of(values: Mapping[str, Any]) -> ParcelPast | None:
    """What became of a parcel, where an export of ours tells. Raises Rejected."""
    if not values.keys() >= _EXPORTED:
        return None
    try:
        return parcel_past(values)
    except ValueError as error:
        raise Rejected(str(error)) from None


def _text(text: str, what: str, chars_max: int) -> str | None:
    text = tidy(text)
    if text in {"", NOTHING}:
        return None
    fault = text_fault(text, chars_max)
    if fault is not None:
        raise Rejected(f"{what} {fault[1]}")
    return text


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not any(c.isspace() for c in text)


def _reject(reason: str) -> str:
    raise Rejected(reason)
