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
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import NoReturn

from shipledger.command import Command
from shipledger.commit.batch_committer import BATCH_MAX, BatchCommitter
from shipledger.commit.wire import Frames, frame
from shipledger.outcome import Fault, Outcome, OutcomeUnknown, Unavailable
from shipledger.storage.port import Ledger
from shipledger.timestamp import Microseconds

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


class CommitterProcess:
    """The door to the ledger's writing side. One event loop uses it: `connect`, then `submit`."""

    def __init__(
        self,
        open_ledger: Callable[[], Ledger],
        clock: Callable[[], Microseconds],
        *,
        batch_max: int = BATCH_MAX,
        queue_max: int = QUEUE_MAX,
    ) -> None:
        """`open_ledger` and `clock` are called in the other process; the clock once a batch."""
        self._open_ledger = open_ledger
        self._clock = clock
        self._batch_max = batch_max
        self._queue_max = queue_max
        self._numbers = itertools.count()
        self._waiting: dict[int, tuple[int, Answer]] = {}
        self._waiting_commands = 0
        self._gathered: list[tuple[Command, asyncio.Future[Outcome]]] = []
        self._line: asyncio.Transport | None = None
        self._has_hung_up = asyncio.Event()
        self._is_closing = False
        self.is_lost = False
        """Whether the other process ended by itself. What it had in hand may or may not be committed."""

    def start(self) -> None:
        """Start the other process. To be called before this one has threads of its own."""
        self._socket, theirs = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            self._socket.close()
            _commit_until_told(theirs, self._open_ledger, self._clock, self._batch_max)
        theirs.close()

    async def connect(self, when_lost: Callable[[], None], when_answered: Callable[[], None] = lambda: None) -> None:
        """Listen to the other process.

        `when_lost` is called where it ends without having been told to; `when_answered` after its outcomes came.
        """
        self._when_lost, self._when_answered = when_lost, when_answered
        loop = asyncio.get_running_loop()
        self._line, _ = await loop.create_unix_connection(lambda: _Line(self._take, self._lose), sock=self._socket)

    def submit(self, command: Command) -> "asyncio.Future[Outcome]":
        """Hand in a command; the future holds its durable outcome, or a `Fault`. Raises Unavailable."""
        self._require_room(1)
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self._send_gathered)
        self._gathered.append((command, answer))
        return answer

    def submit_many(self, commands: Sequence[Command]) -> "asyncio.Future[Outcomes]":
        """Hand in at most SEND_MAX commands that are answered together, in their order. Raises Unavailable."""
        self._require_room(len(commands))
        answer: asyncio.Future[Outcomes] = asyncio.get_running_loop().create_future()
        self._send(commands, partial(_answer_together, answer))
        return answer

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
        deadline = time.monotonic() + END_SECONDS_MAX
        while os.waitpid(self._pid, os.WNOHANG)[0] != self._pid:
            if time.monotonic() > deadline:
                os.kill(self._pid, signal.SIGKILL)
            time.sleep(_POLL_SECONDS)

    def _require_room(self, commands: int) -> None:
        if self._is_closing or self.is_lost or self._line is None:
            raise Unavailable("the server is shutting down")
        if self._waiting_commands + len(self._gathered) + commands > self._queue_max:
            raise Unavailable("too many requests are waiting")

    def _send_gathered(self) -> None:
        gathered, self._gathered = self._gathered, []
        for first in range(0, len(gathered), SEND_MAX):
            part = gathered[first : first + SEND_MAX]
            answers = [answer for _, answer in part]
            self._send([command for command, _ in part], partial(_answer_each, answers))

    def _send(self, commands: Sequence[Command], answer: Answer) -> None:
        number = next(self._numbers)
        self._waiting[number] = len(commands), answer
        self._waiting_commands += len(commands)
        if self._line is not None:
            self._line.write(frame(number, commands))

    def _take(self, number: int, outcomes: Outcomes) -> None:
        commands, answer = self._waiting.pop(number)
        self._waiting_commands -= commands
        answer(outcomes)
        self._when_answered()

    def _lose(self) -> None:
        self._has_hung_up.set()
        if self._is_closing:
            return
        log.error("the committing process ended by itself; this one cannot go on without it")
        self.is_lost = True
        for number, (commands, _) in list(self._waiting.items()):
            self._take(number, [OutcomeUnknown("the committing process ended")] * commands)
        self._when_lost()


class _Line(asyncio.Protocol):
    """The near end of the socket."""

    def __init__(self, take: Callable[[int, Outcomes], None], lose: Callable[[], None]) -> None:
        self._frames = Frames()
        self._take = take
        self._lose = lose

    def data_received(self, data: bytes) -> None:
        for number, outcomes in self._frames.feed(data):
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
    line: socket.socket, open_ledger: Callable[[], Ledger], clock: Callable[[], Microseconds], batch_max: int
) -> NoReturn:
    """The life of the other process: it ends when its parent has said all, or is gone, and all of it is committed."""
    try:
        for stop in (signal.SIGTERM, signal.SIGINT):  # which a terminal sends to both: the parent says when it is over
            signal.signal(stop, signal.SIG_IGN)
        committer = BatchCommitter(open_ledger(), clock, batch_max=batch_max)
        committer.start()
        frames = Frames()
        while data := line.recv(_RECEIVE_BYTES):
            for number, commands in frames.feed(data):
                committer.hand_in(commands, partial(_send_back, line, number))
        committer.close()
    except BaseException:
        log.exception("the committing process failed")
        os._exit(1)
    os._exit(0)


def _send_back(line: socket.socket, number: int, outcomes: Outcomes) -> None:
    with suppress(ConnectionError):  # nobody is left to be told; what was committed stays committed
        line.sendall(frame(number, outcomes))
