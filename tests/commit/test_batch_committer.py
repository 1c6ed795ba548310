"""The committer: commands gather while a batch is committed, wait in a bounded queue, and are answered after COMMIT."""

import asyncio
import itertools
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shipledger.commit.batch_committer import BatchCommitter
from shipledger.outcome import Done, Unavailable
from shipledger.storage.port import FulfillmentFilter
from shipledger.storage.sqlite import SqliteLedger
from shipledger.storage.sqlite_reading import sqlite_reading
from tests.commit.commands import NOW, new_ledger, order, ship

SECONDS_MAX = 10


class HeldLedger(SqliteLedger):
    """A ledger whose COMMIT waits until it is let go; it counts the commands of each batch."""

    def hold(self) -> None:
        self.let_go = threading.Event()
        self.is_at_commit = threading.Event()

    def _commit(self) -> None:
        self.is_at_commit.set()
        assert self.let_go.wait(SECONDS_MAX)
        super()._commit()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> HeldLedger:
    new_ledger(path).close()
    held = HeldLedger(path)
    held.hold()
    return held


@contextmanager
def committing(ledger: HeldLedger, **limits: Any) -> Iterator[BatchCommitter]:
    """A committer over a ledger with one order of ninety-nine As; every COMMIT after that is held."""
    moments = itertools.count(NOW)
    committer = BatchCommitter(ledger, lambda: next(moments), **limits)
    committer.start()
    ledger.let_go.set()
    asyncio.run(settled(committer))
    ledger.hold()
    try:
        yield committer
    finally:
        ledger.let_go.set()
        committer.close()


async def settled(committer: BatchCommitter) -> None:
    await committer.submit(order(1, ("A", 99)))


def parcels(path: Path) -> list[tuple[str, str]]:
    """The parcels in the ledger, newest first: their tracking numbers and the moments of their batches."""
    reading = sqlite_reading(path)
    documents = reading.fulfillments(FulfillmentFilter(), None, 99, None).documents
    reading.close()
    return [(document["tracking_number"], document["created_at"]) for document in documents]


def wait_until_closing(committer: BatchCommitter) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not committer._is_closing:
        assert time.monotonic() < deadline
        time.sleep(0.001)


async def until(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, SECONDS_MAX)


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, SECONDS_MAX))


def test_an_answer_comes_only_after_its_commit(path: Path, ledger: HeldLedger) -> None:
    async def client(committer: BatchCommitter) -> None:
        answer = committer.submit(ship(1, ("A", 1)))
        await until(ledger.is_at_commit)
        await asyncio.sleep(0)
        assert not answer.done()
        assert parcels(path) == []
        ledger.let_go.set()
        assert isinstance(await answer, Done)
        assert len(parcels(path)) == 1

    with committing(ledger) as committer:
        run(client(committer))


def test_what_gathers_while_a_batch_is_committed_is_the_next_batch(ledger: HeldLedger) -> None:
    commits = 0
    commit = ledger._commit

    def counted() -> None:
        nonlocal commits
        commits += 1
        commit()

    async def client(committer: BatchCommitter) -> None:
        answers = [committer.submit(ship(1, ("A", 1)))]
        await until(ledger.is_at_commit)
        answers += [committer.submit(ship(1, ("A", 1))) for _ in range(10)]
        ledger.let_go.set()
        await asyncio.gather(*answers)

    with committing(ledger) as committer:
        ledger._commit = counted  # type: ignore[method-assign]
        run(client(committer))
    assert commits == 2


def test_a_batch_is_no_larger_than_it_may_be(ledger: HeldLedger) -> None:
    sizes = []
    load = ledger.load

    def counted(needs: Any) -> Any:
        sizes.append(len(needs.repeats))
        return load(needs)

    async def client(committer: BatchCommitter) -> None:
        answers = [committer.submit(ship(1, ("A", 1)))]
        await until(ledger.is_at_commit)
        answers += [committer.submit(ship(1, ("A", 1), number=str(at))) for at in range(10)]
        ledger.let_go.set()
        await asyncio.gather(*answers)

    with committing(ledger, batch_max=4) as committer:
        ledger.load = counted  # type: ignore[method-assign]
        run(client(committer))
    assert sizes == [1, 4, 4, 2]


def test_a_full_queue_refuses_at_once_and_takes_again_when_it_is_shorter(path: Path, ledger: HeldLedger) -> None:
    async def client(committer: BatchCommitter) -> None:
        answers = [committer.submit(ship(1, ("A", 1), number="in hand"))]
        await until(ledger.is_at_commit)
        answers += [committer.submit(ship(1, ("A", 1), number="waiting")) for _ in range(3)]
        for _ in range(2):
            with pytest.raises(Unavailable):
                committer.submit(ship(1, ("A", 1), number="refused"))
        ledger.let_go.set()
        await asyncio.gather(*answers)
        await committer.submit(ship(1, ("A", 1), number="after"))

    with committing(ledger, queue_max=3) as committer:
        run(client(committer))
    assert [number for number, _ in parcels(path)] == ["after", *["waiting"] * 3, "in hand"]


def test_a_client_that_goes_away_takes_nothing_along(path: Path, ledger: HeldLedger) -> None:
    async def client(committer: BatchCommitter) -> None:
        gone, stays = committer.submit(ship(1, ("A", 1), number="gone")), committer.submit(ship(1, number="stays"))
        await until(ledger.is_at_commit)
        gone.cancel()
        ledger.let_go.set()
        assert isinstance(await stays, Done)

    with committing(ledger) as committer:
        run(client(committer))
    assert {number for number, _ in parcels(path)} == {"gone", "stays"}


def test_a_loop_that_ends_early_does_not_stop_the_committer(path: Path, ledger: HeldLedger) -> None:
    async def hasty(committer: BatchCommitter) -> None:
        committer.submit(ship(1, ("A", 1), number="hasty"))
        await until(ledger.is_at_commit)

    async def client(committer: BatchCommitter) -> None:
        assert isinstance(await committer.submit(ship(1, ("A", 1), number="later")), Done)

    with committing(ledger) as committer:
        run(hasty(committer))
        ledger.let_go.set()
        run(client(committer))
    assert [number for number, _ in parcels(path)] == ["later", "hasty"]


def test_closing_commits_what_was_handed_in_and_takes_no_more(path: Path, ledger: HeldLedger) -> None:
    async def client(committer: BatchCommitter) -> None:
        answers = [committer.submit(ship(1, ("A", 1), number="taken"))]
        await until(ledger.is_at_commit)
        answers += [committer.submit(ship(1, ("A", 1), number="taken")) for _ in range(9)]
        closing = asyncio.create_task(asyncio.to_thread(committer.close))
        await asyncio.to_thread(wait_until_closing, committer)
        with pytest.raises(Unavailable):
            committer.submit(ship(1, ("A", 1), number="late"))
        ledger.let_go.set()
        await closing
        assert all(isinstance(outcome, Done) for outcome in await asyncio.gather(*answers))

    with committing(ledger, batch_max=4) as committer:
        run(client(committer))
    assert [number for number, _ in parcels(path)] == ["taken"] * 10
