"""Orders after they came in: change, cancel, hold, release."""

from collections.abc import Callable
from functools import partial
from typing import Any

from shipledger.http.answer import Answer
from shipledger.http.call import Call
from shipledger.http.change_requests import (
    read_cancel_order,
    read_change_order,
    read_hold_order,
    read_release_order,
)
from shipledger.http.changing import answer_change
from shipledger.refusal import Reason


async def change(call: Call) -> Answer:
    """Set what is known of an order beside its lines."""
    return await _answer(call, partial(read_change_order, zone=call.services.zone))


async def cancel(call: Call) -> Answer:
    """Cancel what remains of an order, or some of it."""
    return await _answer(call, read_cancel_order)


async def hold(call: Call) -> Answer:
    """Forbid that anything of an order is fulfilled."""
    return await _answer(call, read_hold_order)


async def release(call: Call) -> Answer:
    """Allow it again."""
    return await _answer(call, read_release_order)


async def _answer(call: Call, read: Callable[..., Any]) -> Answer:
    return await answer_change(call, read, "order_id", Reason.ORDER_NOT_FOUND)
