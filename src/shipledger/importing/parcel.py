"""What a file says of a parcel: one order and one tracking number."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from shipledger.command import OrderKey
from shipledger.fulfillment import Tracking
from shipledger.importing.reading import NO_NUMBER, NOTHING, Rejected
from shipledger.limits import CARRIER_CHARS_MAX, REFERENCE_CHARS_MAX, TRACKING_NUMBER_CHARS_MAX, TRACKING_URL_CHARS_MAX
from shipledger.order import OrderedLine
from shipledger.text import tidy
from shipledger.validity import text_fault

NO_TRACKING_NUMBER = "no tracking number"
NOT_A_WEB_ADDRESS = "the tracking_url is not an http or https URL"


@dataclass(frozen=True, slots=True)
class ParcelContent:
    """A parcel. `id` is there to sort by, and parcels have none: they stay in the order of the file."""

    order: OrderKey
    tracking: Tracking
    lines: tuple[OrderedLine, ...] = ()
    id: int | None = None

    @property
    def name(self) -> str:
        """What is the same for all rows of the parcel, and for no others."""
        return parcel_name(self.order, self.tracking.number)


def parcel_name(order: OrderKey, number: str) -> str:
    """No order's name and no tracking number holds control characters."""
    return f"{type(order).__name__}\x1f{order}\x1f{number}"


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
