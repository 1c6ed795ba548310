"""What a sender believes to have shipped, held against what the ledger recorded. Nothing is written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from shipledger.command import OrderKey
from shipledger.document import Document, fulfillment_document
from shipledger.fulfillment import Fulfillment, FulfillmentStatus, summed
from shipledger.timestamp import Microseconds

Parcel = tuple[int, str]
"""An order's id, and a tracking number."""


@dataclass(frozen=True, slots=True)
class Believed:
    """A fulfillment as its sender names it, at this place of the request. Lines and status count where given."""

    index: int
    order: OrderKey
    number: str
    quantities: dict[str, int] | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Reconcile:
    """What is asked: these fulfillments, and what was recorded from the first moment to the last, both included.

    `account` is whose fulfillments are looked at; None for those of all.
    """

    first: Microseconds
    last: Microseconds
    believed: tuple[Believed, ...]
    account: str | None


@dataclass(slots=True)
class Recorded:
    """What the ledger has: of the parcels that are named, whenever they were recorded, and of the time that is named.

    `order_ids` are the orders that were found by the names in the request.
    """

    order_ids: dict[OrderKey, int] = field(default_factory=dict)
    named: Sequence[Fulfillment] = ()
    in_range: Sequence[Fulfillment] = ()


def reconcile(asked: Reconcile, recorded: Recorded) -> Document:
    """What is missing (believed, not recorded), extra (recorded, not named) and different."""
    parcels = _by_parcel(recorded.named)
    missing, different, named, equal = [], [], set(), 0
    for believed in _merged(asked.believed):
        order_id = recorded.order_ids.get(believed.order)
        found = parcels.get((order_id, believed.number), []) if order_id is not None else []
        if order_id is None or not found:
            missing.append(_shown(believed))
            continue
        named.add((order_id, believed.number))
        differences = _differences(believed, found)
        if differences:
            documents = [fulfillment_document(fulfillment) for fulfillment in found]
            different.append({**_shown(believed), "differences": differences, "recorded": documents})
        else:
            equal += 1
    standing = [fulfillment for fulfillment in recorded.in_range if _stands(fulfillment)]
    extra = [fulfillment_document(made) for made in standing if (made.order_id, made.tracking.number) not in named]
    counts = {
        "named": len(missing) + len(different) + equal,
        "recorded": len(standing),
        "equal": equal,
        "missing": len(missing),
        "extra": len(extra),
        "different": len(different),
    }
    return {"counts": counts, "missing": missing, "extra": extra, "different": different}


def _by_parcel(fulfillments: Iterable[Fulfillment]) -> dict[Parcel, list[Fulfillment]]:
    """The fulfillments of each parcel: those that stand, or, where none does, those that were cancelled."""
    every: dict[Parcel, list[Fulfillment]] = {}
    for fulfillment in fulfillments:
        every.setdefault((fulfillment.order_id, fulfillment.tracking.number), []).append(fulfillment)
    return {parcel: [made for made in found if _stands(made)] or found for parcel, found in every.items()}


def _merged(believed: Iterable[Believed]) -> Iterable[Believed]:
    """Entries of one order and tracking number are one parcel, named where the first of them is."""
    merged: dict[tuple[OrderKey, str], Believed] = {}
    for one in believed:
        known = merged.get((one.order, one.number))
        merged[one.order, one.number] = one if known is None else _together(known, one)
    return merged.values()


def _together(first: Believed, second: Believed) -> Believed:
    if first.quantities is None or second.quantities is None:
        return first
    quantities = summed([*first.quantities.items(), *second.quantities.items()])
    return Believed(first.index, first.order, first.number, quantities, first.status)


def _differences(believed: Believed, found: Sequence[Fulfillment]) -> list[str]:
    differences = []
    recorded = summed(part for fulfillment in found for part in fulfillment.quantities().items())
    if believed.quantities is not None and believed.quantities != recorded:
        differences.append("line_items")
    is_cancelled = not any(_stands(fulfillment) for fulfillment in found)
    if believed.status is None:
        is_another = is_cancelled
    else:
        is_another = any(str(fulfillment.status) != believed.status for fulfillment in found)
    return [*differences, "status"] if is_another else differences


def _stands(fulfillment: Fulfillment) -> bool:
    return fulfillment.status is not FulfillmentStatus.CANCELLED


def _shown(believed: Believed) -> dict[str, Any]:
    return {"index": believed.index, "order_id": believed.order, "tracking_number": believed.number}
