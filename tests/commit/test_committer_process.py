"""The committer in a process of its own: bounded, answering after COMMIT, and missed when it is gone."""

import asyncio
import itertools
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from shipledger.command import AllOrNone, CreateOrder
from shipledger.commit import wire
from shipledger.commit.committer_process import CommitterProcess
from shipledger.order import OrderContent, OrderedLine
from shipledger.outcome import Done, OutcomeUnknown, Unavailable
from shipledger.refusal import Reason, Refusal
from tests.commit.commands import NOW, new_ledger, order, ship
from tests.commit.held_ledger import SECONDS_MAX, Gate, HeldLedger, parcels

Client = Callable[[CommitterProcess, Gate], Awaitable[None]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    new_ledger(tmp_path / "ledger.db").close()
    return tmp_path / "ledger.db"


def commit_for(
    client: Client, path: Path, *, when_lost: Callable[[], None] = lambda: None, **limits: int
) -> CommitterProcess:
    """Run a client of a committing process, whose ledger has one order of ninety-nine As; COMMITs are then held."""
    gate = Gate(path.parent)
    moments = itertools.count(NOW)
    committer = CommitterProcess(lambda: HeldLedger(path, gate), lambda: next(moments), **limits)
    committer.start()

    async def connected() -> None:
        await committer.connect(when_lost)
        gate.let_go.set()
        await committer.submit(order(1, ("A", 99)))
        gate.hold()
        try:
            await client(committer, gate)
        finally:
            gate.let_go.set()
            await committer.disconnect(SECONDS_MAX)

    try:
        asyncio.run(asyncio.wait_for(connected(), SECONDS_MAX))
    finally:
        committer.close()
    return committer


async def until_commit(gate: Gate) -> None:
    assert await asyncio.to_thread(gate.is_at_commit.wait, SECONDS_MAX)


def test_an_answer_comes_only_after_its_commit(path: Path) -> None:
    async def client(committer: CommitterProcess, gate: Gate) -> None:
        answer = committer.submit(ship(1, ("A", 1)))
        await until_commit(gate)
        assert not answer.done()
        assert parcels(path) == []
        gate.let_go.set()
        assert isinstance(await answer, Done)
        assert len(parcels(path)) == 1

    commit_for(client, path)


def test_a_full_queue_refuses_at_once_and_takes_again_when_it_is_shorter(path: Path) -> None:
    async def client(committer: CommitterProcess, gate: Gate) -> None:
        in_bulk = committer.submit_many([ship(1, ("A", 1), number="in bulk") for _ in range(9)])
        answers = [committer.submit(ship(1, ("A", 1), number="taken")) for _ in range(3)]
        for _ in range(2):
            with pytest.raises(Unavailable):
                committer.submit(ship(1, ("A", 1), number="refused"))
        gate.let_go.set()
        await asyncio.gather(*answers, in_bulk)
        await committer.submit(ship(1, ("A", 1), number="after"))

    commit_for(client, path, queue_max=3)
    assert Counter(number for number, _ in parcels(path)) == {"after": 1, "taken": 3, "in bulk": 9}


def test_bulk_commands_come_to_no_end_by_themselves_and_are_refused_first_where_the_server_ends(path: Path) -> None:
    async def client(committer: CommitterProcess, gate: Gate) -> None:
        taken = committer.submit_many(AllOrNone((ship(1, ("A", 1)), ship(1, ("A", 2)))))
        committer.take_no_more_in_bulk()
        with pytest.raises(Unavailable):
            committer.submit_many([ship(1, ("A", 1))])
        single = committer.submit(ship(1, ("A", 1)))
        gate.let_go.set()
        assert [type(outcome) for outcome in [await single, *await taken]] == [Done] * 3

    commit_for(client, path)
    assert len(parcels(path)) == 3


def test_a_client_that_goes_away_takes_nothing_along(path: Path) -> None:
    async def client(committer: CommitterProcess, gate: Gate) -> None:
        gone, stays = committer.submit(ship(1, ("A", 1), number="gone")), committer.submit(ship(1, number="stays"))
        await until_commit(gate)
        gone.cancel()
        gate.let_go.set()
        assert isinstance(await stays, Done)

    commit_for(client, path)
    assert {number for number, _ in parcels(path)} == {"gone", "stays"}


def test_closing_commits_what_was_handed_in_and_takes_no_more(path: Path) -> None:
    async def client(committer: CommitterProcess, gate: Gate) -> None:
        committer.submit(ship(1, ("A", 1), number="in hand"))
        await until_commit(gate)
        committer.submit(ship(1, ("A", 1), number="waiting"))
        await asyncio.sleep(0)

        disconnecting = asyncio.create_task(committer.disconnect(SECONDS_MAX))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            committer.submit(ship(1, ("A", 1), number="late"))
        gate.let_go.set()
        await disconnecting

    commit_for(client, path)
    assert [number for number, _ in parcels(path)] == ["waiting", "in hand"]


def test_what_storage_does_not_take_in_time_is_given_up(path: Path) -> None:
    gate = Gate(path.parent)
    committer = CommitterProcess(lambda: HeldLedger(path, gate), lambda: NOW)
    committer.start()

    async def client() -> None:
        await committer.connect(lambda: None)
        committer.submit(order(1, ("A", 99)))
        await until_commit(gate)
        await committer.disconnect(seconds_max=0.1)

    asyncio.run(asyncio.wait_for(client(), SECONDS_MAX))
    committer.close()
    assert parcels(path) == []


def test_the_loss_of_the_process_is_told_and_leaves_the_outcome_open(path: Path) -> None:
    lost: list[bool] = []

    async def client(committer: CommitterProcess, gate: Gate) -> None:
        answer = committer.submit(ship(1, ("A", 1)))
        together = committer.submit_many([ship(1, ("A", 1))])
        await until_commit(gate)
        os.kill(committer._pid, signal.SIGKILL)
        with pytest.raises(OutcomeUnknown):
            await answer
        assert isinstance((await together)[0], OutcomeUnknown)
        with pytest.raises(Unavailable):
            committer.submit(ship(1, ("A", 1)))

    committer = commit_for(client, path, when_lost=lambda: lost.append(True))
    assert committer.is_lost
    assert lost == [True]


def test_a_thread_that_fails_takes_the_process_along(path: Path) -> None:
    """What is left of it would take commands, and answer none for ever."""
    gate = Gate(path.parent)
    gate.let_go.set()
    committer = CommitterProcess(lambda: HeldLedger(path, gate), lambda: next(iter(())))
    committer.start()

    async def client() -> None:
        await committer.connect(lambda: None)
        with pytest.raises(OutcomeUnknown):
            await committer.submit(order(1, ("A", 99)))

    asyncio.run(asyncio.wait_for(client(), SECONDS_MAX))
    committer.close()
    assert committer.is_lost


HUGE = CreateOrder(order(1, ("A", 1)).origin, OrderContent(1, (OrderedLine("A", 1),), metadata={"n": 10**40}))


@pytest.mark.parametrize(
    "value",
    [
        ship(1, ("A", 1), ("B", 2), key="k"),
        ship("#1", number="1Z"),
        order(1, ("A", 99)),
        AllOrNone((ship(1, ("A", 1)), order(1, ("A", 99))), is_spoiled=True),
        HUGE,
        Done({"order_id": 1, "share": 0.5, "none": None, "lines": [{"sku": "A"}]}, 7, is_new=False, replayed=True),
        Done({"metadata": {"n": 10**40}}),
        Refusal(Reason.ORDER_NOT_FOUND),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_arrive_as_they_were_sent(value: Any) -> None:
    sent = wire.frame(5, [value, value], in_bulk=True) + wire.frame(6, [])
    frames = wire.Frames()
    messages = [message for byte in sent for message in frames.feed(bytes([byte]))]
    assert messages == [(5, True, [value, value]), (6, False, [])]
