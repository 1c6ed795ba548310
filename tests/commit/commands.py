"""Commands and ledgers for tests that go below HTTP."""

from collections.abc import Sequence
from pathlib import Path

from shipledger.boot.ledgers import migrate
from shipledger.command import (
    OPERATOR,
    AllOrNone,
    Command,
    CreateFulfillment,
    CreateOrder,
    OrderKey,
    Origin,
    RequestedLine,
    RequestedOrder,
)
from shipledger.commit.batch_committer import Answer, BatchCommitter, Bulk, Handful
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


def hand_in_handful(committer: BatchCommitter, commands: Sequence[Command], answer: Answer) -> None:
    """As a process that receives single requests does."""
    committer.hand_in(lambda: [Handful(commands, answer)])


def hand_in_bulk(committer: BatchCommitter, commands: Sequence[Command] | AllOrNone, answer: Answer) -> None:
    """As a process that receives a part of a bulk request does."""
    committer.hand_in(lambda: [Bulk(commands, answer)])
