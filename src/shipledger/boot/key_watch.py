"""Keeps what a server knows of the keys as it is stored, and writes down now and then when they were used."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import Executor
from typing import Any

from shipledger.http.gate import Gate
from shipledger.key import Key, NoteKeyUse
from shipledger.origin import OPERATOR, Origin
from shipledger.outcome import Fault, Submit
from shipledger.storage.port import Reading

log = logging.getLogger("shipledger.keys")

REFRESH_SECONDS = 0.5
"""How often a node looks for what other nodes did to the keys: none is let in a second after it was revoked."""
SETTLE_SECONDS = 0.75
"""How long a change waits before it is answered, where there are other nodes: by then each has looked."""
NOTE_SECONDS = 60.0
_ORIGIN = Origin(OPERATOR, None, "server", None, "server")


class KeyWatch:
    """Looks after the keys that a gate knows (`shipledger.http.call.KeyTable`)."""

    def __init__(
        self, gate: Gate, reading: Reading, readers: Executor, submit: Submit, *, has_other_nodes: bool
    ) -> None:
        """Raises what `reading` raises: a server that does not know its keys must not start as an open one."""
        self._gate = gate
        self._reading = reading
        self._readers = readers
        self._submit = submit
        self._has_other_nodes = has_other_nodes
        self._task: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        gate.replace(reading.keys())

    def start(self) -> None:
        """Begin, in the server's event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End, and write down the last uses."""
        if self._task is not None:
            self._task.cancel()
        await self._try(self._note_uses())

    async def refresh(self) -> None:
        await self._try(self._read())
        if self._has_other_nodes:
            await asyncio.sleep(SETTLE_SECONDS)

    async def _run(self) -> None:
        noted_at = time.monotonic()
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            if self._has_other_nodes:
                await self._try(self._read())
            if time.monotonic() - noted_at >= NOTE_SECONDS:
                noted_at = time.monotonic()
                await self._try(self._note_uses())

    async def _try(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it, unless the ledger is away: then nobody changes a key either, and it is done the next time."""
        try:
            await work
        except Fault as fault:
            log.warning("the keys could not be looked after: %s", fault)
        except Exception:
            log.exception("the keys could not be looked after")

    async def _read(self) -> None:
        # One reading at a time: an older one must not be the last to be heeded.
        async with self._lock:
            loop = asyncio.get_running_loop()
            keys: Sequence[Key] = await loop.run_in_executor(self._readers, self._reading.keys)
            self._gate.replace(keys)

    async def _note_uses(self) -> None:
        uses = self._gate.uses()
        if uses:
            await self._submit(NoteKeyUse(_ORIGIN, tuple(uses)))
            await self._read()
