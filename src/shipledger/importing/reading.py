"""What readers say: this file cannot be read at all, or this row of it cannot be taken, and why."""

from collections.abc import Callable

from shipledger.limits import LINES_MAX, QUANTITY_MAX

NOTHING = "NULL"
"""How databases write out that there is no value."""


class Unreadable(Exception):
    """The file cannot be read as orders; the message says why and what to do."""


class Rejected(Exception):
    """A row cannot be taken. The reason is one of few sentences, so that rows can be counted by it."""

    def __init__(self, reason: str) -> None:
        """Say why."""
        super().__init__(reason)
        self.reason = reason


MALFORMED = "another number of fields than the header has (is a text with the delimiter in it not quoted?)"
QUOTE_NOT_CLOSED = "a field is too long to be read (is a quote not closed?)"
NOT_JSON = "not a JSON object"
NO_NUMBER = "no order number"
NO_LINES = "the order has no line that could be taken"
NO_HEADER = "no row of the orders file has this order number"
HEADER_REPEATED = "an earlier row of the orders file has this order number"
HEADER_REJECTED = "the row of its order was rejected: "
TOO_MANY_LINES = f"the order has more than {LINES_MAX} lines"
TOO_MUCH_OF_A_SKU = f"the quantities of one sku add up to more than {QUANTITY_MAX}"
CANCELLED = "the order is cancelled"
CANCELLATION = "a cancellation invoice"
ORDER_EXISTS = "the ledger has another order with this number"
NOT_RECORDED = "the ledger could not record the order"

Told = Callable[[int, int], object]
"""Is told how far reading has come: bytes of the file, and rows."""
