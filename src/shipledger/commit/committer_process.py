"""The committer in a process of its own, as the process that talks to clients sees it.

Two threads of one Python process take turns; two processes do not. Commands and outcomes are plain values, so that they
can be sent over a socket, as many at a time as one turn of the event loop brought.
"""

import asyncio
import itertools
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

from shipledger.command import AllOrNone, Command
from shipledger.commit.batch_committer import BATCH_MAX, BatchCommitter, Bulk, Handful
from shipledger.commit.errand_line import ErrandLine
from shipledger.commit.fair_queue import Room
from shipledger.commit.wire import Frames, frame
from shipledger.outcome import Fault, Outcome, OutcomeUnknown, Unavailable
from shipledger.storage.port import ErrandDone, WritingLedger
from shipledger.timestamp import Microseconds
from shipledger.value import dataclass

log = logging.getLogger("shipledger.commit")

QUEUE_MAX = 2_048
"""Commands that wait. One more is refused at once (503): waiting longer than this helps nobody."""
SEND_MAX = 64
"""Commands in one message: small enough for the other process to begin while more are on their way."""
_RECEIVE_BYTES = 256 * 1024
END_SECONDS_MAX = 0.25
_POLL_SECONDS = 0.005

Outcomes = list[Outcome | Fault]
Answer = Callable[[Outcomes], None]


@dataclass(frozen=True, slots=True)
class _Sent:
    """What the other process was sent: how many commands, whose answers they are, and by which lane.

    `account` is that of single commands, which give back its places in the queue.
    """

    commands: int
    answer: Answer
    in_bulk: bool
    account: str = ""


class CommitterProcess:
    """The door to the ledger's writing side. One event loop uses it: `connect`, then `submit`."""

    def __init__(
        self,
        open_ledger: Callable[[], WritingLedger],
        clock: Callable[[], Microseconds],
        *,
        batch_max: int = BATCH_MAX,
        queue_max: int = QUEUE_MAX,
    ) -> None:
        """`open_ledger` and `clock` are called in the other process; the clock once a batch."""
        self._open_ledger = open_ledger
        self._clock = clock
        self._batch_max = batch_max
        self._room = Room(queue_max)
        self._numbers = itertools.count()
        self._waiting: dict[int, _Sent] = {}
        self._errand_lines: list[tuple[socket.socket, socket.socket]] = []
        self._gathered: dict[str, tuple[list[Command], list[asyncio.Future[Outcome]]]] = {}
        self._line: asyncio.Transport | None = None
        self._has_hung_up = asyncio.Event()
        self._takes_bulk = True
        self._is_closing = False
        self.is_lost = False
        """Whether the other process ended by itself. What it had in hand may or may not be committed."""

    def errand_line(self) -> ErrandLine:
        """A line for errands beside this one, for whichever process uses it. To be asked for before `start`."""
        ours, theirs = socket.socketpair()
        self._errand_lines.append((ours, theirs))
        return ErrandLine(ours)

    def start(self) -> None:
        """Start the other process. To be called before this one has threads of its own."""
        self._socket, theirs = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            self._socket.close()
            for ours, _ in self._errand_lines:
                ours.close()
            errand_lines = [theirs for _, theirs in self._errand_lines]
            _commit_until_told(theirs, errand_lines, self._open_ledger, self._clock, self._batch_max)
        for end in (theirs, *(theirs for _, theirs in self._errand_lines)):
            end.close()

    def forget(self) -> None:
        """In a process that was forked off this one: leave the other process to its parent."""
        self._socket.close()

    async def connect(self, when_lost: Callable[[], None], when_answered: Callable[[], None] = lambda: None) -> None:
        """Listen to the other process.

        `when_lost` is called where it ends without having been told to; `when_answered` after its outcomes came.
        """
        self._when_lost, self._when_answered = when_lost, when_answered
        self._loop = asyncio.get_running_loop()
        self._line, _ = await self._loop.create_unix_connection(
            lambda: _Line(self._take, self._lose), sock=self._socket
        )

    def submit(self, command: Command) -> "asyncio.Future[Outcome]":
        """Hand in a command; the future holds its durable outcome, or a `Fault`. Raises Unavailable."""
        self._require_open()
        self._room.take(command.origin.account)
        answer: asyncio.Future[Outcome] = self._loop.create_future()
        if not self._gathered:
            self._loop.call_soon(self._send_gathered)
        commands, answers = self._gathered.setdefault(command.origin.account, ([], []))
        commands.append(command)
        answers.append(answer)
        return answer

    def submit_many(self, commands: Sequence[Command] | AllOrNone) -> "asyncio.Future[Outcomes]":
        """Hand in commands of a bulk request, which are answered together, in their order.

        They count for nothing among those that wait: a bulk request waits for answers before it hands in many more.
        Raises Unavailable where the server is shutting down.
        """
        self._require_open()
        if not self._takes_bulk:
            raise Unavailable("the server is shutting down")
        answer: asyncio.Future[Outcomes] = self._loop.create_future()
        values, count = (
            ([commands], len(commands.commands)) if isinstance(commands, AllOrNone) else (commands, len(commands))
        )
        self._send(values, _Sent(count, partial(_answer_together, answer), in_bulk=True))
        return answer

    def take_no_more_in_bulk(self) -> None:
        """The server is to end: single requests come to theirs, bulk requests may have none."""
        self._takes_bulk = False

    async def disconnect(self, seconds_max: float) -> None:
        """Let the other process commit and answer what it was handed, and hand it nothing more.

        What storage does not take within this time is not waited for: nobody was told that it was done.
        """
        self._is_closing = True
        if self._line is None or self._has_hung_up.is_set():
            return
        self._send_gathered()
        self._line.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds_max):
                await self._has_hung_up.wait()
        self._line.abort()

    def close(self) -> None:
        """Wait for the end of the other process, which has nothing more to do or is given up."""
        self._is_closing = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        wait_for_end(self._pid)

    def _require_open(self) -> None:
        if self._is_closing or self.is_lost or self._line is None:
            raise Unavailable("the server is shutting down")

    def _send_gathered(self) -> None:
        gathered, self._gathered = self._gathered, {}
        # No message holds commands of two accounts: it is answered when all of it is done, and they take turns.
        for account, (commands, answers) in gathered.items():
            for first in range(0, len(commands), SEND_MAX):
                part = commands[first : first + SEND_MAX]
                answer = partial(_answer_each, answers[first : first + SEND_MAX])
                self._send(part, _Sent(len(part), answer, in_bulk=False, account=account))

    def _send(self, values: Sequence[Command | AllOrNone], sent: _Sent) -> None:
        number = next(self._numbers)
        self._waiting[number] = sent
        if self._line is not None:
            self._line.write(frame(number, values, in_bulk=sent.in_bulk))

    def _take(self, number: int, outcomes: list[Any]) -> None:
        sent = self._waiting.pop(number)
        if not sent.in_bulk:
            self._room.give_back(sent.account, sent.commands)
        sent.answer(outcomes)
        self._when_answered()

    def _lose(self) -> None:
        self._has_hung_up.set()
        if self._is_closing:
            return
        log.error("the committing process ended by itself; this one cannot go on without it")
        self.is_lost = True
        lost = OutcomeUnknown("the committing process ended")
        for number, sent in list(self._waiting.items()):
            self._take(number, [lost] * sent.commands)
        self._when_lost()


def wait_for_end(pid: int) -> None:
    """Wait for the end of a child that has been told to end, and end it where it does not."""
    deadline = time.monotonic() + END_SECONDS_MAX
    while os.waitpid(pid, os.WNOHANG)[0] != pid:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)


class _Line(asyncio.Protocol):
    """The near end of the socket."""

    def __init__(self, take: Callable[[int, list[Any]], None], lose: Callable[[], None]) -> None:
        self._frames = Frames()
        self._take = take
        self._lose = lose

    def data_received(self, data: bytes) -> None:
        for number, _, outcomes in self._frames.feed(data):
            self._take(number, outcomes)

    def connection_lost(self, _: Exception | None) -> None:
        self._lose()


def _answer_each(answers: list["asyncio.Future[Outcome]"], outcomes: Outcomes) -> None:
    for answer, outcome in zip(answers, outcomes, strict=True):
        if answer.done():
            continue  # its client went away; what was committed stays committed
        if isinstance(outcome, Fault):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)


def _answer_together(answer: "asyncio.Future[Outcomes]", outcomes: Outcomes) -> None:
    if not answer.done():
        answer.set_result(outcomes)


def _commit_until_told(
    line: socket.socket,
    errand_lines: Sequence[socket.socket],
    open_ledger: Callable[[], WritingLedger],
    clock: Callable[[], Microseconds],
    batch_max: int,
) -> NoReturn:
    """The life of the other process: it ends when its parent has said all, or is gone, and all of it is committed."""
    threading.excepthook = _end
    try:
        for stop in (signal.SIGTERM, signal.SIGINT):  # which a terminal sends to both: the parent says when it is over
            signal.signal(stop, signal.SIG_IGN)
        committer = BatchCommitter(open_ledger(), clock, batch_max=batch_max)
        committer.start()
        for errand_line in errand_lines:
            threading.Thread(target=_take_errands, args=(errand_line, committer), name="errands", daemon=True).start()
        frames = Frames()
        while data := line.recv(_RECEIVE_BYTES):
            committer.hand_in(partial(_read, line, frames, data))
        committer.close()
    except BaseException:
        log.exception("the committing process failed")
        os._exit(1)
    os._exit(0)


def _end(failed: threading.ExceptHookArgs) -> None:
    """A thread has failed: what is left would take commands and answer none, and the parent notices an end alone."""
    log.error("the committing process failed", exc_info=failed.exc_value)
    os._exit(1)


def _read(line: socket.socket, frames: Frames, data: bytes) -> Iterator[Handful | Bulk]:
    """What these bytes complete, each with the way back."""
    for number, in_bulk, values in frames.feed(data):
        answer = partial(_send_back, line, number)
        if not in_bulk:
            yield Handful(values, answer)
        else:
            yield Bulk(values[0] if isinstance(values[0], AllOrNone) else values, answer)


def _take_errands(line: socket.socket, committer: BatchCommitter) -> None:
    frames = Frames()
    with suppress(ConnectionError):  # who asked was killed; what was handed in is done all the same
        while data := line.recv(_RECEIVE_BYTES):
            for number, _, (errand,) in frames.feed(data):
                committer.do_errand(errand, partial(_send_one_back, line, number))


def _send_back(line: socket.socket, number: int, outcomes: Sequence[object]) -> None:
    with suppress(ConnectionError):  # nobody is left to be told; what was committed stays committed
        line.sendall(frame(number, outcomes))


def _send_one_back(line: socket.socket, number: int, found: ErrandDone | Fault) -> None:
    _send_back(line, number, [found])
