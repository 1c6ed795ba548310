"""Any commands in any order, in batches of any size: the ledger does what the model does."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shipledger import correcting, fulfilling, order_intake, order_keeping, tracking_cautions
from shipledger.command import (
    OPERATOR,
    AddCarrierEvent,
    CancelFulfillment,
    CancelOrder,
    ChangeOrder,
    ChangeTracking,
    CreateOrder,
    FulfillmentCommand,
    HoldOrder,
    OrderCommand,
    OrderKey,
    ReleaseOrder,
    RepeatedTracking,
    RequestedLine,
)
from shipledger.commit import batch
from shipledger.document import order_document
from shipledger.fulfillment import REPORTED, CarrierEvent, TrackingChanges
from shipledger.limits import ASSIGNED_ORDER_ID_MIN
from shipledger.needs import Needs
from shipledger.order import OrderChanges, OrderContent, OrderedLine
from shipledger.outcome import Done, Fault, Outcome
from shipledger.partner_view import fulfillment_seen_by, order_seen_by
from shipledger.refusal import Refusal
from shipledger.routing import PutPartner, Rules
from shipledger.storage.port import Ledger
from shipledger.timestamp import MICROSECONDS_A_SECOND
from shipledger.working_set import WorkingSet
from tests.rules.asking import Parcel, origin
from tests.rules.desk import warnings
from tests.rules.ledger_model import LedgerModel, Request, documents_of
from tests.rules.memory_ledger import MemoryLedger, WatchedLedger
from tests.rules.paper import Changed, Expected, PaperOrder, Recorded, Refused, Same, Shipped

BEGINNING = 1_714_478_400 * MICROSECONDS_A_SECOND
UNKNOWN_ID = 10**12

# Few names, so that commands meet: "2" is a reference or the id 2; "#1" and 1 are one order.
SKUS = st.sampled_from(["A", "B"])
PARTNERS = st.sampled_from([None, None, "east", "west"])
NUMBERS = st.sampled_from(["TBA000000000001", "TBA000000000002"])
KEYS = st.sampled_from([*[None] * 8, "k1", "k2"])
DATES = st.sampled_from([None, *(BEGINNING + seconds * MICROSECONDS_A_SECOND for seconds in (2, 5))])
"""Each batch comes a second later."""
FREE_ID = ASSIGNED_ORDER_ID_MIN
ASSIGNED = range(FREE_ID, FREE_ID + 199)

any_lines = st.lists(st.builds(OrderedLine, SKUS, st.integers(1, 9), partner=PARTNERS), min_size=1, max_size=4)
shared_lines = st.tuples(
    *(
        st.builds(OrderedLine, st.just(sku), st.integers(1, 12), partner=st.just(partner))
        for sku, partner in [("A", None), ("B", "east"), ("A", "west"), ("A", "east"), ("B", None)]
    )
)


def orders_of(ids: Any, references: Any, lines: Any) -> st.SearchStrategy[CreateOrder]:
    content = st.builds(OrderContent, ids, lines, references, ship_by=DATES)
    return st.builds(CreateOrder, st.just(origin()), content, KEYS)


orders = orders_of(st.sampled_from([None, 1, 3, FREE_ID + 1]), st.sampled_from([None, "#1", "2"]), any_lines.map(tuple))
some_lines = st.lists(
    st.tuples(st.sampled_from([*["A", "B"] * 5, "Z"]), st.integers(1, 3)), min_size=1, max_size=3
).map(tuple)
groups = st.tuples(
    st.sampled_from([*[1, "#1", 2, "2"] * 4, 3, FREE_ID, str(FREE_ID)]),
    st.sampled_from([None, *[(), (), ()]]).flatmap(lambda omitted: st.none() if omitted is None else some_lines),
)
parcels = st.builds(
    Parcel,
    st.lists(groups, min_size=1, max_size=1).map(tuple) | st.lists(groups, min_size=1, max_size=3).map(tuple),
    number=NUMBERS,
    partner=PARTNERS | st.none(),
    key=KEYS,
    dry_run=st.sampled_from([False, False, False, True]),
    repeated=st.sampled_from(RepeatedTracking),
)


cancellations = st.none() | st.dictionaries(
    st.sampled_from([*["A", "B"] * 5, "Z"]), st.sampled_from([1, 2, 3, 30]), min_size=1, max_size=2
).map(lambda wanted: tuple(RequestedLine(sku, quantity, "line_items[0]") for sku, quantity in wanted.items()))
order_changes: st.SearchStrategy[OrderChanges] = st.fixed_dictionaries(
    {},
    optional={
        "reference": st.sampled_from([None, "#1", "2", "#9"]),
        "metadata": st.sampled_from([None, {"a": 1}]),
        "ship_by": DATES,
    },
)  # type: ignore[assignment]
tracking_changes: st.SearchStrategy[TrackingChanges] = st.fixed_dictionaries(
    {},
    optional={
        "number": NUMBERS,
        "url": st.sampled_from([None, "https://example.com/1"]),
        "carrier": st.sampled_from([None, "UPS"]),
    },
)  # type: ignore[assignment]
MOMENTS = st.sampled_from([BEGINNING + minutes * 60 * MICROSECONDS_A_SECOND for minutes in range(3)])
operators = st.sampled_from([*[origin()] * 8, origin("east")])
"""A partner changes no order."""


def changes_of_orders() -> st.SearchStrategy[OrderCommand]:
    ids = st.sampled_from([1, 1, 2, 2, 3])
    return st.one_of(
        st.builds(ChangeOrder, operators, ids, order_changes, KEYS),
        st.builds(CancelOrder, operators, ids, cancellations, KEYS),
        st.builds(HoldOrder, operators, ids, st.sampled_from(["fraud", "address"]), KEYS),
        st.builds(ReleaseOrder, operators, ids, KEYS),
        st.builds(ReleaseOrder, operators, ids, KEYS),
    )


def changes_of_fulfillments(ids: Sequence[int]) -> st.SearchStrategy[FulfillmentCommand]:
    known, asker = st.sampled_from([*ids, UNKNOWN_ID]), PARTNERS.map(origin)
    return st.one_of(
        st.builds(ChangeTracking, asker, known, tracking_changes, KEYS),
        st.builds(CancelFulfillment, asker, known, KEYS),
        carrier_events(asker, known),
    )


def carrier_events(asker: Any, known: Any) -> st.SearchStrategy[AddCarrierEvent]:
    told = st.sampled_from(sorted(REPORTED))
    return st.builds(AddCarrierEvent, asker, known, told, MOMENTS, st.sampled_from([None, None, "m"]), st.none(), KEYS)


class LedgerMachine(RuleBasedStateMachine):
    """Another database is another `open_ledger`."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = WatchedLedger(self.open_ledger())
        self.model = LedgerModel()
        self.sent: list[Request] = []
        self.now = BEGINNING

    def open_ledger(self) -> Ledger:
        return MemoryLedger()

    def teardown(self) -> None:
        self.ledger.close()

    @initialize(
        first=orders_of(st.just(1), st.just("#1"), shared_lines), second=orders_of(st.just(2), st.none(), shared_lines)
    )
    def begin_with_orders(self, first: CreateOrder, second: CreateOrder) -> None:
        self.send([first, second])
        rule = PutPartner(origin(), "west", Rules(skus=("B",)))
        assert isinstance(batch.commit_batch(self.ledger, [rule], self.now)[0], Done)
        self.model.routes["B"] = "west"

    @rule(requests=st.lists(parcels, min_size=1, max_size=4))
    def create_fulfillments(self, requests: list[Parcel]) -> None:
        self.send(requests)

    @rule(requests=st.lists(orders | parcels, min_size=2, max_size=4))
    def create_orders_and_fulfillments(self, requests: list[Request]) -> None:
        self.send(requests)

    @rule(data=st.data(), beside=st.lists(parcels, max_size=2))
    def change_things(self, data: Any, beside: list[Parcel]) -> None:
        ids = [made.made["id"] for made in self.model.fulfillments]
        changes = st.lists(changes_of_fulfillments(ids) | changes_of_orders(), min_size=1, max_size=4)
        self.send(data.draw(st.permutations([*data.draw(changes), *beside])))

    @precondition(lambda self: self.model.fulfillments)
    @rule(data=st.data())
    def hear_of_a_parcel(self, data: Any) -> None:
        made = data.draw(st.sampled_from(self.model.fulfillments))
        partner = None if made.account == OPERATOR else made.account.removeprefix("partner:")
        events = carrier_events(st.just(origin(partner)), st.just(made.made["id"]))
        self.send(data.draw(st.lists(events, min_size=2, max_size=4)))

    @rule(data=st.data())
    def send_again(self, data: Any) -> None:
        if self.sent:
            self.send([data.draw(st.sampled_from(self.sent))])

    def send(self, requests: list[Any]) -> None:
        self.now += MICROSECONDS_A_SECOND
        self.sent += requests
        commands = [request.command() if isinstance(request, Parcel) else request for request in requests]
        sound = [command for command in commands if not isinstance(command, Refusal)]
        outcomes = iter(batch.commit_batch(self.ledger, sound, self.now))
        for request, command in zip(requests, commands, strict=True):
            outcome = command if isinstance(command, Refusal) else next(outcomes)
            expected = self.model.expect(request)
            assert_as_expected(outcome, expected, request)
            if isinstance(outcome, Done):
                self.model.apply(request, expected, outcome)

    @invariant()
    def orders_are_as_in_the_model(self) -> None:
        for paper in self.model.orders.values():
            order = self.ledger.whole_order(paper.id)
            assert [line.fulfilled for line in order.lines] == [line.shipped for line in paper.lines]
            assert [line.cancelled for line in order.lines] == [line.cancelled for line in paper.lines]
            assert (order.reference, order.hold_reason) == (paper.reference, paper.hold_reason)
            assert (order.on_hold, order.cancelled_at is None) == (bool(paper.hold_reason), not paper.is_cancelled)
            assert order.cancelled == sum(line.cancelled for line in order.lines)
            assert all(0 <= line.fulfilled <= line.ordered - line.cancelled for line in order.lines), "over-fulfilled"
            assert order.ordered == sum(line.ordered for line in order.lines)
            assert order.fulfilled == sum(line.fulfilled for line in order.lines)
            assert str(order.status) == paper.status
            assert order.event_count == len(paper.events)

    @invariant()
    def a_partner_sees_its_own_lines_and_what_follows_from_them(self) -> None:
        for paper, partner in itertools.product(self.model.orders.values(), ("east", "west")):
            own = replace(paper, lines=paper.of(partner))
            whole = order_document(self.ledger.whole_order(paper.id), paper.sent, self.now)
            seen = order_seen_by(partner, whole)
            assert (seen is None) is (not own.lines)
            if seen is not None:
                lines = [(line["sku"], line["ordered"], line["fulfilled"]) for line in seen["line_items"]]
                assert lines == [(line.sku, line.ordered, line.shipped) for line in own.lines]
                assert (seen["status"], seen["totals"]["remaining"]) == (own.status, own.remaining(None).total())
        for made, held in zip(self.ledger.fulfillments, self.model.fulfillments, strict=True):
            for partner in ("east", "west"):
                lines_of = self.model.orders[held.order_id].lines
                pieces = {at: pieces for at, pieces in held.held.items() if lines_of[at].partner == partner}
                parcel = fulfillment_seen_by(partner, made)
                assert ({line.position: line.quantity for line in parcel.lines} if parcel else {}) == pieces

    @invariant()
    def nothing_else_is_stored(self) -> None:
        names: dict[OrderKey, set[str] | None] = dict.fromkeys([1, 2, 3, "#1", "2", *ASSIGNED])
        with self.ledger.ledger.transaction():
            assert self.ledger.ledger.load(Needs(lines=names)).orders.keys() == self.model.orders.keys()
        assert len(self.ledger.fulfillments) == len(self.model.fulfillments)

    @invariant()
    def events_tell_all_without_a_gap(self) -> None:
        events = self.ledger.events
        assert all(one.id < next_.id for one, next_ in itertools.pairwise(events)), "an event id went back"
        for paper in self.model.orders.values():
            told = [event for event in events if event.order_id == paper.id]
            assert [event.sequence for event in told] == list(range(1, len(told) + 1))
            assert [str(event.type) for event in told] == paper.events
        shipped = [event.data for event in events if event.type == "fulfillment.created"]
        assert shipped == [made.made for made in self.model.fulfillments]

    @invariant()
    def the_last_event_of_a_fulfillment_tells_of_it_as_it_is(self) -> None:
        told = {event.data["id"]: event.data for event in self.ledger.events if event.data and "carrier" in event.data}
        assert told == {made.made["id"]: made.document for made in self.model.fulfillments}

    @invariant()
    def parcels_hold_what_lines_lost(self) -> None:
        held: Counter[tuple[int, int]] = Counter()
        for made in self.ledger.fulfillments:
            for line in made.lines if made.status != "cancelled" else ():
                held[made.order_id, line.position] += line.quantity
        for paper in self.model.orders.values():
            assert [held[paper.id, i] for i in range(len(paper.lines))] == [line.shipped for line in paper.lines]
        assert len({made.id for made in self.ledger.fulfillments}) == len(self.ledger.fulfillments), "an id twice"


def assert_as_expected(outcome: Outcome | Fault, expected: Expected, request: Request) -> None:
    match expected:
        case Refused(reason, faults):
            assert isinstance(outcome, Refusal), f"{outcome} where {reason} was expected"
            found = {(fault.code, fault.sku, fault.requested, fault.remaining) for fault in outcome.details}
            assert outcome.reason is reason
            assert found == set(faults)
        case Same(done):
            assert outcome == done
        case Recorded():
            assert isinstance(outcome, Done), outcome
            assert (outcome.is_new, outcome.replayed, outcome.made_id) == (True, False, outcome.body["id"])
            assert outcome.body["status"] == "unfulfilled"
        case Shipped():
            assert isinstance(request, Parcel)
            assert_shipped(outcome, expected, request)
        case Changed():
            assert_changed(outcome, expected)


def assert_shipped(outcome: Outcome | Fault, expected: Shipped, parcel: Parcel) -> None:
    assert isinstance(outcome, Done), outcome
    assert (outcome.is_new, outcome.replayed) == (True, False)
    documents = documents_of(outcome)
    found = [(one["order_id"], {item["sku"]: item["quantity"] for item in one["line_items"]}) for one in documents]
    assert found == expected.shares
    is_single = len(documents) == 1
    assert outcome.made_id == (documents[0]["id"] if is_single else None)
    for document in [outcome.body, *documents]:
        assert document["tracking_number"] == parcel.number
        assert document["status"] == ("dry_run" if parcel.dry_run else "created")
    assert all((one["id"] is None) is parcel.dry_run for one in documents)
    elsewhere = ["tracking_number_on_another_order"] if expected.is_used_elsewhere else []
    assert warnings(outcome) == ["tracking_number_repeated"] * expected.repeated_numbers + elsewhere


def assert_changed(outcome: Outcome | Fault, expected: Changed) -> None:
    assert isinstance(outcome, Done), outcome
    assert (outcome.is_new, outcome.replayed, outcome.made_id) == (expected.is_new, False, None)
    elsewhere = ["tracking_number_on_another_order"] if expected.is_used_elsewhere else []
    found = [code for code in warnings(outcome) if code.startswith("tracking_number_")]
    assert found == ["tracking_number_repeated"] * expected.repeated_numbers + elsewhere
    body = {name: value for name, value in outcome.body.items() if name != "warnings"}
    if expected.fulfillment is not None:
        assert body == expected.fulfillment.document
    else:
        assert_written_down(body, expected.order)


def assert_written_down(body: dict[str, Any], paper: PaperOrder) -> None:
    shown = (body["id"], body["reference"], body["metadata"], body["hold_reason"], body["status"])
    assert shown == (paper.id, paper.reference, paper.metadata, paper.hold_reason, paper.status)
    assert (body["on_hold"], body["cancelled_at"] is None) == (bool(paper.hold_reason), not paper.is_cancelled)
    lines = [(line["sku"], line["fulfilled"], line["cancelled"], line["remaining"]) for line in body["line_items"]]
    assert lines == [(line.sku, line.shipped, line.cancelled, line.open) for line in paper.lines]


def run(machine: type[LedgerMachine] = LedgerMachine, max_examples: int = 60, **options: Any) -> None:
    chosen = settings(
        max_examples=max_examples,
        stateful_step_count=15,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        **options,
    )
    run_state_machine_as_test(machine, settings=chosen)


def test_the_ledger_does_what_the_model_does() -> None:
    run()


@pytest.mark.parametrize(
    ("place", "name", "broken"),
    [
        (fulfilling, "check_quantities", lambda shares: None),
        (fulfilling, "check_skus", lambda shares: None),
        (fulfilling, "_is_visible", lambda order, partner: True),
        (fulfilling, "check_states", lambda shares: None),
        (order_intake, "routed", lambda content, routing: content),
        (order_keeping, "check_quantities", lambda shares: None),
        (order_keeping, "_find", lambda command, working_set: working_set.orders.get(command.order_id)),
        (correcting, "_find", lambda command, working_set: working_set.fulfillments[command.fulfillment_id]),
        (correcting, "ledger_cautions", lambda *asked: []),
        (correcting, "status_by", lambda timeline: timeline[-1].status),
        (CarrierEvent, "tells_the_same_as", lambda event, other: False),
        (WorkingSet, "give_back", lambda *asked: None),
        (WorkingSet, "cancel_lines", lambda *asked: None),
        (fulfilling, "_repeat_of_an_earlier_parcel", lambda *asked: None),
        (tracking_cautions, "_repeated_numbers", lambda *asked: []),
        (tracking_cautions, "_used_elsewhere", lambda *asked: None),
        (batch, "kept_outcome", lambda *asked: None),
        (batch, "keep_answer", lambda *asked: None),
        (WorkingSet, "drop_since", lambda working_set, mark: None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_rule_taken_out_is_caught(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, broken: Any) -> None:
    monkeypatch.setattr(place, name, broken)
    with pytest.raises(AssertionError):
        run(
            max_examples=300,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            print_blob=False,
            report_multiple_bugs=False,
        )
