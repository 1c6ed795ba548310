"""The committer: one thread that turns the commands of many requests into few durable transactions.

It takes whatever gathered while the last batch was being committed. There is no timer: alone, a command is committed
at once; under load, batches grow by themselves.
"""

import logging
import math
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field

from shipledger.command import AllOrNone, Command
from shipledger.commit.all_or_none import commit_all_or_none
from shipledger.commit.batch import commit_batch
from shipledger.commit.fair_queue import Turns
from shipledger.outcome import Crashed, Fault, Outcome, Unavailable
from shipledger.storage.port import Contention, Errand, ErrandDone, WritingLedger
from shipledger.timestamp import Microseconds
from shipledger.value import dataclass

log = logging.getLogger("shipledger.commit")

BATCH_MAX = 256
"""Single commands in one transaction."""
BULK_MAX = 32
"""Commands of bulk requests in one transaction: what a single one may have to wait for."""
BULK_ALONE_MAX = 256
"""The same where no single one came lately: larger batches cost less a command."""
LATELY_SECONDS = 1.0
"""Longer than a client that sends one request after the other takes from an answer to the next."""

Answer = Callable[[list[Outcome | Fault]], None]


@dataclass(slots=True)
class Handful:
    """Commands of one account that came together and are answered together; `outcomes` fill up batch by batch."""

    commands: Sequence[Command]
    answer: Answer
    outcomes: list[Outcome | Fault] = field(default_factory=list)

    @property
    def account(self) -> str:
        return self.commands[0].origin.account


_Waiting = tuple[Command, Handful]


@dataclass(frozen=True, slots=True)
class Bulk:
    """Commands of a bulk request. They wait apart, so that no single one waits for more than one batch of them."""

    commands: Sequence[Command] | AllOrNone
    answer: Answer


@dataclass(frozen=True, slots=True)
class _Errand:
    errand: Errand
    answer: Callable[[ErrandDone | Fault], None]


HandedIn = Callable[[], Iterable[Handful | Bulk]]


class BatchCommitter:
    """Owns the ledger's writing side; what is handed in is the only way in."""

    def __init__(self, ledger: WritingLedger, clock: Callable[[], Microseconds], *, batch_max: int = BATCH_MAX) -> None:
        """`clock` is read once a batch: all its commands happen at one moment."""
        self._ledger = ledger
        self._clock = clock
        self._batch_max = batch_max
        self._queue: queue.SimpleQueue[_Errand | HandedIn | None] = queue.SimpleQueue()
        self._errands: deque[_Errand] = deque()
        self._turns: Turns[_Waiting] = Turns()
        self._bulk: deque[Bulk] = deque()
        self._single_came_at = -math.inf
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def hand_in(self, read: HandedIn) -> None:
        """Have commands committed. The committer's thread reads them: one beside it would take turns with its deciding.

        Those of a handful are committed in their order, not necessarily in one batch; those of a bulk request together,
        in turn with single ones. They are answered in the committer's thread with their durable outcomes, once there
        are all.
        """
        self._queue.put(read)

    def do_errand(self, errand: Errand, answer: Callable[[ErrandDone | Fault], None]) -> None:
        """Have an errand done between two batches. `answer` is called in the committer's thread."""
        self._queue.put(_Errand(errand, answer))

    def close(self) -> None:
        """Commit and answer what was handed in, take no more, and let go of the ledger."""
        self._queue.put(None)
        self._thread.join()
        self._ledger.close()

    def _run(self) -> None:
        is_open = True
        while is_open or self._turns or self._bulk or self._errands:
            is_open = is_open and self._let_come()
            self._commit_single()
            self._commit_bulk()
            self._commit_together()
            self._do_errands()

    def _let_come(self) -> bool:
        """Line up whatever was handed in, and wait for it where nothing else is to be done; False at the end."""
        while True:
            try:
                waiting = self._queue.get(block=not (self._turns or self._bulk or self._errands))
            except queue.Empty:
                return True
            if waiting is None:
                return False
            if isinstance(waiting, _Errand):
                self._errands.append(waiting)
            else:
                self._line_up(waiting())

    def _line_up(self, handed_in: Iterable[Handful | Bulk]) -> None:
        for asked in handed_in:
            if isinstance(asked, Handful):
                self._turns.add(asked.account, [(command, asked) for command in asked.commands])
            else:
                self._bulk.append(asked)

    def _commit_single(self) -> None:
        """Single commands have batches of their own: they would wait for bulk ones that went along."""
        batch = self._turns.take(self._batch_max)
        if not batch:
            return
        self._single_came_at = time.monotonic()
        outcomes = commit_batch(self._ledger, [command for command, _ in batch], self._clock())
        for (_, handful), outcome in zip(batch, outcomes, strict=True):
            handful.outcomes.append(outcome)
            if len(handful.outcomes) == len(handful.commands):
                handful.answer(handful.outcomes)

    def _commit_bulk(self) -> None:
        batch = self._next_bulk()
        if not batch:
            return
        outcomes = iter(commit_batch(self._ledger, [command for more, _ in batch for command in more], self._clock()))
        for more, answer in batch:
            answer([next(outcomes) for _ in more])

    def _next_bulk(self) -> list[tuple[Sequence[Command], Answer]]:
        """Those of the next batch; commands that stand or fall together have one of their own."""
        is_alone = time.monotonic() - self._single_came_at > LATELY_SECONDS
        left = BULK_ALONE_MAX if is_alone else BULK_MAX
        found: list[tuple[Sequence[Command], Answer]] = []
        while self._bulk and left > 0:
            commands = self._bulk[0].commands
            if isinstance(commands, AllOrNone):
                break
            found.append((commands, self._bulk.popleft().answer))
            left -= len(commands)
        return found

    def _commit_together(self) -> None:
        """Commands that stand or fall together, if their turn has come."""
        if self._bulk and isinstance(asked := self._bulk[0].commands, AllOrNone):
            self._bulk.popleft().answer(commit_all_or_none(self._ledger, asked, self._clock()))

    def _do_errands(self) -> None:
        while self._errands:
            waiting = self._errands.popleft()
            waiting.answer(self._done(waiting.errand))

    def _done(self, errand: Errand) -> ErrandDone | Fault:
        try:
            return ErrandDone(self._ledger.carry_out(errand))
        except Fault as fault:
            return fault
        except Contention as error:
            return Unavailable(str(error))
        except Exception as error:  # it fails alone; who asked for it decides what to do
            log.exception("an errand failed")
            return Crashed(str(error))
