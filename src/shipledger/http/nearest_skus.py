"""What a sku that an order has not may have meant."""

import difflib

from shipledger.http.call import Call
from shipledger.limits import NEAREST_SKU_LOOKUPS_MAX
from shipledger.refusal import Refusal


async def nearest_skus(call: Call, refusal: Refusal) -> dict[tuple[int, str], str]:
    """A suggestion for the first unknown skus: looked up after the batch, so that no other request waits for it."""
    unknown = [
        (detail.order_id, detail.sku)
        for detail in refusal.details
        if detail.order_id is not None and detail.sku is not None
    ]
    return await call.read(_look_up_nearest, call, unknown[:NEAREST_SKU_LOOKUPS_MAX]) if unknown else {}


def _look_up_nearest(call: Call, unknown: list[tuple[int, str]]) -> dict[tuple[int, str], str]:
    skus = {order_id: call.services.reading.skus(order_id, call.origin.partner) for order_id, _ in unknown}
    nearest = {}
    for order_id, sku in unknown:
        near = difflib.get_close_matches(sku, skus[order_id], n=1)
        if near:
            nearest[order_id, sku] = near[0]
    return nearest
