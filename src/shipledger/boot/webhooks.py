"""Wires what webhooks need in either process that has to do with them: the one that serves, and the relay's."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from shipledger.boot.ledgers import clock, open_ledger
from shipledger.boot.settings import Settings
from shipledger.commit.errand_line import ErrandLine
from shipledger.http.meta import VERSION
from shipledger.outbox.address_guard import AddressGuard
from shipledger.outbox.desk import WebhookDesk
from shipledger.outbox.sender import Sender
from shipledger.outbox.server_key import ServerKey
from shipledger.outbox.storage import Read, Storage
from shipledger.storage.port import Errand, Rows, WritingLedger
from shipledger.storage.webhook_reading import WebhookReading

READERS_MAX = 2
"""Threads that read for webhooks: those that read for pages are not held up by them."""
KEY_FILE_ENDING = ".webhook-key"


class Webhooks:
    """What belongs to webhooks in one process, from the start of its loop to its end."""

    def __init__(self, settings: Settings, reading: WebhookReading, errands: ErrandLine | None) -> None:
        """`errands` leads to whoever writes an embedded ledger; on PostgreSQL they have a connection of their own."""
        self.readers = ThreadPoolExecutor(READERS_MAX, thread_name_prefix="webhooks")
        self._errands = errands if errands is not None else _PostgresErrands(settings.database)
        self.storage = Storage(self._errands.carry_out, self._read, reading)
        self.key = ServerKey(settings.webhook_key, _key_file(settings.database))
        self._guard = AddressGuard(settings.webhook_networks)
        self.desk = WebhookDesk(self._guard, self.key, self.storage, self.new_sender, clock)

    async def start(self) -> None:
        """To be called in the loop."""
        await self._errands.connect()

    def close(self) -> None:
        """Let go of threads and connections, when the loop has ended."""
        self.readers.shutdown()
        self._errands.close()

    def new_sender(self) -> Sender:
        """To be made and used in the loop."""
        return Sender(self._guard, VERSION, clock)

    async def _read(self, reading: Callable[..., Read], *arguments: Any) -> Read:
        return await asyncio.get_running_loop().run_in_executor(self.readers, reading, *arguments)


class _PostgresErrands:
    """Errands on a connection of their own, so that batches do not wait for them."""

    def __init__(self, database: Path | str) -> None:
        self._ledger: WritingLedger = open_ledger(database)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="errands")

    async def connect(self) -> None:
        """The first errand connects."""

    async def carry_out(self, errand: Errand) -> list[Rows]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ledger.carry_out, errand)

    def close(self) -> None:
        self._thread.shutdown()
        self._ledger.close()


def _key_file(database: Path | str) -> Path | None:
    return database.with_name(database.name + KEY_FILE_ENDING) if isinstance(database, Path) else None
