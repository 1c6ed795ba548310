"""A line to the committing process for errands alone: each process that has some has one of its own."""

import asyncio
import itertools
import socket

from shipledger.commit.wire import Frames, frame
from shipledger.outcome import Fault, OutcomeUnknown, Unavailable
from shipledger.storage.port import Errand, ErrandDone, Rows


class ErrandLine(asyncio.Protocol):
    """The near end. One event loop uses it: `connect`, then `carry_out`."""

    def __init__(self, near_end: socket.socket) -> None:
        self._socket = near_end
        self._frames = Frames()
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[list[Rows]]] = {}
        self._transport: asyncio.Transport | None = None

    async def connect(self) -> None:
        """Listen to the other process."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_unix_connection(lambda: self, sock=self._socket)

    async def carry_out(self, errand: Errand) -> list[Rows]:
        """The rows that each step of an errand answers. Errands are few, and no client waits for one. Raises Fault."""
        if self._transport is None or self._transport.is_closing():
            raise Unavailable("the server is shutting down")
        answer: asyncio.Future[list[Rows]] = asyncio.get_running_loop().create_future()
        number = next(self._numbers)
        self._waiting[number] = answer
        self._transport.write(frame(number, [errand]))
        return await answer

    def close(self) -> None:
        """Have nothing more done."""
        if self._transport is not None:
            self._transport.abort()
        self._socket.close()

    def data_received(self, data: bytes) -> None:
        for number, _, (found,) in self._frames.feed(data):
            self._answer(self._waiting.pop(number), found)

    def connection_lost(self, _: Exception | None) -> None:
        waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            self._answer(answer, OutcomeUnknown("the committing process ended"))

    def _answer(self, answer: "asyncio.Future[list[Rows]]", found: ErrandDone | Fault) -> None:
        if answer.done():
            return
        if isinstance(found, Fault):
            answer.set_exception(found)
        else:
            answer.set_result(found.answers)
