"""Forgets what is old, in steps so small that nobody who writes waits for them. Off unless a setting says how old.

The feed forgets what its events tell, webhooks their messages and attempts. Who did what when stays for ever, as do the
answers to idempotency keys, orders and fulfillments.
"""

from shipledger.outbox.storage import Storage
from shipledger.storage.port import Errand, Step
from shipledger.timestamp import MICROSECONDS_A_SECOND, Microseconds

ROWS_A_STEP = 200
STEP_SECONDS = 1
REST_SECONDS = 600
"""When nothing was old: how long until it is looked at again."""
_DAY_SECONDS = 24 * 3_600


class Retention:
    """`days` is how long things are kept; 0 is for ever."""

    def __init__(self, storage: Storage, days: int) -> None:
        self._storage = storage
        self._days = days
        self._next_at: Microseconds = 0

    async def work(self, now: Microseconds) -> None:
        """Take one step, if it is time."""
        if not self._days or now < self._next_at:
            return
        before = now - self._days * _DAY_SECONDS * MICROSECONDS_A_SECOND
        has_more = await self._forget_events(before) | await self._forget_attempts(before)
        self._next_at = now + (STEP_SECONDS if has_more else REST_SECONDS) * MICROSECONDS_A_SECOND

    async def _forget_events(self, before: Microseconds) -> bool:
        found = await self._storage.read(self._storage.reading.retention_range, before, ROWS_A_STEP)
        if found is None:
            return False
        steps = [Step(name, found) for name in ("remove_messages", "remove_event_data")]
        await self._storage.carry_out(Errand((*steps, Step("keep_feed_mark", ("removed", found[1])))))
        return True

    async def _forget_attempts(self, before: Microseconds) -> bool:
        step = Step("remove_attempts", (before, ROWS_A_STEP))
        (removed,) = await self._storage.carry_out(Errand((step,)))
        return len(removed) == ROWS_A_STEP
