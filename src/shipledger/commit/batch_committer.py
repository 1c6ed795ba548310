"""The committer: one thread that turns the commands of many requests into few durable transactions.

It takes whatever gathered while the last batch was being committed. There is no timer: alone, a command is committed
at once; under load, batches grow by themselves.
"""

import asyncio
import logging
import queue
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from shipledger.command import Command
from shipledger.commit.batch import commit_batch
from shipledger.outcome import Fault, Outcome, Unavailable
from shipledger.storage.port import Ledger
from shipledger.timestamp import Microseconds

log = logging.getLogger("shipledger.commit")

BATCH_MAX = 256
"""Commands in one transaction."""
QUEUE_MAX = 2_048
"""Commands that wait. One more is refused at once (503): waiting longer than this helps nobody."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    command: Command
    answer: asyncio.Future[Outcome]


class BatchCommitter:
    """Owns the ledger's writing side; `submit` is the only way in."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Callable[[], Microseconds],
        *,
        on_commit: Callable[[], None] = lambda: None,
        batch_max: int = BATCH_MAX,
        queue_max: int = QUEUE_MAX,
    ) -> None:
        """`clock` is read once a batch: all its commands happen at one moment. `on_commit` is told after each batch."""
        self._ledger = ledger
        self._clock = clock
        self._on_commit = on_commit
        self._batch_max = batch_max
        self._queue_max = queue_max
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def submit(self, command: Command) -> "asyncio.Future[Outcome]":
        """Hand in a command from an event loop; the future holds its durable outcome, or a `Fault`.

        Raises Unavailable where the queue is full or the committer is closing.
        """
        if self._is_closing:
            raise Unavailable("the server is shutting down")
        if self._queue.qsize() >= self._queue_max:
            raise Unavailable("too many requests are waiting")
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._queue.put(_Waiting(command, answer))
        return answer

    def close(self, seconds_max: float | None = None) -> None:
        """Commit and answer what was handed in, take no more, and let go of the ledger.

        What storage does not take within this time is not waited for: nobody was told that it was done.
        """
        if not self._is_closing:
            self._is_closing = True
            self._queue.put(None)
        self._thread.join(seconds_max)
        if not self._thread.is_alive():
            self._ledger.close()

    def _run(self) -> None:
        is_open = True
        while is_open:
            batch = [self._queue.get()]
            while len(batch) < self._batch_max and batch[-1] is not None:
                try:
                    batch.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            is_open = batch[-1] is not None
            self._commit([waiting for waiting in batch if waiting is not None])

    def _commit(self, batch: list[_Waiting]) -> None:
        if not batch:
            return
        outcomes = commit_batch(self._ledger, [waiting.command for waiting in batch], self._clock())
        answers: defaultdict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Outcome], Outcome | Fault]]]
        answers = defaultdict(list)
        for waiting, outcome in zip(batch, outcomes, strict=True):
            answers[waiting.answer.get_loop()].append((waiting.answer, outcome))
        for loop, answered in answers.items():
            try:
                loop.call_soon_threadsafe(_answer, answered)
            except RuntimeError:
                log.warning("a loop closed before its answers came; what was committed stays committed")
        self._on_commit()


def _answer(answered: list[tuple[asyncio.Future[Outcome], Outcome | Fault]]) -> None:
    for future, outcome in answered:
        if future.done():
            continue  # its client went away; what was committed stays committed
        if isinstance(outcome, Fault):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
