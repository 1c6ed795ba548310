"""What every database does for the ledger: `shipledger.storage.port`, held to its word on each of them."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from shipledger.check_digit import CheckResult
from shipledger.command import Command, CreateOrder, RepeatedTracking
from shipledger.commit.idempotency import keep_answer
from shipledger.decision import decide
from shipledger.document import Document
from shipledger.fulfillment import Tracking
from shipledger.limits import ASSIGNED_ORDER_ID_MIN, ORDER_FULFILLMENTS_SHOWN_MAX
from shipledger.needs import Needs, needs_of
from shipledger.order import OrderContent, OrderedLine
from shipledger.outcome import Done, Outcome
from shipledger.storage.port import FulfillmentFilter, Ledger, OrderFilter, Page, Position, Range, Reading
from shipledger.working_set import KeptAnswer, WorkingSet
from tests.commit.commands import NOW, ORIGIN, order, ship
from tests.storage.conftest import Database

LONG = 2_000
BROUGHT = ASSIGNED_ORDER_ID_MIN


def commit(ledger: Ledger, *commands: Command, now: int = NOW) -> list[Outcome]:
    """One batch of commands, all of which are to be saved."""
    with ledger.transaction():
        working_set = ledger.load(needs_of(commands))
        outcomes = []
        for command in commands:
            outcome = decide(command, working_set, now)
            if isinstance(outcome, Done) and command.idempotency_key is not None:
                keep_answer(command, command.idempotency_key, outcome, working_set, now)
            outcomes.append(outcome)
        ledger.save(working_set)
    return outcomes


def loaded(ledger: Ledger, *commands: Command) -> WorkingSet:
    with ledger.transaction():
        return ledger.load(needs_of(commands))


def made_id(outcome: Outcome) -> int:
    assert isinstance(outcome, Done)
    assert outcome.made_id is not None
    return outcome.made_id


def skus_loaded(working_set: WorkingSet, order_id: int) -> list[str]:
    return [line.sku for line in working_set.orders[order_id].lines]


def test_load_gives_the_lines_that_are_named_and_no_others(ledger: Ledger) -> None:
    commit(ledger, order(1, ("A", 1), ("B", 2), ("A", 3), ("C", 4)), order(2, ("A", 5)), order(3, ("A", 6)))
    working_set = loaded(ledger, ship(1, ("C", 1), ("A", 1)), ship(2, ("B", 1)))
    assert [(line.position, line.sku, line.ordered) for line in working_set.orders[1].lines] == [
        (0, "A", 1),
        (2, "A", 3),
        (3, "C", 4),
    ]
    assert skus_loaded(working_set, 2) == []
    assert set(working_set.orders) == {1, 2}


def test_load_gives_every_line_where_none_is_named(ledger: Ledger) -> None:
    commit(ledger, order(1, ("B", 1), ("A", 2), ("B", 3)))
    assert skus_loaded(loaded(ledger, ship(1)), 1) == ["B", "A", "B"]
    assert skus_loaded(loaded(ledger, ship(1, ("A", 1)), ship(1)), 1) == ["B", "A", "B"]


def test_a_parcel_of_a_long_order_loads_only_the_lines_it_names(ledger: Ledger) -> None:
    commit(ledger, order(1, *((f"SKU-{at:04}", 1) for at in range(LONG))))
    working_set = loaded(ledger, ship(1, ("SKU-0007", 1), ("SKU-1999", 1)))
    assert skus_loaded(working_set, 1) == ["SKU-0007", "SKU-1999"]
    assert working_set.orders[1].ordered == LONG


def test_an_order_is_found_by_id_by_reference_and_by_an_id_in_digits(ledger: Ledger) -> None:
    commit(ledger, order(1, ("A", 1), reference="#1001"), order(77, ("A", 1)), order(78, ("A", 1), reference="77"))
    for key, order_id in ((1, 1), ("#1001", 1), ("1", 1), (77, 77), ("77", 78), ("78", 78)):
        found = loaded(ledger, ship(key, ("A", 1))).find(key)
        assert found is not None, key
        assert (found.id, found.lines[0].order_id) == (order_id, order_id), key
    for key in (2, "#1002", "2", "9" * 19, "99999999999999999999", ""):
        assert loaded(ledger, ship(key, ("A", 1))).find(key) is None, key


def test_what_a_number_tells_is_kept_with_it(ledger: Ledger) -> None:
    commit(ledger, order(1, ("A", 9)))
    told = [Tracking(f"T{check}", "https://x.example", "ups", check) for check in CheckResult]
    commit(ledger, *(replace(ship(1, ("A", 1)), tracking=tracking) for tracking in told))
    for tracking in told:
        again = loaded(ledger, ship(1, ("A", 1), number=tracking.number))
        assert [earlier.tracking for earlier in again.repeats[1, tracking.number]] == [tracking]


def test_a_few_uses_of_a_number_on_other_orders_are_loaded_on_either_side(ledger: Ledger) -> None:
    commit(ledger, *(order(order_id, ("A", 9)) for order_id in range(1, 10)))
    commit(ledger, *(ship(order_id, ("A", 1), number="T") for order_id in (1, 2, 3, 5, 5, 7, 8, 9)))
    commit(ledger, ship(6, ("A", 1), number="another"))
    for order_id, expected in ((5, {2, 3, 5, 7, 8}), (4, {2, 3, 5}), (1, {1, 2, 3}), (9, {7, 8, 9}), (99, {1, 2})):
        found = loaded(ledger, ship(order_id, ("A", 1), number="T"))
        assert {use.order_id for use in found.uses["T"]} == expected, order_id
    assert "nobody's" not in loaded(ledger, ship(1, ("A", 1), number="nobody's")).uses


def test_a_partner_finds_the_uses_of_a_number_that_hold_its_lines(ledger: Ledger) -> None:
    for order_id in range(1, 10):
        partner = "east" if order_id % 2 else "west"
        commit(ledger, CreateOrder(ORIGIN, OrderContent(order_id, (OrderedLine("A", 9, partner=partner),))))
    commit(ledger, *(ship(order_id, ("A", 1), number="T") for order_id in range(1, 9)))
    asked = replace(ship(9, ("A", 1), number="T"), origin=replace(ORIGIN, partner="east"))
    uses = loaded(ledger, asked).uses["T"]
    assert {use.order_id for use in uses if "east" in use.partners} == {1, 3, 5, 7}
    assert not any("west" in use.partners for use in uses)


def test_what_was_saved_is_loaded_again(ledger: Ledger) -> None:
    commit(ledger, order(1, ("A", 2), ("B", 3), reference="#1"))
    (done,) = commit(ledger, ship(1, ("A", 2), ("B", 1), number="T1", key="k1"))
    again = loaded(ledger, ship("#1", number="T1", key="k1"))
    known = again.orders[1]
    assert (known.ordered, known.fulfilled, known.cancelled, known.event_count) == (5, 3, 0, 2)
    assert known.content == order(1, ("A", 2), ("B", 3), reference="#1").fingerprint()
    assert [(line.sku, line.ordered, line.fulfilled, line.remaining) for line in known.lines] == [
        ("A", 2, 2, 0),
        ("B", 3, 1, 2),
    ]
    (earlier,) = again.repeats[1, "T1"]
    assert (earlier.id, earlier.order_id, earlier.tracking) == (made_id(done), 1, Tracking("T1"))
    assert earlier.quantities() == {"A": 2, "B": 1}
    kept = again.kept[ORIGIN.account, "k1"]
    assert isinstance(done, Done)
    assert list(kept.done.body.items()) == list(done.body.items()), "the same members in the same order"
    assert kept.fingerprint == ship(1, ("B", 1), ("A", 2), number="T1").fingerprint()


def test_earlier_parcels_come_newest_first_and_as_many_as_are_needed(ledger: Ledger) -> None:
    commit(ledger, order(1, ("A", 9)), order(2, ("A", 9)))
    made = [made_id(commit(ledger, ship(1, ("A", 1), number="T"))[0]) for _ in range(3)]
    commit(ledger, ship(1, ("A", 1), number="other"), ship(2, ("A", 1), number="T"))
    one = loaded(ledger, ship(1, ("A", 1), number="T"))
    assert [earlier.id for earlier in one.repeats[1, "T"]] == made[-1:]
    all_of_them = replace(ship(1, ("A", 1), number="T"), repeated=RepeatedTracking.REPLAY)
    assert [earlier.id for earlier in loaded(ledger, all_of_them).repeats[1, "T"]] == made[::-1]


def test_a_key_belongs_to_its_account(ledger: Ledger) -> None:
    commit(ledger, order(1, ("A", 9)), ship(1, ("A", 1), key="k"))
    needs = Needs(kept={("partner:acme", "k"), (ORIGIN.account, "K"), (ORIGIN.account, "k")})
    with ledger.transaction():
        assert set(ledger.load(needs).kept) == {(ORIGIN.account, "k")}


@pytest.mark.parametrize("text", ["é", "漢字 \U0001f4e6", "'; DROP TABLE orders; --", '"[\\', "%_", " inner  space "])
def test_texts_are_kept_as_they_are(ledger: Ledger, reading: Reading, text: str) -> None:
    commit(ledger, order(1, (text, 1), reference=text))
    (done,) = commit(ledger, ship(text, (text, 1), number=text, key="k"))
    document = reading.fulfillment(made_id(done), None)
    assert document is not None
    assert (document["tracking_number"], document["line_items"]) == (text, [{"sku": text, "quantity": 1}])
    assert [
        found["id"] for found in reading.orders(OrderFilter(reference=text, sku=text), None, 9, None).documents
    ] == [1]


def over_fulfil(working_set: WorkingSet) -> None:
    line = working_set.orders[1].lines[0]
    working_set.add_fulfillment(ORIGIN, working_set.orders[1], [(line, line.remaining + 1)], Tracking("T"), NOW)


def over_fulfil_the_total(working_set: WorkingSet) -> None:
    working_set.orders[1].fulfilled = working_set.orders[1].ordered
    line = working_set.orders[1].lines[0]
    working_set.add_fulfillment(ORIGIN, working_set.orders[1], [(line, 1)], Tracking("T"), NOW)


def ship_nothing(working_set: WorkingSet) -> None:
    working_set.add_fulfillment(
        ORIGIN, working_set.orders[1], [(working_set.orders[1].lines[0], 0)], Tracking("T"), NOW
    )


def give_back_too_much(working_set: WorkingSet) -> None:
    working_set.add_fulfillment(
        ORIGIN, working_set.orders[1], [(working_set.orders[1].lines[0], 1)], Tracking("T"), NOW
    )
    working_set.orders[1].lines[0].fulfilled = -1


def use_a_key_again(working_set: WorkingSet) -> None:
    working_set.keep_answer(KeptAnswer(ORIGIN.account, "k", b"other", Done({}, None), NOW))


def use_an_id_again(working_set: WorkingSet) -> None:
    working_set.add_order(order(1, ("A", 1)).content, b"", NOW)


def use_a_reference_again(working_set: WorkingSet) -> None:
    working_set.add_order(order(2, ("A", 1), reference="#1").content, b"", NOW)


def use_a_fulfillment_id_again(working_set: WorkingSet) -> None:
    working_set.fulfillment_ids = itertools.count(1)
    working_set.add_fulfillment(
        ORIGIN, working_set.orders[1], [(working_set.orders[1].lines[0], 1)], Tracking("T"), NOW
    )


def ship_of_an_unknown_order(working_set: WorkingSet) -> None:
    stranger = replace(working_set.orders[1], id=99)
    working_set.add_fulfillment(ORIGIN, stranger, [], Tracking("T"), NOW)


def save(ledger: Ledger, change: Callable[[WorkingSet], object], at_last: Callable[[], object] = lambda: None) -> None:
    """A parcel, an order without an id, and another change beside them."""
    commands: list[Command] = [ship(1, ("A", 1), number="beside"), order(None, ("A", 1))]
    with ledger.transaction():
        working_set = ledger.load(needs_of([*commands, *commands]))  # with ids for the other change, too
        for command in commands:
            decide(command, working_set, NOW)
        change(working_set)
        ledger.save(working_set)
        at_last()


@pytest.mark.parametrize(
    "broken_rule",
    [
        over_fulfil,
        over_fulfil_the_total,
        ship_nothing,
        give_back_too_much,
        use_a_key_again,
        use_an_id_again,
        use_a_reference_again,
        use_a_fulfillment_id_again,
    ],
)
def test_the_database_refuses_what_the_rules_would_have_let_through(
    database: Database, ledger: Ledger, broken_rule: Callable[[WorkingSet], None]
) -> None:
    commit(ledger, order(1, ("A", 3), ("B", 2), reference="#1"), ship(1, ("A", 1), number="T", key="k"))
    before = database.content()
    with pytest.raises(Exception, match=r"(?i)constraint"):
        save(ledger, broken_rule)
    assert database.content() == before
    save(ledger, lambda _: None)
    assert database.content() != before, "control: without it, the same is saved"


def test_a_parcel_of_an_order_that_was_not_loaded_is_not_saved(database: Database, ledger: Ledger) -> None:
    commit(ledger, order(1, ("A", 3), ("B", 2), reference="#1"))
    before = database.content()
    with pytest.raises(LookupError, match=r"not loaded: \{99\}"):
        save(ledger, ship_of_an_unknown_order)
    assert database.content() == before


def test_an_assigned_id_is_never_one_that_a_source_brought(ledger: Ledger) -> None:
    commit(ledger, *(order(BROUGHT + at, ("A", 1)) for at in (0, 1, 3)))
    first, brought, second = commit(ledger, order(None, ("A", 1)), order(BROUGHT + 4, ("A", 1)), order(None, ("A", 1)))
    assigned = [made_id(first), made_id(second)]
    assert made_id(brought) == BROUGHT + 4
    commit(ledger, *(order(assigned[-1] + at, ("A", 1)) for at in range(20, 32)))
    assigned += [made_id(commit(ledger, order(None, ("A", 1)))[0]) for _ in range(25)]
    assert assigned == sorted(set(assigned)), "an id was given twice"
    assert BROUGHT <= assigned[0] <= assigned[-1] < BROUGHT + 200, "gaps are fine, and no wider than they need to be"


def test_an_order_that_comes_with_the_id_just_assigned_is_refused(ledger: Ledger) -> None:
    _, refused = commit(ledger, order(None, ("A", 1)), order(BROUGHT, ("B", 1)))
    assert not isinstance(refused, Done)


def test_ids_grow_and_none_is_given_twice(ledger: Ledger) -> None:
    commit(ledger, order(1, ("A", 99)))
    made = [made_id(outcome) for _ in range(3) for outcome in commit(ledger, ship(1, ("A", 1)), ship(1, ("A", 1)))]
    assert made == sorted(set(made))


def test_an_exception_leaves_nothing_behind(database: Database, ledger: Ledger, reading: Reading) -> None:
    commit(ledger, order(1, ("A", 9)))
    before = database.content()
    with pytest.raises(ZeroDivisionError):
        save(ledger, lambda _: None, at_last=lambda: 1 // 0)
    assert database.content() == before
    assert reading.fulfillments(FulfillmentFilter(), None, 9, None).documents == []
    assert isinstance(commit(ledger, order(None, ("A", 1)))[0], Done)


def test_a_transaction_without_a_change_writes_nothing(database: Database, ledger: Ledger) -> None:
    commit(ledger, order(1, ("A", 1)))
    before = database.content()
    commit(ledger, ship(1, ("A", 2)), ship(404), order(1, ("A", 1)))
    assert database.content() == before
    commit(ledger, ship(1, ("A", 1)))
    assert database.content() != before, "control: a change is seen"


def test_reading_sees_only_what_is_committed(ledger: Ledger, reading: Reading) -> None:
    with ledger.transaction():
        working_set = ledger.load(needs_of([order(1, ("A", 1))]))
        decide(order(1, ("A", 1)), working_set, NOW)
        ledger.save(working_set)
        assert reading.order(1, None) is None
    assert reading.order(1, None) is not None


def test_an_order_shows_its_newest_fulfillments(ledger: Ledger, reading: Reading) -> None:
    count = ORDER_FULFILLMENTS_SHOWN_MAX + 2
    commit(ledger, order(1, ("A", count), ("B", 1)))
    made = [made_id(done) for done in commit(ledger, *(ship(1, ("A", 1), number=f"T{at}") for at in range(count)))]
    document = reading.order(1, None)
    assert document is not None
    assert document["totals"] == {"ordered": count + 1, "fulfilled": count, "cancelled": 0, "remaining": 1}
    assert [shown["id"] for shown in document["fulfillments"]] == made[:1:-1]
    assert reading.order(2, None) is None
    assert reading.fulfillment(made[-1] + 1, None) is None
    assert reading.skus(1, None) == ["A", "B"]


def all_pages(read: Callable[[Position | None], Page]) -> Iterable[Document]:
    after: Position | None = None
    while True:
        page = read(after)
        yield from page.documents
        after = page.next
        if after is None:
            return


def test_pages_hold_every_row_once_newest_first(ledger: Ledger, reading: Reading) -> None:
    commit(ledger, *(order(order_id, ("A", 1)) for order_id in (5, 3, 9)), now=NOW)
    commit(ledger, *(order(order_id, ("A", 1)) for order_id in (1, 4)), now=NOW + 1)
    commit(ledger, *(ship(order_id, ("A", 1)) for order_id in (5, 3, 9, 1, 4)))
    for limit in (1, 2, 3, 5, 6):
        orders = all_pages(lambda after, limit=limit: reading.orders(OrderFilter(), after, limit, None))  # type: ignore[misc]
        assert [found["id"] for found in orders] == [4, 1, 9, 5, 3], limit
        parcels = all_pages(
            lambda after, limit=limit: reading.fulfillments(FulfillmentFilter(), after, limit, None)  # type: ignore[misc]
        )
        assert [found["order_id"] for found in parcels] == [4, 1, 9, 3, 5], limit


def test_a_row_that_comes_meanwhile_moves_no_page(ledger: Ledger, reading: Reading) -> None:
    commit(ledger, *(order(order_id, ("A", 1)) for order_id in (1, 2, 3)))
    first = reading.orders(OrderFilter(), None, 2, None)
    commit(ledger, order(4, ("A", 1)), now=NOW + 1)
    second = reading.orders(OrderFilter(), first.next, 2, None)
    assert [found["id"] for found in (*first.documents, *second.documents)] == [3, 2, 1]


@pytest.fixture
def some_orders(ledger: Ledger) -> None:
    first = order(1, ("A", 2), ("B", 1), reference="#1")
    commit(ledger, replace(first, content=replace(first.content, deliver_by=NOW + 50)), now=NOW)
    commit(ledger, order(2, ("B", 1), reference="#2"), now=NOW + 10)
    commit(ledger, order(3, ("C", 1)), now=NOW + 20)
    commit(ledger, ship(1, ("A", 1), number="T1"), ship(1, ("B", 1), number="T2"), now=NOW + 30)
    commit(ledger, ship(2, number="T1"), now=NOW + 40)


@pytest.mark.usefixtures("some_orders")
@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (OrderFilter(), [3, 2, 1]),
        (OrderFilter(status="unfulfilled"), [3]),
        (OrderFilter(status="partially_fulfilled"), [1]),
        (OrderFilter(status="fulfilled"), [2]),
        (OrderFilter(status="cancelled"), []),
        (OrderFilter(sku="B"), [2, 1]),
        (OrderFilter(sku="b"), []),
        (OrderFilter(reference="#2"), [2]),
        (OrderFilter(tracking_number="T1"), [2, 1]),
        (OrderFilter(tracking_number="T1", sku="A"), [1]),
        (OrderFilter(created_at=Range(first=NOW + 10)), [3, 2]),
        (OrderFilter(created_at=Range(last=NOW + 10)), [2, 1]),
        (OrderFilter(created_at=Range(NOW + 1, NOW + 19)), [2]),
        (OrderFilter(deliver_by=Range(last=NOW + 50)), [1]),
        (OrderFilter(deliver_by=Range(first=NOW + 51)), []),
    ],
)
def test_orders_are_found_by_what_people_look_for(reading: Reading, wanted: OrderFilter, found: list[int]) -> None:
    assert [document["id"] for document in reading.orders(wanted, None, 9, None).documents] == found


@pytest.mark.usefixtures("some_orders")
@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (FulfillmentFilter(), [(2, "T1"), (1, "T2"), (1, "T1")]),
        (FulfillmentFilter(status="created"), [(2, "T1"), (1, "T2"), (1, "T1")]),
        (FulfillmentFilter(status="cancelled"), []),
        (FulfillmentFilter(order_id=1), [(1, "T2"), (1, "T1")]),
        (FulfillmentFilter(reference="#2"), [(2, "T1")]),
        (FulfillmentFilter(reference="#9"), []),
        (FulfillmentFilter(tracking_number="T1"), [(2, "T1"), (1, "T1")]),
        (FulfillmentFilter(sku="B"), [(2, "T1"), (1, "T2")]),
        (FulfillmentFilter(sku="A", order_id=2), []),
        (FulfillmentFilter(created_at=Range(first=NOW + 31)), [(2, "T1")]),
        (FulfillmentFilter(created_at=Range(last=NOW + 30)), [(1, "T2"), (1, "T1")]),
    ],
)
def test_fulfillments_are_found_by_what_people_look_for(
    reading: Reading, wanted: FulfillmentFilter, found: list[tuple[int, str]]
) -> None:
    documents = reading.fulfillments(wanted, None, 9, None).documents
    assert [(document["order_id"], document["tracking_number"]) for document in documents] == found


def test_events_number_the_changes_of_each_order(database: Database, ledger: Ledger) -> None:
    commit(ledger, order(1, ("A", 2)), order(2, ("A", 1)))
    commit(ledger, ship(1, ("A", 1)), ship(2), ship(1))
    events = database.query("SELECT order_id, sequence, type FROM events ORDER BY id")
    assert [row for row in events if row[0] == 1] == [
        (1, 1, "order.created"),
        (1, 2, "fulfillment.created"),
        (1, 3, "fulfillment.created"),
        (1, 4, "order.fulfilled"),
    ]
    assert [sequence for order_id, sequence, _ in events if order_id == 2] == [1, 2, 3]
