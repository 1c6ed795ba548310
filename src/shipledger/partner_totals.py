"""What each partner's lines amount to, kept with every batch, so that a report reads a few rows and no orders.

What a batch changes is told from its lines, as they were and as it leaves them, whichever commands changed them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from shipledger.check_digit import CheckResult
from shipledger.order import Order, OrderLine
from shipledger.origin import partner_of
from shipledger.working_set import WorkingSet

OPERATORS_OWN = ""
"""Stands for a partner's name where lines are the operator's own."""

Share = tuple[int, str]
"""One partner's lines of one order: the order's id, and the partner."""

_FAILED = CheckResult.FAILED


@dataclass(slots=True)
class PartnerTotals:
    """Over all lines of a partner: what remains, in how many orders, how many were completed by their date."""

    open_quantity: int = 0
    open_orders: int = 0
    lines_on_time: int = 0
    lines_late: int = 0
    numbers: int = 0
    """Tracking numbers that it sent with new fulfillments."""
    numbers_failed: int = 0
    """Those whose check digit was wrong."""


@dataclass(slots=True)
class TotalsChange:
    """What a batch adds to the totals, by partner.

    Whether a partner's share of an order is open depends on lines that a parcel need not load: `maybe_opened` was open
    before if its stored lines say so, and `maybe_closed` still is if they say so once the batch is saved.
    """

    totals: defaultdict[str, PartnerTotals] = field(default_factory=lambda: defaultdict(PartnerTotals))
    maybe_opened: list[Share] = field(default_factory=list)
    maybe_closed: list[Share] = field(default_factory=list)

    def settle(self, open_before: Iterable[Share], open_after: Iterable[Share]) -> None:
        """Count the shares that were in doubt, given those among them that were open before, and that still are."""
        for _, partner in {*self.maybe_opened} - {*open_before}:
            self.totals[partner].open_orders += 1
        for _, partner in {*self.maybe_closed} - {*open_after}:
            self.totals[partner].open_orders -= 1


def totals_change(working_set: WorkingSet) -> TotalsChange:
    """What the batch changes."""
    change = TotalsChange()
    shares: dict[Share, tuple[int, int]] = {}
    for line in _lines(working_set):
        partner = line.partner or OPERATORS_OWN
        before, after = _remaining_before(line), line.remaining
        totals = change.totals[partner]
        totals.open_quantity += after - before
        if not (before and after):
            _count_completion(totals, line)
        share = (line.order_id, partner)
        known = shares.get(share)
        shares[share] = (before, after) if known is None else (known[0] + before, known[1] + after)
    sent = Counter([made.account for made in working_set.new_fulfillments])
    failed = Counter([made.account for made in working_set.new_fulfillments if made.tracking.check is _FAILED])
    for account, numbers in sent.items():
        totals = change.totals[partner_of(account) or OPERATORS_OWN]
        totals.numbers += numbers
        totals.numbers_failed += failed[account]
    for share, (before_it, after_it) in shares.items():
        if bool(before_it) is not bool(after_it):
            _count_share(change, share, working_set.orders[share[0]], is_open=bool(after_it))
    return change


def _lines(working_set: WorkingSet) -> Iterable[OrderLine]:
    added = {new.order.id for new in working_set.new_orders}
    for new in working_set.new_orders:
        yield from new.order.lines
    for line in working_set.changed_lines.values():
        if line.order_id not in added:
            yield line


def _remaining_before(line: OrderLine) -> int:
    """What remained of a line as it is stored; nothing of one that is not."""
    if line.stored is None:
        return 0
    fulfilled, cancelled, _ = line.stored
    return line.ordered - fulfilled - cancelled


def _count_completion(totals: PartnerTotals, line: OrderLine) -> None:
    """Count that a line was completed in time or late, or is not any more."""
    before = None if line.stored is None else line.stored[2]
    after = line.completed_on_time
    totals.lines_on_time += (after is True) - (before is True)
    totals.lines_late += (after is False) - (before is False)


def _count_share(change: TotalsChange, share: Share, order: Order, *, is_open: bool) -> None:
    """Count a share of which the changed lines were all complete, before or after."""
    if order.remaining == sum(line.remaining for line in order.lines):
        # Nothing remains on lines that were not loaded, and those that were loaded and not changed are looked at.
        unchanged = any(
            line.remaining
            for line in order.lines
            if (line.partner or OPERATORS_OWN) == share[1] and _is_as_it_was(line)
        )
        if not unchanged:
            change.totals[share[1]].open_orders += 1 if is_open else -1
    elif is_open:
        change.maybe_opened.append(share)
    else:
        change.maybe_closed.append(share)


def _is_as_it_was(line: OrderLine) -> bool:
    return line.stored is not None and _remaining_before(line) == line.remaining
