"""What became of a parcel in the ledger that it comes from, as an export of that ledger tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from shipledger.document import told_event_document
from shipledger.fulfillment import REPORTED, FulfillmentStatus, ToldEvent
from shipledger.limits import (
    CARRIER_EVENT_LOCATION_CHARS_MAX,
    CARRIER_EVENT_MESSAGE_CHARS_MAX,
    CARRIER_EVENTS_MAX,
    ID_MAX,
    LINES_MAX,
    QUANTITY_MAX,
)
from shipledger.text import tidy
from shipledger.timestamp import Microseconds, parse, show_exactly_or_none
from shipledger.validity import text_fault


@dataclass(frozen=True, slots=True)
class ParcelPast:
    """A parcel as its ledger knows it. `id` and `recorded_at` are that ledger's; `timeline` is in its order.

    `taken_from` are positions of order lines with what was taken from each: an order may have a sku on several.
    `nth` counts parcels of one file that hold the same under one number: two of them are not one that is told twice.
    """

    id: int
    recorded_at: Microseconds
    is_cancelled: bool = False
    taken_from: tuple[tuple[int, int], ...] = ()
    timeline: tuple[ToldEvent, ...] = ()
    nth: int = 1


def parcel_past(values: Mapping[str, Any]) -> ParcelPast:
    """The past of a parcel, from the object that an export writes. Raises ValueError with what is wrong with it."""
    status = _status(values.get("status"))
    timeline = tuple(_told(event) for event in _objects(values, "events", CARRIER_EVENTS_MAX))
    is_cancelled = status is FulfillmentStatus.CANCELLED
    if not timeline and not is_cancelled and status is not FulfillmentStatus.CREATED:
        timeline = (ToldEvent(status),)
    taken = _objects(values, "taken_from", LINES_MAX)
    return ParcelPast(
        id=_number(values, "id", 1, ID_MAX),
        recorded_at=_moment(values, "created_at"),
        is_cancelled=is_cancelled,
        taken_from=tuple(
            (_number(p, "position", 0, LINES_MAX), _number(p, "quantity", 1, QUANTITY_MAX)) for p in taken
        ),
        timeline=timeline,
        nth=_number({"nth": 1, **values}, "nth", 1, ID_MAX),
    )


def past_document(past: ParcelPast) -> dict[str, Any]:
    """The same as an object again."""
    return {
        "id": past.id,
        "created_at": show_exactly_or_none(past.recorded_at),
        "status": str(FulfillmentStatus.CANCELLED if past.is_cancelled else FulfillmentStatus.CREATED),
        "taken_from": [{"position": position, "quantity": quantity} for position, quantity in past.taken_from],
        "events": [told_event_document(event) for event in past.timeline],
        "nth": past.nth,
    }


def _told(event: Mapping[str, Any]) -> ToldEvent:
    status = _status(event.get("status"))
    if status not in REPORTED:
        raise ValueError("an event's status is none that a parcel has on its way")
    occurred_at = None if event.get("occurred_at") is None else _moment(event, "occurred_at")
    message = _text(event, "message", CARRIER_EVENT_MESSAGE_CHARS_MAX)
    return ToldEvent(status, occurred_at, message, _text(event, "location", CARRIER_EVENT_LOCATION_CHARS_MAX))


def _status(value: Any) -> FulfillmentStatus:
    if not isinstance(value, str) or value not in list(FulfillmentStatus):
        raise ValueError("the status is none of a fulfillment's")
    return FulfillmentStatus(value)


def _objects(values: Mapping[str, Any], name: str, count_max: int) -> list[Mapping[str, Any]]:
    found = values.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or len(found) > count_max or not all(isinstance(one, dict) for one in found):
        raise ValueError(f"{name} is not a list of up to {count_max} objects")
    return found


def _number(values: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = values.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"the {name} is not a whole number from {least} to {most}")
    return value


def _moment(values: Mapping[str, Any], name: str) -> Microseconds:
    try:
        return parse(str(values.get(name)), UTC)
    except ValueError as error:
        raise ValueError(f"the {name} {error}") from None


def _text(values: Mapping[str, Any], name: str, chars_max: int) -> str | None:
    value = values.get(name)
    text = tidy(value) if isinstance(value, str) else ""
    fault = text_fault(text, chars_max, prose=True)
    if fault is not None or not isinstance(value, str | None):
        raise ValueError(f"the {name} {fault[1] if fault else 'is not a text'}")
    return text or None
