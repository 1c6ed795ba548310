"""Wires the webhooks: their desk for the API, and the relay that sends, in the server's event loop."""

import asyncio
import logging
import os
import random
import secrets
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from shipledger.boot.ledgers import clock, open_ledger
from shipledger.boot.settings import Settings
from shipledger.outbox.address_guard import AddressGuard
from shipledger.outbox.desk import WebhookDesk
from shipledger.outbox.feed_watch import FeedWatch
from shipledger.outbox.relay import Relay
from shipledger.outbox.sender import Sender
from shipledger.outbox.server_key import ServerKey
from shipledger.outbox.storage import Read, Storage
from shipledger.storage.port import Errand, Rows, WritingLedger
from shipledger.storage.webhook_reading import WebhookReading

log = logging.getLogger("shipledger.boot")

READERS_MAX = 2
"""Threads that read for the relay: those that read for pages are not held up by it."""
KEY_FILE_ENDING = ".webhook-key"


class Webhooks:
    """What belongs to webhooks, from the start of the server's loop to its end."""

    def __init__(
        self,
        settings: Settings,
        reading: WebhookReading,
        carry_out: Callable[[Errand], Awaitable[list[Rows]]],
        watch: FeedWatch,
        version: str,
    ) -> None:
        """`carry_out` does an errand on an embedded ledger; on PostgreSQL they have a connection of their own."""
        self._readers = ThreadPoolExecutor(READERS_MAX, thread_name_prefix="relay")
        self._errands: _PostgresErrands | None = None
        if isinstance(settings.database, str):
            self._errands = _PostgresErrands(open_ledger(settings.database))
            carry_out = self._errands.carry_out
        self._storage = Storage(carry_out, self._read, reading)
        self._guard = AddressGuard(settings.webhook_networks)
        self._key = ServerKey(settings.webhook_key, _key_file(settings.database))
        self._version = version
        self._watch = watch
        self._name = _name_of_relay(settings.database)
        self._is_relaying = settings.relay
        self._retention_days = settings.retention_days
        self._relay: Relay | None = None
        self._running: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self.desk = WebhookDesk(self._guard, self._key, self._storage, self._new_sender, clock)

    async def start(self) -> None:
        """Begin to send, unless a setting leaves that to other nodes."""
        if self._is_relaying:
            self._relay = Relay(
                self._name,
                self._storage,
                self._new_sender(),
                self._key.find,
                clock,
                random.SystemRandom().random,
                retention_days=self._retention_days,
            )
            self._running = asyncio.create_task(self._relay.run(self._watch))

    def begin_no_more(self) -> None:
        """Send nothing new; what is in flight goes on."""
        if self._relay is not None and self._stopping is None:
            self._stopping = asyncio.create_task(self._relay.stop())

    async def stop(self) -> None:
        """End; what is in flight is waited for a while, and written down."""
        self.begin_no_more()
        if self._stopping is not None and self._running is not None:
            await self._stopping
            self._running.cancel()
            await asyncio.wait((self._running,))

    def close(self) -> None:
        """Let go of threads and connections, when the loop has ended."""
        self._readers.shutdown()
        if self._errands is not None:
            self._errands.close()

    def _new_sender(self) -> Sender:
        return Sender(self._guard, self._version, clock)

    async def _read(self, reading: Callable[..., Read], *arguments: Any) -> Read:
        return await asyncio.get_running_loop().run_in_executor(self._readers, reading, *arguments)


class _PostgresErrands:
    """Errands on a connection of their own, so that batches do not wait for them."""

    def __init__(self, ledger: WritingLedger) -> None:
        self._ledger = ledger
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="errands")

    async def carry_out(self, errand: Errand) -> list[Rows]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ledger.carry_out, errand)

    def close(self) -> None:
        self._thread.shutdown()
        self._ledger.close()


def _key_file(database: Path | str) -> Path | None:
    return database.with_name(database.name + KEY_FILE_ENDING) if isinstance(database, Path) else None


def _name_of_relay(database: Path | str) -> str:
    """An embedded ledger has one relay: after a crash it goes on with its own leases."""
    if isinstance(database, Path):
        return "embedded"
    return f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(4)}"
