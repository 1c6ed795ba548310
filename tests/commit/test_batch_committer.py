"""The committer: commands gather while a batch is committed, and are answered after COMMIT."""

import itertools
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shipledger.command import Command
from shipledger.commit.batch_committer import BatchCommitter
from shipledger.outcome import Done, Fault, Outcome
from tests.commit.commands import NOW, hand_in_handful, new_ledger, order, ship
from tests.commit.held_ledger import SECONDS_MAX, Gate, HeldLedger, parcels

Answers = queue.SimpleQueue[list[Outcome | Fault]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> HeldLedger:
    new_ledger(path).close()
    return HeldLedger(path, Gate(path.parent))


@contextmanager
def committing(ledger: HeldLedger, batch_max: int = 256) -> Iterator[BatchCommitter]:
    """A committer over a ledger with one order of ninety-nine As; every COMMIT after that is held."""
    moments = itertools.count(NOW)
    committer = BatchCommitter(ledger, lambda: next(moments), batch_max=batch_max)
    committer.start()
    ledger.gate.let_go.set()
    first = hand_in(committer, order(1, ("A", 99)))
    first.get(timeout=SECONDS_MAX)
    ledger.gate.hold()
    try:
        yield committer
    finally:
        ledger.gate.let_go.set()
        committer.close()


def hand_in(committer: BatchCommitter, *commands: Command) -> Answers:
    answers: Answers = queue.SimpleQueue()
    hand_in_handful(committer, commands, answers.put)
    return answers


def gather_in_one_batch(committer: BatchCommitter, ledger: HeldLedger, commands: list[Command]) -> list[Answers]:
    """Hand a first command in, and the others while it is being committed."""
    first, *others = commands
    answers = [hand_in(committer, first)]
    assert ledger.gate.is_at_commit.wait(SECONDS_MAX)
    return answers + [hand_in(committer, command) for command in others]


def test_an_answer_comes_only_after_its_commit(path: Path, ledger: HeldLedger) -> None:
    with committing(ledger) as committer:
        answers = hand_in(committer, ship(1, ("A", 1)))
        assert ledger.gate.is_at_commit.wait(SECONDS_MAX)
        assert answers.empty()
        assert parcels(path) == []
        ledger.gate.let_go.set()
        assert isinstance(answers.get(timeout=SECONDS_MAX)[0], Done)
        assert len(parcels(path)) == 1


def test_what_gathers_while_a_batch_is_committed_is_the_next_batch(ledger: HeldLedger) -> None:
    commits = 0
    commit = ledger._commit

    def counted() -> None:
        nonlocal commits
        commits += 1
        commit()

    with committing(ledger) as committer:
        ledger._commit = counted  # type: ignore[method-assign]
        answers = gather_in_one_batch(committer, ledger, [ship(1, ("A", 1)) for _ in range(11)])
        ledger.gate.let_go.set()
        for answer in answers:
            answer.get(timeout=SECONDS_MAX)
    assert commits == 2


def test_a_batch_is_no_larger_than_it_may_be(ledger: HeldLedger) -> None:
    sizes = []
    load = ledger.load

    def counted(needs: Any) -> Any:
        sizes.append(len(needs.repeats))
        return load(needs)

    with committing(ledger, batch_max=4) as committer:
        ledger.load = counted  # type: ignore[method-assign]
        commands: list[Command] = [ship(1, ("A", 1), number=str(at)) for at in range(11)]
        answers = gather_in_one_batch(committer, ledger, commands)
        ledger.gate.let_go.set()
        for answer in answers:
            answer.get(timeout=SECONDS_MAX)
    assert sizes == [1, 4, 4, 2]


def test_what_was_handed_in_together_is_answered_together_in_its_order(path: Path, ledger: HeldLedger) -> None:
    with committing(ledger, batch_max=2) as committer:
        answers = hand_in(committer, *(ship(1, ("A", 1), number=number) for number in "abcde"))
        ledger.gate.let_go.set()
        outcomes = answers.get(timeout=SECONDS_MAX)
    assert [outcome.body["tracking_number"] for outcome in outcomes if isinstance(outcome, Done)] == list("abcde")
    assert [number for number, _ in parcels(path)] == list("edcba")


def test_closing_commits_what_was_handed_in(path: Path, ledger: HeldLedger) -> None:
    with committing(ledger, batch_max=4) as committer:
        answers = gather_in_one_batch(committer, ledger, [ship(1, ("A", 1), number="taken") for _ in range(10)])
        ledger.gate.let_go.set()
        committer.close()
        assert all(isinstance(answer.get_nowait()[0], Done) for answer in answers)
    assert [number for number, _ in parcels(path)] == ["taken"] * 10
