"""The committer: one thread that turns the commands of many requests into few durable transactions.

It takes whatever gathered while the last batch was being committed. There is no timer: alone, a command is committed
at once; under load, batches grow by themselves.
"""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shipledger.command import Command
from shipledger.commit.batch import commit_batch
from shipledger.outcome import Fault, Outcome
from shipledger.storage.port import Ledger
from shipledger.timestamp import Microseconds

log = logging.getLogger("shipledger.commit")

BATCH_MAX = 256
"""Commands in one transaction."""


@dataclass(slots=True)
class _Handful:
    """Commands that came together and are answered together; `outcomes` fill up batch by batch."""

    outcomes: list[Outcome | Fault]
    missing: int
    answer: Callable[[list[Outcome | Fault]], None]


@dataclass(frozen=True, slots=True)
class _Waiting:
    command: Command
    handful: _Handful


class BatchCommitter:
    """Owns the ledger's writing side; `hand_in` is the only way in."""

    def __init__(self, ledger: Ledger, clock: Callable[[], Microseconds], *, batch_max: int = BATCH_MAX) -> None:
        """`clock` is read once a batch: all its commands happen at one moment."""
        self._ledger = ledger
        self._clock = clock
        self._batch_max = batch_max
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def hand_in(self, commands: Sequence[Command], answer: Callable[[list[Outcome | Fault]], None]) -> None:
        """Have commands committed, in this order, not necessarily in one batch.

        `answer` is called in the committer's thread with their durable outcomes, once there are all.
        """
        handful = _Handful([], len(commands), answer)
        for command in commands:
            self._queue.put(_Waiting(command, handful))

    def close(self) -> None:
        """Commit and answer what was handed in, take no more, and let go of the ledger."""
        self._queue.put(None)
        self._thread.join()
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
        for waiting, outcome in zip(batch, outcomes, strict=True):
            handful = waiting.handful
            handful.outcomes.append(outcome)
            handful.missing -= 1
            if not handful.missing:
                handful.answer(handful.outcomes)
