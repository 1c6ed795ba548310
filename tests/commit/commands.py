"""Commands and ledgers for tests that go below HTTP."""

from pathlib import Path

from shipledger.boot.ledgers import migrate
from shipledger.command import OPERATOR, CreateFulfillment, CreateOrder, OrderKey, Origin, RequestedLine, RequestedOrder
from shipledger.fulfillment import Tracking
from shipledger.order import OrderContent, OrderedLine
from shipledger.storage.sqlite import SqliteLedger

ORIGIN = Origin(account=OPERATOR, partner=None, actor="test", key_id=None, request_id="test")
NOW = 1_700_000_000_000_000


def order(order_id: int | None, *lines: tuple[str, int], reference: str | None = None) -> CreateOrder:
    """An order of skus and quantities."""
    ordered = tuple(OrderedLine(sku, quantity) for sku, quantity in lines)
    return CreateOrder(ORIGIN, OrderContent(order_id, ordered, reference))


def ship(order_key: OrderKey, *lines: tuple[str, int], number: str = "1Z", key: str | None = None) -> CreateFulfillment:
    """A parcel of one order: these skus and quantities, or, where none are named, all that remains."""
    asked = tuple(RequestedLine(sku, quantity, f"line_items[{at}]") for at, (sku, quantity) in enumerate(lines))
    share = RequestedOrder(order_key, asked or None, "order_id")
    return CreateFulfillment(ORIGIN, (share,), Tracking(number), key)


def new_ledger(path: Path) -> SqliteLedger:
    """An embedded ledger with a current schema."""
    migrate(path)
    return SqliteLedger(path)
