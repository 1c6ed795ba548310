"""Wakes those who wait for events: at once after a commit of this process, and soon after one of another node's."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

LOOK_SECONDS = 0.1
"""How often the end of the feed is looked at while anyone waits, where other nodes write, too."""


class FeedWatch:
    """What waits is in one event loop; `note` may be called from any thread.

    To miss nothing: take a mark, read the feed, and wait for a change since the mark.
    """

    def __init__(self, read_end: Callable[[], Awaitable[int]] | None) -> None:
        """`read_end` tells the last place of the feed. None: nobody but this process writes."""
        self._read_end = read_end
        self._numbers = itertools.count(1)
        self._mark = 0
        self._waiting: set[asyncio.Future[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking: asyncio.Task[None] | None = None
        self._is_closed = False

    def mark(self) -> int:
        """A point in time to wait for a change after."""
        return self._mark

    def note(self) -> None:
        """Events were committed."""
        self._mark = next(self._numbers)
        # Who begins to wait now enters the set before looking at the mark, so that either side sees the other.
        if self._waiting and self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake)

    async def changed(self, mark: int, seconds_max: float) -> None:
        """Return when something was noted since the mark, when the time is over, or when the watch is closed."""
        self._loop = asyncio.get_running_loop()
        waiting: asyncio.Future[None] = self._loop.create_future()
        self._waiting.add(waiting)
        try:
            if self._mark != mark or self._is_closed:
                return
            if self._read_end is not None and self._looking is None:
                self._looking = self._loop.create_task(self._look(self._read_end))
            await asyncio.wait((waiting,), timeout=seconds_max)
        finally:
            self._waiting.discard(waiting)

    def close(self) -> None:
        """Let everyone go, and nobody wait again. To be called in the loop."""
        self._is_closed = True
        self._wake()

    @property
    def is_closed(self) -> bool:
        """Whether waiting has no use any more: the server is shutting down."""
        return self._is_closed

    def _wake(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    async def _look(self, read_end: Callable[[], Awaitable[int]]) -> None:
        """One reader for all who wait, for as long as anyone does."""
        last = -1
        try:
            while self._waiting and not self._is_closed:
                try:
                    end = await read_end()
                except Exception:  # the database is away; who waits is answered when its time is over
                    end = last
                if end != last:
                    last = end
                    self.note()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._looking = None
