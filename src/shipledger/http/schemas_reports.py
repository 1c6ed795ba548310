"""The shapes of reports."""

from msgspec import Struct

from shipledger.http.schemas import Moment


class OpenShare(Struct):
    """What remains of one partner's lines of an order. Without a partner they are the operator's own."""

    partner: str | None
    lines: int
    remaining: int


class LateOrder(Struct):
    """An order of which something remains after it was due."""

    order_id: int
    reference: str | None
    status: str
    on_hold: bool
    due_by: Moment
    late_by_seconds: int
    remaining: int
    partners: list[OpenShare]


class LateOrders(Struct):
    """A page of late orders, the longest first. `next_cursor` is null on the last."""

    late_orders: list[LateOrder]
    next_cursor: str | None


class PartnerReport(Struct):
    """How a partner does; null stands for the operator's own lines."""

    partner: str | None
    open_orders: int
    open_quantity: int
    lines_on_time: int
    lines_late: int
    on_time_share: float | None
    numbers: int
    numbers_failed: int
    numbers_failed_share: float | None


class PartnerReports(Struct):
    """How each partner does, the operator's own lines first."""

    partners: list[PartnerReport]
