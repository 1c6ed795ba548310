"""Commands of bulk requests in turn with single ones: in batches of a bounded size, and never in a single one's way."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shipledger.command import AllOrNone, Command
from shipledger.commit import batch, batch_committer
from shipledger.commit.batch_committer import BULK_ALONE_MAX, BULK_MAX, BatchCommitter
from shipledger.outcome import Crashed, Done, Fault, Outcome
from shipledger.refusal import Reason, Refusal
from shipledger.storage.sqlite import SqliteLedger
from tests.commit.commands import NOW, hand_in_bulk, hand_in_handful, new_ledger, order, ship

SECONDS_MAX = 20
PLENTY = 10**6
GROUP = BULK_MAX // 2
SINGLE = ship(1, ("A", 1), number="single")


class Batches:
    """Counts the commands of each batch; the first waits until it is let go, so that others gather behind it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        self.with_single: list[int] = []
        self.has_begun, self.let_go = threading.Event(), threading.Event()
        self._commit = batch.commit_batch
        monkeypatch.setattr(batch_committer, "commit_batch", self)

    def __call__(self, ledger: Any, commands: Any, now: int) -> Any:
        self.has_begun.set()
        assert self.let_go.wait(SECONDS_MAX)
        if SINGLE in commands:
            self.with_single.append(len(self.sizes))
        self.sizes.append(len(commands))
        return self._commit(ledger, commands, now)


@pytest.fixture
def ledger(tmp_path: Path) -> SqliteLedger:
    return new_ledger(tmp_path / "ledger.db")


@contextmanager
def committing(ledger: SqliteLedger, batch_max: int = 256) -> Iterator[BatchCommitter]:
    committer = BatchCommitter(ledger, lambda: NOW, batch_max=batch_max)
    committer.start()
    try:
        yield committer
    finally:
        committer.close()


class Answers:
    """What was answered, in the order in which it was: names of those that handed it in, with their outcomes."""

    def __init__(self) -> None:
        self._answers: queue.SimpleQueue[tuple[str, list[Outcome | Fault]]] = queue.SimpleQueue()

    def of(self, name: str) -> Any:
        return lambda outcomes: self._answers.put((name, outcomes))

    def next(self) -> list[Outcome | Fault]:
        return self._answers.get(timeout=SECONDS_MAX)[1]

    def names(self, count: int) -> list[str]:
        return [self._answers.get(timeout=SECONDS_MAX)[0] for _ in range(count)]


def units(count: int) -> list[Command]:
    return [ship(1, ("A", 1)) for _ in range(count)]


def commit_beside(ledger: SqliteLedger, batches: Batches, groups: int) -> None:
    """An order, then so many groups of a bulk request, and a single command that comes while the order is committed."""
    answers = Answers()
    committer = BatchCommitter(ledger, lambda: NOW)
    hand_in_handful(committer, [order(1, ("A", PLENTY))], answers.of("order"))
    for _ in range(groups):
        hand_in_bulk(committer, units(GROUP), answers.of("bulk"))
    committer.start()
    assert batches.has_begun.wait(SECONDS_MAX)
    hand_in_handful(committer, [SINGLE], answers.of("single"))
    batches.let_go.set()
    answers.names(groups + 2)
    committer.close()


def test_a_single_command_waits_for_one_batch_of_bulk_ones_at_most(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = Batches(monkeypatch)
    commit_beside(ledger, batches, 40)
    assert batches.sizes[:3] == [1, BULK_MAX, 1], "the order; bulk ones; the single one by itself"
    assert batches.with_single == [2]
    assert sum(batches.sizes) == 40 * GROUP + 2


def test_without_a_bound_on_the_lane_a_single_command_waits_for_all_of_it(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(batch_committer, "BULK_MAX", 10**9)
    batches = Batches(monkeypatch)
    commit_beside(ledger, batches, 40)
    assert batches.sizes == [1, 40 * GROUP, 1]


@pytest.mark.parametrize(("lately_seconds", "size"), [(10**6, BULK_MAX), (-1, BULK_ALONE_MAX)])
def test_batches_of_bulk_commands_are_large_where_no_single_one_came_lately(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch, lately_seconds: float, size: int
) -> None:
    monkeypatch.setattr(batch_committer, "LATELY_SECONDS", lately_seconds)
    batches = Batches(monkeypatch)
    commit_beside(ledger, batches, 40)
    assert {*batches.sizes[3:-1]} == {size}


def test_before_any_single_command_batches_are_large(ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    batches, answers = Batches(monkeypatch), Answers()
    committer = BatchCommitter(ledger, lambda: NOW)
    for _ in range(40):
        hand_in_bulk(committer, units(GROUP), answers.of("bulk"))
    committer.start()
    batches.let_go.set()
    answers.names(40)
    committer.close()
    assert batches.sizes[0] == BULK_ALONE_MAX


def test_single_commands_do_not_keep_bulk_ones_waiting_for_ever(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches, answers = Batches(monkeypatch), Answers()
    with committing(ledger, batch_max=10) as committer:
        hand_in_handful(committer, [order(1, ("A", PLENTY))], answers.of("order"))
        for at in range(100):
            hand_in_handful(committer, units(1), answers.of("single"))
            if at == 50:
                hand_in_bulk(committer, units(5), answers.of("bulk"))
        batches.let_go.set()
        names = answers.names(102)
    assert names.index("bulk") <= 62, "they have their turn"


def test_outcomes_come_in_the_order_of_their_commands(ledger: SqliteLedger) -> None:
    answers = Answers()
    with committing(ledger) as committer:
        hand_in_handful(committer, [order(1, ("A", 3))], answers.of("order"))
        asked = [ship(1, ("A", 2)), ship(1, ("A", 2)), ship(2), ship(1, ("A", 1))]
        hand_in_bulk(committer, asked, answers.of("bulk"))
        answers.next()
        done, too_many, nowhere, rest = answers.next()
    assert (type(done), type(rest)) == (Done, Done)
    assert [getattr(no, "reason", None) for no in (too_many, nowhere)] == [Reason.INVALID_LINES, Reason.ORDER_NOT_FOUND]


def test_what_crashes_crashes_alone_unless_all_stand_together(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, answers = SqliteLedger.save, Answers()

    def save_but_no_b(self: SqliteLedger, working_set: Any) -> None:
        if any(line.sku == "B" for fulfillment in working_set.new_fulfillments for line in fulfillment.lines):
            raise ArithmeticError
        save(self, working_set)

    monkeypatch.setattr(SqliteLedger, "save", save_but_no_b)
    commands = [ship(1, ("A", 1)), ship(1, ("B", 1)), ship(1, ("A", 1))]
    with committing(ledger) as committer:
        hand_in_handful(committer, [order(1, ("A", 9), ("B", 9))], answers.of("order"))
        hand_in_bulk(committer, commands, answers.of("apart"))
        hand_in_bulk(committer, AllOrNone(tuple(commands)), answers.of("together"))
        answers.next()
        assert [type(outcome) for outcome in answers.next()] == [Done, Crashed, Done]
        assert [type(outcome) for outcome in answers.next()] == [Crashed] * 3


def test_all_are_carried_out_or_none(ledger: SqliteLedger) -> None:
    answers = Answers()
    twos = (ship(1, ("A", 1)), ship(1, ("A", 2)))
    with committing(ledger) as committer:
        hand_in_handful(committer, [order(1, ("A", 3))], answers.of("order"))
        for is_spoiled in (True, False, False):
            hand_in_bulk(committer, AllOrNone(twos, is_spoiled), answers.of("together"))
        answers.next()
        assert answers.next() == [Refusal(Reason.NOT_ALONE)] * 2
        assert [type(outcome) for outcome in answers.next()] == [Done, Done]
        assert [getattr(outcome, "reason", None) for outcome in answers.next()] == [Reason.INVALID_LINES] * 2


def test_closing_commits_and_answers_what_waits_in_the_lane(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches, answers = Batches(monkeypatch), Answers()
    with committing(ledger) as committer:
        hand_in_handful(committer, [order(1, ("A", PLENTY))], answers.of("order"))
        for _ in range(9):
            hand_in_bulk(committer, units(100), answers.of("bulk"))
        hand_in_bulk(committer, AllOrNone(tuple(units(3))), answers.of("together"))
        batches.let_go.set()
    assert answers.names(11) == ["order", *["bulk"] * 9, "together"]
