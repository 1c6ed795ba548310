"""Fulfillments after they were made: correct the tracking, cancel, and the timeline of the parcel."""

from collections.abc import Callable
from functools import partial
from typing import Any

from shipledger.http.answer import Answer, json_answer
from shipledger.http.call import Call
from shipledger.http.change_requests import read_cancel_fulfillment, read_carrier_event, read_change_tracking
from shipledger.http.changing import answer_change
from shipledger.http.parameters import not_found, path_id, require_known_parameters
from shipledger.refusal import Reason


async def change(call: Call) -> Answer:
    """Correct how a parcel is followed."""
    return await _answer(call, read_change_tracking)


async def cancel(call: Call) -> Answer:
    """Take a fulfillment back."""
    return await _answer(call, read_cancel_fulfillment)


async def add_event_to(call: Call) -> Answer:
    """Put an event on the timeline of a parcel."""
    return await _answer(call, partial(read_carrier_event, zone=call.services.zone))


async def list_events_of(call: Call) -> Answer:
    """The timeline of a parcel, the latest event first: it is short enough for one page."""
    require_known_parameters(call, frozenset())
    events = await call.read(call.services.reading.timeline, path_id(call, Reason.NOT_FOUND), call.origin.partner)
    if events is None:
        raise not_found(Reason.NOT_FOUND)
    return json_answer({"events": events, "next_cursor": None})


async def _answer(call: Call, read: Callable[..., Any]) -> Answer:
    return await answer_change(call, read, "fulfillment_id", Reason.NOT_FOUND)
