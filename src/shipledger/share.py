"""One order's share of a request: what is asked of it, and the lines that this may be taken from."""

import itertools
from collections.abc import Iterable

from shipledger.command import RequestedLine, RequestedOrder
from shipledger.order import Order, OrderLine
from shipledger.refusal import Detail, Reason, Refusal
from shipledger.value import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """An order, what is asked of it, and the lines that the asker may take from, by sku and in order."""

    order: Order
    asked: RequestedOrder
    lines: dict[str, list[OrderLine]]

    @property
    def all_lines(self) -> Iterable[OrderLine]:
        return itertools.chain.from_iterable(self.lines.values())


def share_of(order: Order, asked: RequestedOrder, partner: str | None) -> Share:
    """What a partner (None: the operator) asks of an order, and those of its loaded lines that it may take from."""
    lines: dict[str, list[OrderLine]] = {}
    for line in order.lines:
        if partner is None or line.partner == partner:
            lines.setdefault(line.sku, []).append(line)
    return Share(order, asked, lines)


def check_skus(shares: list[Share]) -> Refusal | None:
    """Refuse skus that their order has not, or not for the asker."""
    message = "The order has no line with this sku."
    details = [
        Detail("unknown_sku", f"{line.at}.sku", message, line.sku, line.quantity, 0, order_id=share.order.id)
        for share in shares
        for line in share.asked.lines or ()
        if line.sku not in share.lines
    ]
    return Refusal(Reason.INVALID_LINES, tuple(details)) if details else None


def check_quantities(shares: list[Share]) -> Refusal | None:
    """Refuse more than remains."""
    details = []
    for share in shares:
        if share.asked.lines is None and not any(line.remaining for line in share.all_lines):
            message = "Nothing of the order remains to be fulfilled."
            details.append(Detail("nothing_remaining", share.asked.at, message, remaining=0))
        for asked in share.asked.lines or ():
            remaining = sum([line.remaining for line in share.lines[asked.sku]])
            if asked.quantity > remaining:
                details.append(_too_many(asked, remaining))
    return Refusal(Reason.INVALID_LINES, tuple(details)) if details else None


def _too_many(asked: RequestedLine, remaining: int) -> Detail:
    if remaining:
        code, message = "quantity_exceeds_remaining", f"Only {remaining} of this sku remain to be fulfilled."
    else:
        code, message = "nothing_remaining", "Nothing of this sku remains to be fulfilled."
    return Detail(code, f"{asked.at}.quantity", message, asked.sku, asked.quantity, remaining)


def take(share: Share) -> list[tuple[OrderLine, int]]:
    """What to take from each line, in the order's order (as it is stored): lines of one sku are filled one by one."""
    if share.asked.lines is None:
        lines = sorted(share.all_lines, key=lambda line: line.position)
        return [(line, line.remaining) for line in lines if line.remaining]
    taken = []
    for asked in share.asked.lines:
        wanted = asked.quantity
        for line in share.lines[asked.sku]:
            quantity = min(wanted, line.remaining)
            if quantity:
                taken.append((line, quantity))
                wanted -= quantity
    if len(taken) > 1:
        taken.sort(key=lambda part: part[0].position)
    return taken
