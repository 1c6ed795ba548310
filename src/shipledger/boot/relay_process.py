"""The relay in a process of its own: whatever it sends, reads and signs keeps nobody waiting who ships.

It is told to end by a byte, and ends at once where its parent is gone: what was in flight is sent again by the next.
"""

import asyncio
import logging
import os
import random
import secrets
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import uvloop

from shipledger.boot.garbage import calm_the_collector
from shipledger.boot.ledgers import clock, open_reading
from shipledger.boot.settings import Settings
from shipledger.boot.webhooks import Webhooks
from shipledger.commit.committer_process import wait_for_end
from shipledger.commit.errand_line import ErrandLine
from shipledger.outbox.feed_watch import FeedWatch
from shipledger.outbox.relay import STOP_SECONDS_MAX, Relay

log = logging.getLogger("shipledger.boot")

NICENESS = 10
"""Where there are too few cores for all, whoever ships goes first."""
_END = b"."


class RelayProcess:
    """The relay as the process that serves sees it."""

    def __init__(self, settings: Settings, errands: ErrandLine | None, forget: Callable[[], None]) -> None:
        """`forget` is called in the other process, to close what it has no business with."""
        self._settings = settings
        self._errands = errands
        self._forget = forget
        self._line: asyncio.Transport | None = None
        self._has_hung_up = asyncio.Event()
        self._is_closing = False
        self.is_lost = False
        """Whether the other process ended by itself."""

    def start(self) -> None:
        """Start the other process. To be called before this one has threads of its own."""
        self._socket, theirs = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            self._socket.close()
            self._forget()
            _relay_until_told(theirs, self._settings, self._errands)
        theirs.close()
        if self._errands is not None:
            self._errands.close()

    async def connect(self, when_lost: Callable[[], None]) -> None:
        """`when_lost` is called where the other process ends without having been told to."""

        def lose() -> None:
            self._has_hung_up.set()
            if not self._is_closing:
                self.is_lost = True
                log.error("the process that sends webhooks ended by itself; this one ends with it, to be started anew")
                when_lost()

        loop = asyncio.get_running_loop()
        self._line, _ = await loop.create_unix_connection(lambda: _Line(lose), sock=self._socket)

    def begin_no_more(self) -> None:
        """Have it send nothing new; what is in flight goes on."""
        if self._line is not None and not self._is_closing and not self._has_hung_up.is_set():
            self._is_closing = True
            self._line.write(_END)

    async def stop(self) -> None:
        """Wait a while for what is in flight, and for what became of it to be written down."""
        self.begin_no_more()
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * STOP_SECONDS_MAX):
                await self._has_hung_up.wait()
        if self._line is not None:
            self._line.abort()

    def close(self) -> None:
        """Wait for the end of the other process."""
        self._socket.close()
        wait_for_end(self._pid)


class _Line(asyncio.Protocol):
    def __init__(self, lose: Callable[[], None]) -> None:
        self._lose = lose

    def connection_lost(self, _: Exception | None) -> None:
        self._lose()


def _relay_until_told(line: socket.socket, settings: Settings, errands: ErrandLine | None) -> NoReturn:
    try:
        for stop in (signal.SIGTERM, signal.SIGINT):  # which a terminal sends to all: the parent says when it is over
            signal.signal(stop, signal.SIG_IGN)
        os.nice(NICENESS)
        calm_the_collector()
        uvloop.run(_relay(line, settings, errands))
    except BaseException:
        log.exception("the process that sends webhooks failed")
        os._exit(1)
    os._exit(0)


async def _relay(line: socket.socket, settings: Settings, errands: ErrandLine | None) -> None:
    reading = open_reading(settings.database)
    webhooks = Webhooks(settings, reading.webhooks, errands)
    await webhooks.start()
    loop = asyncio.get_running_loop()

    async def read_end() -> int:
        return await loop.run_in_executor(webhooks.readers, reading.feed_end)

    relay = Relay(
        _name_of_relay(settings.database),
        webhooks.storage,
        webhooks.new_sender(),
        webhooks.key.find,
        clock,
        random.SystemRandom().random,
        retention_days=settings.retention_days,
    )
    running = asyncio.create_task(relay.run(FeedWatch(read_end)))
    line.setblocking(False)
    if await loop.sock_recv(line, 1) != _END:
        os._exit(1)  # the parent is gone, and with it the lock by which an embedded ledger has one relay
    await relay.stop()
    running.cancel()
    await asyncio.wait((running,))
    webhooks.close()
    reading.close()


def _name_of_relay(database: Path | str) -> str:
    """An embedded ledger has one relay: after a crash it goes on with its own leases."""
    if isinstance(database, Path):
        return "embedded"
    return f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(4)}"
