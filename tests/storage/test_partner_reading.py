"""What a partner reads: its own lines and what follows from them, page by page, on every database."""

from dataclasses import replace
from typing import Any

import pytest

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
    ReleaseOrder,
    RequestedLine,
)
from shipledger.commit.batch import commit_batch
from shipledger.fulfillment import FulfillmentStatus
from shipledger.needs import needs_of
from shipledger.order import OrderContent, OrderedLine
from shipledger.outcome import Done
from shipledger.refusal import Reason, Refusal
from shipledger.storage.port import FeedGap, FulfillmentFilter, Ledger, OrderFilter, Range, Reading
from shipledger.storage.postgres_connection import connect
from shipledger.storage.postgres_sequencer import number_events
from shipledger.storage.reading import LedgerReading
from tests.commit.commands import NOW, ORIGIN, ship
from tests.storage.conftest import Database, PostgresDatabase

LONG = 2_000
Line = tuple[str, int, str | None]

ANY_ORDER, ANY_FULFILLMENT = OrderFilter(), FulfillmentFilter()


def of(partner: str | None) -> Origin:
    return ORIGIN if partner is None else replace(ORIGIN, account=f"partner:{partner}", partner=partner)


def order(order_id: int, *lines: Line, **fields: Any) -> CreateOrder:
    ordered = tuple(OrderedLine(sku, quantity, partner=partner) for sku, quantity, partner in lines)
    return CreateOrder(ORIGIN, OrderContent(order_id, ordered, **fields))


def ship_as(partner: str | None, *asked: Any, **options: Any) -> CreateFulfillment:
    return replace(ship(*asked, **options), origin=of(partner))


def commit(ledger: Ledger, *commands: Command, now: int = NOW) -> list[int]:
    """Commit commands, all of which must succeed; returns the ids that they made."""
    outcomes = commit_batch(ledger, commands, now)
    assert all(isinstance(outcome, Done) for outcome in outcomes), outcomes
    return [outcome.made_id or 0 for outcome in outcomes if isinstance(outcome, Done)]


@pytest.fixture
def parcels(ledger: Ledger) -> dict[str, int]:
    """Orders 1 and 4 are shared by east and west, 2 is west's, 3 the operator's; parcels by their tracking number."""
    shared = [("A", 3, "east"), ("A", 4, "west"), ("B", 2, "east"), ("A", 5, None)]
    commit(ledger, order(1, *shared, reference="#1", deliver_by=NOW + 50, email="a@b", metadata={"margin": 9}), now=NOW)
    commit(ledger, order(2, ("A", 1, "west"), ("W", 1, "west"), reference="#2"), now=NOW + 1)
    commit(ledger, order(3, ("A", 1, None)), now=NOW + 2)
    commit(ledger, order(4, ("A", 1, "east"), ("A", 1, "west")), now=NOW + 3)
    commands = [
        ship_as("east", 1, ("A", 1), number="E1"),
        ship_as("west", 1, ("A", 2), number="W1"),
        ship_as(None, 1, ("A", 6), number="MIXED"),  # what east and west left of A, and 2 more of west's
        ship_as("west", 2, number="W2"),
        ship_as(None, 3, number="O3"),
        ship_as("east", 4, number="W2"),
    ]
    return dict(zip(("E1", "W1", "MIXED", "W2", "O3", "E4"), commit(ledger, *commands, now=NOW + 4), strict=True))


@pytest.mark.usefixtures("parcels")
def test_an_order_has_a_partner_s_lines_with_totals_and_a_status_of_these(reading: Reading) -> None:
    seen = reading.order(1, "east")
    assert seen is not None
    lines = [(line["sku"], line["partner"], line["ordered"], line["fulfilled"]) for line in seen["line_items"]]
    assert lines == [("A", "east", 3, 3), ("B", "east", 2, 0)]
    assert seen["totals"] == {"ordered": 5, "fulfilled": 3, "cancelled": 0, "remaining": 2}
    assert (seen["status"], seen["email"], seen["metadata"]) == ("partially_fulfilled", None, None)
    of_4 = {partner: (reading.order(4, partner) or {})["status"] for partner in ("east", "west", None)}
    assert of_4 == {"east": "fulfilled", "west": "unfulfilled", None: "partially_fulfilled"}


def test_an_order_without_a_line_of_a_partner_is_none(reading: Reading, parcels: dict[str, int]) -> None:
    for order_id in (2, 3, 99):
        assert reading.order(order_id, "east") is None
    assert reading.order(1, "north") is None
    assert reading.skus(2, "east") == reading.skus(1, "north") == []
    assert reading.fulfillment(parcels["W1"], "east") is reading.fulfillment(10**9, "east") is None


def test_a_parcel_has_what_it_holds_of_a_partner_s_lines(reading: Reading, parcels: dict[str, int]) -> None:
    held = {
        partner: (reading.fulfillment(parcels["MIXED"], partner) or {})["line_items"]
        for partner in ("east", "west", None)
    }
    assert held == {
        "east": [{"sku": "A", "quantity": 2}],
        "west": [{"sku": "A", "quantity": 2}],
        None: [{"sku": "A", "quantity": 6}],
    }
    shown = (reading.order(1, "east") or {})["fulfillments"]
    assert [(one["tracking_number"], one["line_items"][0]["quantity"]) for one in shown] == [("MIXED", 2), ("E1", 1)]


@pytest.mark.usefixtures("parcels")
@pytest.mark.parametrize(
    ("wanted", "east", "west"),
    [
        (ANY_ORDER, [4, 1], [4, 2, 1]),
        (OrderFilter(status="fulfilled"), [4], [2, 1]),
        (OrderFilter(status="partially_fulfilled"), [1], []),
        (OrderFilter(status="unfulfilled"), [], [4]),
        (OrderFilter(sku="A"), [4, 1], [4, 2, 1]),
        (OrderFilter(sku="B"), [1], []),
        (OrderFilter(sku="W"), [], [2]),
        (OrderFilter(reference="#1"), [1], [1]),
        (OrderFilter(reference="#2"), [], [2]),
        (OrderFilter(tracking_number="MIXED"), [1], [1]),
        (OrderFilter(tracking_number="W1"), [], [1]),
        (OrderFilter(tracking_number="W2"), [4], [2]),
        (OrderFilter(tracking_number="O3"), [], []),
        (OrderFilter(created_at=Range(NOW + 1, NOW + 2)), [], [2]),
        (OrderFilter(created_at=Range(last=NOW)), [1], [1]),
        (OrderFilter(deliver_by=Range(NOW + 50, NOW + 50)), [1], [1]),
        (OrderFilter(deliver_by=Range(first=NOW + 51)), [], []),
        (OrderFilter(late_at=NOW + 51), [1], []),  # west's lines of it are shipped
        (OrderFilter(late_at=NOW + 50), [], []),
    ],
)
def test_filters_of_orders_look_at_what_a_partner_sees(
    reading: Reading, wanted: OrderFilter, east: list[int], west: list[int]
) -> None:
    found = [[one["id"] for one in reading.orders(wanted, None, 9, partner).documents] for partner in ("east", "west")]
    assert found == [east, west]


@pytest.mark.parametrize(
    ("wanted", "east", "west"),
    [
        (ANY_FULFILLMENT, ["E4", "MIXED", "E1"], ["W2", "MIXED", "W1"]),
        (FulfillmentFilter(status="created"), ["E4", "MIXED", "E1"], ["W2", "MIXED", "W1"]),
        (FulfillmentFilter(order_id=1), ["MIXED", "E1"], ["MIXED", "W1"]),
        (FulfillmentFilter(order_id=3), [], []),
        (FulfillmentFilter(reference="#2"), [], ["W2"]),
        (FulfillmentFilter(tracking_number="W2"), ["E4"], ["W2"]),
        (FulfillmentFilter(sku="A"), ["E4", "MIXED", "E1"], ["W2", "MIXED", "W1"]),
        (FulfillmentFilter(sku="W"), [], ["W2"]),
        (FulfillmentFilter(created_at=Range(last=NOW + 3)), [], []),
    ],
)
def test_filters_of_fulfillments_look_at_what_a_partner_sees(
    reading: Reading, parcels: dict[str, int], wanted: FulfillmentFilter, east: list[str], west: list[str]
) -> None:
    names = {made: name for name, made in parcels.items()}
    for partner, expected in (("east", east), ("west", west)):
        found = reading.fulfillments(wanted, None, 9, partner).documents
        assert [names[one["id"]] for one in found] == expected, partner


@pytest.mark.usefixtures("parcels")
@pytest.mark.parametrize("limit", [1, 2, 3, 9])
def test_what_a_partner_may_not_see_takes_no_place_in_a_page(reading: Reading, limit: int) -> None:
    lists: Any = (
        (reading.orders, ANY_ORDER, [4, 2, 1]),
        (reading.fulfillments, ANY_FULFILLMENT, ["W2", "MIXED", "W1"]),
    )
    for read, any_, expected in lists:
        rows, after = [], None
        while True:
            page = read(any_, after, limit, "west")
            rows += page.documents
            after = page.next
            if after is None:
                break
            assert len(page.documents) == limit, "only the last page is short"
        assert [row.get("tracking_number", row["id"]) for row in rows] == expected


def test_a_parcel_of_many_lines_is_one_row(ledger: Ledger, reading: Reading) -> None:
    commit(ledger, order(1, *((f"S{at}", 1, "east") for at in range(30))))
    made = commit(
        ledger, *(ship_as("east", 1, (f"S{at}", 1), (f"S{at + 10}", 1), (f"S{at + 20}", 1)) for at in range(10))
    )
    first = reading.fulfillments(ANY_FULFILLMENT, None, 4, "east")
    second = reading.fulfillments(ANY_FULFILLMENT, first.next, 9, "east")
    assert [one["id"] for one in (*first.documents, *second.documents)] == made[::-1]


# The feed


def test_a_partner_is_told_of_its_own_fulfillments_and_of_what_becomes_of_its_orders(
    reading: Reading, parcels: dict[str, int], database: Database
) -> None:
    number_all(database)
    told = [event.document for event in reading.events(0, 99, "east")]
    assert [(event["type"], event["order_id"]) for event in told] == [
        ("order.created", 1),
        ("order.created", 4),
        ("fulfillment.created", 1),
        ("fulfillment.created", 1),
        ("fulfillment.created", 4),
    ]
    assert told[0]["data"]["totals"] == {"ordered": 5, "fulfilled": 0, "cancelled": 0, "remaining": 5}
    assert {line["partner"] for line in told[0]["data"]["line_items"]} == {"east"}
    assert told[0]["data"]["metadata"] is None
    assert [event["data"]["line_items"][0]["quantity"] for event in told[2:]] == [1, 2, 1]
    assert told[3]["data"] == reading.fulfillment(parcels["MIXED"], "east")
    assert {event["sequence"] for event in told} == {None}
    assert all(event.document["sequence"] for event in reading.events(0, 99, None)), "the operator is told it"


def test_events_that_a_partner_is_not_told_of_are_unknown_to_it(
    database: Database, reading: LedgerReading, parcels: dict[str, int]
) -> None:
    number_all(database)
    every = [event.document["id"] for event in reading.events(0, 99, None)]
    told = [event.document["id"] for event in reading.events(0, 99, "east")]
    assert reading.webhooks.event_ids(0, None, 99, "east") == told
    assert reading.webhooks.event_ids(told[0], told[2], 99, "east") == told[1:2]
    for event_id in {*every, 10**6} - {*told}:
        assert reading.feed(event_id, 9, "east") == FeedGap(None)
        assert reading.webhooks.event_ids(event_id, None, 9, "east") is None
        assert reading.webhooks.event_ids(0, event_id, 9, "east") is None
    assert reading.webhooks.event_ids(0, None, 99, None) == every


def number_all(database: Database) -> None:
    """On PostgreSQL a sequencer gives events their places, which a server would run."""
    if isinstance(database, PostgresDatabase):
        with connect(database.url, is_writer=True) as connection:
            assert number_events(connection) > 0


# What is loaded


def test_a_partner_s_parcel_of_a_long_order_loads_only_its_lines(ledger: Ledger) -> None:
    shared = [("A", 1, "east"), ("A", 2, "west"), ("B", 3, "east")]
    commit(ledger, order(1, *shared, *((f"SKU-{at:04}", 1, None) for at in range(LONG - 3))))
    for asked, lines in (((1, ("A", 1)), [("A", 1), ("A", 2)]), ((1,), [("A", 1), ("B", 3)])):
        with ledger.transaction():
            loaded = ledger.load(needs_of([ship_as("east", *asked)])).orders[1]
        assert [(line.sku, line.ordered) for line in loaded.lines] == lines
        assert loaded.partners == {"east"}
    with ledger.transaction():
        assert ledger.load(needs_of([ship_as("north", 1, ("A", 1))])).orders[1].partners == set()


def test_a_line_that_is_needed_twice_is_loaded_once(ledger: Ledger) -> None:
    commit(ledger, order(1, ("A", 5, "east"), ("A", 5, "west"), ("B", 5, "east")))
    commit(ledger, ship_as("east", 1, ("A", 1)), ship_as("west", 1, ("A", 2)), ship_as("east", 1), ship_as("west", 1))
    (row,) = ledger_rows(ledger, 1)
    assert row == (15, 15)


def ledger_rows(ledger: Ledger, order_id: int) -> list[tuple[int, int]]:
    with ledger.transaction():
        loaded = ledger.load(needs_of([ship(order_id)])).orders[order_id]
    return [(loaded.ordered, sum(line.fulfilled for line in loaded.lines))]


def test_earlier_parcels_are_those_that_a_partner_sees(ledger: Ledger) -> None:
    commit(ledger, order(1, ("A", 5, "east"), ("A", 200, "west")))
    commit(ledger, ship_as("east", 1, ("A", 1), number="T"))
    commit(ledger, *(ship_as("west", 1, ("A", 1), number="T") for _ in range(60)))
    (done,) = commit_batch(ledger, [ship_as("east", 1, ("A", 1), number="T")], NOW)
    assert isinstance(done, Done)
    assert [warning["code"] for warning in done.body["warnings"]] == ["tracking_number_repeated"]


def test_a_partner_s_totals_are_kept_through_dry_runs_and_refusals(database: Database, ledger: Ledger) -> None:
    commit(ledger, order(1, ("A", 5, "east"), ("A", 5, "west"), ("A", 5, None)))
    commands = [
        replace(ship_as("east", 1, ("A", 2)), dry_run=True),
        ship_as("east", 1, ("A", 3)),
        ship_as(None, 1, ("A", 7)),
    ]
    commit(ledger, *commands)
    totals = database.query(
        "SELECT partner, ordered, fulfilled, cancelled, status FROM partner_orders ORDER BY partner"
    )
    assert totals == [("east", 5, 5, 0, "fulfilled"), ("west", 5, 5, 0, "fulfilled")]


def test_a_partner_s_totals_follow_whatever_becomes_of_its_lines(database: Database, ledger: Ledger) -> None:
    commit(ledger, order(1, ("A", 5, "east"), ("A", 5, "west"), ("B", 2, "east")))
    (made,) = commit(ledger, ship_as(None, 1, ("A", 7), ("B", 1), number="MIXED"))
    commit(ledger, CancelOrder(ORIGIN, 1, (RequestedLine("B", 1, "line_items[0]"),)))
    assert totals_of(database) == [("east", 7, 6, 1, "fulfilled"), ("west", 5, 2, 0, "partially_fulfilled")]
    commit(ledger, CancelOrder(ORIGIN, 1))
    assert totals_of(database) == [("east", 7, 6, 1, "fulfilled"), ("west", 5, 2, 3, "fulfilled")]
    commit(ledger, CancelFulfillment(ORIGIN, made))
    assert totals_of(database) == [("east", 7, 0, 7, "cancelled"), ("west", 5, 0, 5, "cancelled")]


def totals_of(database: Database) -> list[tuple[str, int, int, int, str]]:
    columns = "partner, ordered, fulfilled, cancelled, status"
    return database.query(f"SELECT {columns} FROM partner_orders ORDER BY partner")


def test_a_partner_corrects_and_cancels_what_it_recorded_itself(ledger: Ledger, parcels: dict[str, int]) -> None:
    for partner, name, status in (
        ("east", "E1", None),
        ("east", "MIXED", 404),
        ("east", "W1", 404),
        (None, "W1", None),
    ):
        changes: list[Any] = [
            ChangeTracking(of(partner), parcels[name], {"carrier": "DHL"}),
            AddCarrierEvent(of(partner), parcels[name], FulfillmentStatus.IN_TRANSIT),
            CancelFulfillment(of(partner), parcels[name]),
        ]
        for outcome in commit_batch(ledger, changes, NOW + 9):
            assert isinstance(outcome, Done) if status is None else outcome == Refusal(Reason.NOT_FOUND), (
                partner,
                name,
            )
    operators: list[Any] = [
        ChangeOrder(of("east"), 1, {"reference": "#x"}),
        HoldOrder(of("east"), 1, "why"),
        ReleaseOrder(of("east"), 1),
        CancelOrder(of("east"), 1),
    ]
    assert set(map(str, commit_batch(ledger, operators, NOW))) == {str(Refusal(Reason.ORDER_NOT_FOUND))}
