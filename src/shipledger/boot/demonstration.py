"""The orders that the demonstration begins with."""

from pathlib import Path

from shipledger.boot.ledgers import clock, migrate
from shipledger.command import OPERATOR, CreateOrder, Origin
from shipledger.commit.batch import commit_batch
from shipledger.order import OrderContent, OrderedLine
from shipledger.outcome import Fault
from shipledger.storage.ledger_lock import LedgerLock
from shipledger.storage.sqlite import SqliteLedger
from shipledger.timestamp import MICROSECONDS_A_SECOND

_DAY = 24 * 60 * 60 * MICROSECONDS_A_SECOND
_ORIGIN = Origin(account=OPERATOR, partner=None, actor="demo", key_id=None, request_id="demo")


def sample_orders(now: int) -> list[OrderContent]:
    """Orders for each curl line that the demonstration prints; the first is the published page's."""
    return [
        OrderContent(
            450789469, (OrderedLine("RPBF24-1941", 1, "Running belt"),), reference="#450789469", deliver_by=now + _DAY
        ),
        OrderContent(
            1001,
            (
                OrderedLine("MUG-BLUE", 2, "Mug, blue"),
                OrderedLine("MUG-BLUE", 1, "Mug, blue (gift)"),
                OrderedLine("TEE-M", 3),
            ),
            reference="#1001",
            channel="web",
            ship_by=now + _DAY,
            deliver_by=now + 4 * _DAY,
        ),
        OrderContent(
            1002,
            (OrderedLine("730143", 4, "Boxed cable"), OrderedLine("CAP-RED", 2, "Cap, red", partner="acme")),
            reference="AMZ-112-4410921-9921",
            channel="amazon",
            deliver_by=now - _DAY,
        ),
        OrderContent(1003, (OrderedLine("SOAP-3", 6, "Soap, three bars"),), reference="#1003"),
        OrderContent(1004, (OrderedLine("SOAP-3", 1), OrderedLine("TOWEL", 1, "Towel")), reference="#1004"),
    ]


def record_sample_orders(database: Path) -> None:
    """Record the sample orders in a ledger, made where there is none; in one that has them nothing changes.

    Raises LedgerInUse and SchemaError.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    lock = LedgerLock(database)
    try:
        migrate(database)
        ledger = SqliteLedger(database)
        try:
            now = clock()
            commands = [CreateOrder(_ORIGIN, content) for content in sample_orders(now)]
            for outcome in commit_batch(ledger, commands, now):
                if isinstance(outcome, Fault):
                    raise outcome
        finally:
            ledger.close()
    finally:
        lock.release()
