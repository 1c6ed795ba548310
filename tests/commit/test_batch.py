"""One batch, one transaction: a command that is refused, crashes or breaks a constraint loses only its own changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shipledger import decision, fulfilling, share
from shipledger.boot.ledgers import Database, check_ledger, migrate, open_ledger, open_reading
from shipledger.command import Command, CreateFulfillment
from shipledger.commit import batch
from shipledger.commit.batch import commit_batch
from shipledger.document import Document
from shipledger.order import OrderLine
from shipledger.outcome import Crashed, Done, Fault, Outcome, OutcomeUnknown, Unavailable
from shipledger.refusal import Reason, Refusal
from shipledger.share import Share
from shipledger.storage.port import FulfillmentFilter, Ledger
from shipledger.timestamp import Microseconds
from shipledger.working_set import WorkingSet
from tests.commit.commands import NOW, order, ship


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """Each database in turn."""
    return tmp_path / "ledger.db" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def ledger(place: Database) -> Iterator[Ledger]:
    """A ledger with two orders of nine As each."""
    migrate(place)
    opened = open_ledger(place)
    commit_batch(opened, [order(1, ("A", 9)), order(2, ("A", 9))], NOW)
    yield opened
    opened.close()


def numbers(place: Database) -> list[str]:
    """The tracking numbers in the ledger, which must be a sound one."""
    assert [finding for finding in check_ledger(place) if finding.broken] == []
    reading = open_reading(place)
    documents = reading.fulfillments(FulfillmentFilter(), None, 999, None).documents
    reading.close()
    return [document["tracking_number"] for document in reversed(documents)]


def body(outcome: Outcome | Fault) -> Document:
    assert isinstance(outcome, Done), outcome
    return outcome.body


def reason(outcome: Outcome | Fault) -> Reason:
    assert isinstance(outcome, Refusal), outcome
    return outcome.reason


def crash_after_deciding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that raises for one command, when all its changes are made."""

    def decide(command: Command, working_set: WorkingSet, now: Microseconds) -> Outcome:
        outcome = decision.decide(command, working_set, now)
        if isinstance(command, CreateFulfillment) and command.tracking.number == "poison":
            raise ZeroDivisionError
        return outcome

    monkeypatch.setattr(batch, "decide", decide)


def break_a_constraint(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that lets one command take more than there is."""
    take = share.take

    def take_too_much(one: Share) -> list[tuple[OrderLine, int]]:
        return [(line, quantity if quantity < 9 else 10) for line, quantity in take(one)]

    monkeypatch.setattr(fulfilling, "take", take_too_much)


@pytest.mark.parametrize("poison", [crash_after_deciding, break_a_constraint])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_poisoned_command_fails_alone(
    place: Database, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, poison: Any, at: int
) -> None:
    poison(monkeypatch)
    commands: list[Command] = [ship(1, ("A", 1), number="first"), ship(1, ("A", 2), number="second")]
    commands.insert(at, ship(2, ("A", 9), number="poison", key="k"))
    outcomes = commit_batch(ledger, commands, NOW)
    assert isinstance(outcomes.pop(at), Crashed)
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert numbers(place) == ["first", "second"]
    monkeypatch.undo()
    (mended,) = commit_batch(ledger, [ship(2, ("A", 9), number="poison", key="k")], NOW)
    assert body(mended)["line_items"] == [{"sku": "A", "quantity": 9}], "its key was not kept"


def test_a_parcel_of_several_orders_is_dropped_whole(
    place: Database, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash_after_deciding(monkeypatch)
    both = ship(1, ("A", 9), number="poison")
    both = replace(both, orders=(*both.orders, *ship(2, ("A", 9)).orders))
    crashed, done = commit_batch(ledger, [both, ship(1, ("A", 9), number="good")], NOW)
    assert isinstance(crashed, Crashed)
    assert isinstance(done, Done)
    assert numbers(place) == ["good"]


def test_a_later_command_sees_what_an_earlier_one_did(place: Database, ledger: Ledger) -> None:
    created, shipped, refused, rest, nothing = commit_batch(
        ledger,
        [
            order(3, ("B", 3), reference="#3"),
            ship("#3", ("B", 2), number="T1"),
            ship(3, ("B", 2), number="T2"),
            ship(3, number="T1"),
            ship(3, number="T3"),
        ],
        NOW,
    )
    assert body(created)["id"] == 3
    assert body(shipped)["line_items"] == [{"sku": "B", "quantity": 2}]
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.details[0].remaining) == (Reason.INVALID_LINES, 1)
    assert body(rest)["line_items"] == [{"sku": "B", "quantity": 1}]
    assert body(rest)["warnings"][0]["code"] == "tracking_number_repeated"
    assert reason(nothing) is Reason.INVALID_LINES
    assert numbers(place) == ["T1", "T1"]


def test_a_key_that_comes_twice_in_one_batch_is_applied_once(place: Database, ledger: Ledger) -> None:
    first, again, other = commit_batch(
        ledger, [ship(1, ("A", 1), key="k"), ship(1, ("A", 1), key="k"), ship(1, ("A", 2), key="k")], NOW
    )
    assert isinstance(first, Done)
    assert again == replace(first, replayed=True)
    assert reason(other) is Reason.KEY_REUSED
    assert numbers(place) == ["1Z"]
    (later,) = commit_batch(ledger, [ship(1, ("A", 1), key="k")], NOW + 1)
    assert later == again


def test_a_refusal_is_not_kept_and_can_be_mended_in_the_same_batch(place: Database, ledger: Ledger) -> None:
    refused, mended = commit_batch(ledger, [ship(1, ("A", 10), key="k"), ship(1, ("A", 9), key="k")], NOW)
    assert reason(refused) is Reason.INVALID_LINES
    assert not isinstance(mended, Refusal)
    assert numbers(place) == ["1Z"]


def test_a_dry_run_leaves_nothing_to_its_neighbours(place: Database, ledger: Ledger) -> None:
    dry, done, replayed = commit_batch(
        ledger,
        [
            replace(ship(1, number="dry", key="k"), dry_run=True),
            ship(1, number="real", key="k"),
            ship(1, number="real", key="k"),
        ],
        NOW,
    )
    assert (body(dry)["status"], body(dry)["id"]) == ("dry_run", None)
    assert body(done)["line_items"] == [{"sku": "A", "quantity": 9}]
    assert body(replayed) == body(done)
    assert numbers(place) == ["real"]


class FailingLedger:
    """A ledger whose transactions end with a fault."""

    def __init__(self, ledger: Ledger, fault: Exception) -> None:
        self.ledger = ledger
        self.fault: Exception | None = fault
        self.transactions = 0
        self.load, self.save, self.close = ledger.load, ledger.save, ledger.close

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.transactions += 1
        with self.ledger.transaction():
            yield
            if self.fault is not None:
                raise self.fault


@pytest.mark.parametrize("fault", [Unavailable("the disk is full"), OutcomeUnknown("the answer was lost")])
def test_where_the_database_is_away_nobody_waits_for_it_twice(place: Database, ledger: Ledger, fault: Fault) -> None:
    failing = FailingLedger(ledger, fault)
    outcomes = commit_batch(failing, [ship(1, ("A", 1), number=f"T{at}") for at in range(5)], NOW)
    assert outcomes == [fault] * 5
    assert failing.transactions == 1
    failing.fault = None
    commit_batch(failing, [ship(1, ("A", 1), number="after")], NOW)
    assert numbers(place) == ["after"]


def test_a_batch_that_fails_as_a_whole_is_tried_one_command_at_a_time(place: Database, ledger: Ledger) -> None:
    failing = FailingLedger(ledger, ValueError("a defect of storage"))
    outcomes = commit_batch(failing, [ship(1, ("A", 1)) for _ in range(5)], NOW)
    assert [type(outcome) for outcome in outcomes] == [Crashed] * 5
    assert failing.transactions == 1 + 5
    assert numbers(place) == []
