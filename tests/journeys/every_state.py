"""A ledger with everything that can become of orders and their parcels."""

from contextlib import closing
from dataclasses import replace

from shipledger.boot.ledgers import Database, migrate, open_ledger
from shipledger.command import (
    AddCarrierEvent,
    CancelFulfillment,
    CancelOrder,
    ChangeOrder,
    ChangeTracking,
    Command,
    CreateFulfillment,
    CreateOrder,
    HoldOrder,
    Origin,
    RequestedLine,
)
from shipledger.commit.batch import commit_batch
from shipledger.fulfillment import FulfillmentStatus, Tracking
from shipledger.order import OrderContent, OrderedLine
from shipledger.outcome import Done
from shipledger.storage.port import Ledger
from shipledger.timestamp import MICROSECONDS_A_SECOND
from tests.commit.commands import NOW, ORIGIN, order, ship

PARTNER = Origin("partner:north", "north", "a key", 7, "request")
A_OF_NORTH = (OrderedLine("A", 2), OrderedLine("A", 3, "Of north", "north"), OrderedLine("B", 1))

SKUS_ON_SEVERAL_LINES = {"40", "41", "42"}
"""Orders of which a parcel does not tell by its skus alone what it took from where."""


def fill_with_every_state(database: Database) -> None:
    migrate(database)
    with closing(open_ledger(database)) as ledger:
        _Filling(ledger).fill()


class _Filling:
    """Each request is a second after the one before it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._now = NOW + 250_000

    def fill(self) -> None:
        self._orders_that_were_stopped()
        self._parcels_on_their_way()
        self._parcels_that_are_alike()
        self._lines_of_one_sku()
        self._texts_of_every_kind()

    def _do(self, command: Command) -> int:
        """Have it done; returns the id of what was made."""
        self._now += MICROSECONDS_A_SECOND
        (done,) = commit_batch(self._ledger, [command], self._now)
        assert isinstance(done, Done), done
        return done.made_id or 0

    def _order(self, order_id: int | None) -> int:
        reference = None if order_id is None else f"#{order_id}"
        return self._do(order(order_id, ("A", 5), ("B", 3), reference=reference))

    def _tell(self, made: int, status: str, second: float, message: str | None = None) -> None:
        at = NOW + round(second * MICROSECONDS_A_SECOND)
        self._do(AddCarrierEvent(ORIGIN, made, FulfillmentStatus(status), at, message, "Köln"))

    def _orders_that_were_stopped(self) -> None:
        for order_id in range(1, 10):
            self._order(order_id)
        self._order(None)
        self._do(_cancel(1, ("A", 1)))
        self._do(_cancel(2, ("A", 1), ("B", 2)))
        self._do(ship(2, number="all the rest"))
        self._do(CancelOrder(ORIGIN, 3))
        shipped = self._do(ship(4, ("A", 2), number="before the end"))
        given_up = self._do(ship(4, ("B", 3), number="before the end, too"))
        self._do(CancelOrder(ORIGIN, 4))
        self._do(CancelFulfillment(ORIGIN, given_up))
        self._tell(shipped, "delivered", 40)
        self._do(ship(5, ("A", 1)))
        self._do(HoldOrder(ORIGIN, 5, "The address is wrong 🙈"))
        self._do(ship(6))
        self._do(CancelOrder(ORIGIN, 6))
        self._do(_cancel(7, ("A", 5), ("B", 3)))
        self._do(ship(8, ("A", 5)))
        self._do(HoldOrder(ORIGIN, 8, "twice stopped"))
        self._do(CancelOrder(ORIGIN, 8))
        self._do(ChangeOrder(ORIGIN, 9, {"reference": "#nine", "metadata": {"gift": [1, None]}, "ship_by": NOW + 1}))

    def _parcels_on_their_way(self) -> None:
        self._order(20)
        made = [self._do(ship(20, ("A", 1), number=f"W{at}")) for at in range(5)]
        self._tell(made[0], "in_transit", 1, "It left.")
        self._tell(made[1], "delivered", 3)
        self._tell(made[1], "returned", 9, "Refused at the door.")
        self._tell(made[1], "out_for_delivery", 2)
        self._tell(made[2], "failed", 5.9)
        self._tell(made[2], "in_transit", 5.2)
        self._tell(made[3], "in_transit", 1)
        self._do(CancelFulfillment(ORIGIN, made[3]))
        corrected = {"number": "1ZE356F8YW01937117"}
        self._do(ChangeTracking(ORIGIN, made[4], corrected))  # type: ignore[arg-type]
        ours = Tracking("ours", "https://example.com/track?ours", "Bike of Ours")
        self._do(replace(ship(20, ("B", 1)), tracking=ours))

    def _parcels_that_are_alike(self) -> None:
        self._order(30)
        for _ in range(2):
            self._do(CancelFulfillment(ORIGIN, self._do(ship(30, ("A", 1), number="again"))))
        for _ in range(2):
            self._do(ship(30, ("A", 1), number="again"))
        self._do(ship(30, ("B", 1), number="again"))
        self._do(CancelFulfillment(ORIGIN, self._do(ship(30, ("A", 3), ("B", 2), number="too much"))))
        self._do(ship(30, ("A", 3), ("B", 2), number="again, and all"))

    def _texts_of_every_kind(self) -> None:
        lines = (OrderedLine("-A", 2, "=1+1"), OrderedLine('Ä, "b"', 1, "'quoted'"))
        content = OrderContent(
            id=50,
            lines=lines,
            reference="@50",
            channel="shop",
            email="a@example.com",
            shipping_address={"city": "Köln", "lines": ["=x", None]},
            shipping_service="express",
            ship_by=NOW + 123_456,
            deliver_by=NOW + 10**12,
            metadata={"a": 1.5, "b": [True, {"c": "d"}]},
        )
        self._do(CreateOrder(ORIGIN, content))
        self._do(ship(50, ("-A", 1), number="+49 1"))

    def _lines_of_one_sku(self) -> None:
        for order_id in (40, 41, 42):
            self._do(CreateOrder(ORIGIN, OrderContent(order_id, A_OF_NORTH)))
        self._do(_by_north(ship(40, ("A", 2), number="N1")))
        first = self._do(ship(41, ("A", 2), number="O1"))
        self._do(ship(41, ("A", 2), number="O2"))
        self._do(CancelFulfillment(ORIGIN, first))
        self._do(_by_north(ship(42, ("A", 1), number="N2")))
        self._do(ship(42, ("A", 1), number="O3"))
        self._do(_cancel(42, ("A", 2)))


def _by_north(command: CreateFulfillment) -> CreateFulfillment:
    return replace(command, origin=PARTNER)


def _cancel(order_id: int, *lines: tuple[str, int]) -> CancelOrder:
    asked = tuple(RequestedLine(sku, quantity, "line_items") for sku, quantity in lines)
    return CancelOrder(ORIGIN, order_id, asked)
