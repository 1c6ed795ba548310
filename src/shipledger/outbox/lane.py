"""One endpoint's messages on their way. Lanes share nothing, so that a receiver that hangs holds up nobody else."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import lru_cache, partial

from shipledger.outbox.recorder import Recorder, Result
from shipledger.outbox.sender import Message, Sender
from shipledger.outbox.signature import SecretMaker
from shipledger.outbox.storage import Storage
from shipledger.storage.webhook_reading import DueEndpoint, DueMessage
from shipledger.timestamp import Microseconds
from shipledger.webhook import judge

log = logging.getLogger("shipledger.outbox")

CONNECTIONS_MAX = 32
FAILING_CONNECTIONS_MAX = 4
"""Connections to an endpoint that took nothing of late."""
WINDOW = 512
"""Messages of one endpoint in memory."""
LOOK_SECONDS = 0.5
SECRETS_KEPT = 2
"""The present one, and for a while the one before it."""
SPREAD_SECONDS = 0.05
"""Over so long is what waits sent, if it can be."""


class Lane:
    """Sends what is due to one endpoint that this relay has taken, until nothing is."""

    def __init__(
        self,
        endpoint: DueEndpoint,
        asking: str,
        storage: Storage,
        sender: Sender,
        secrets: SecretMaker,
        recorder: Recorder,
        clock: Callable[[], Microseconds],
        chance: Callable[[], float],
    ) -> None:
        self.endpoint = endpoint
        """As it was read last: the relay replaces it, so that a changed URL or secret is used from then on."""
        self._asking = asking
        self._storage = storage
        self._sender = sender
        self._secret = lru_cache(maxsize=SECRETS_KEPT)(secrets.secret)
        self._recorder = recorder
        self._clock = clock
        self._chance = chance
        self._waiting: deque[DueMessage] = deque()
        self._busy: set[int] = set()
        """Events whose message is waiting, in flight, or not written down yet."""
        self._kept_while_reading: set[int] = set()
        """What was written down since the reading began may still be due by what is read."""
        self._in_flight: dict[asyncio.Task[None], DueMessage] = {}
        self._next_begin: asyncio.Handle | None = None
        self._is_failing = endpoint.failing_since is not None
        self._is_stopping = False
        self._is_drained = False
        """Whether the last look found nothing that was not known."""
        self._moved = asyncio.Event()
        self.task = asyncio.create_task(self._run())

    def nudge(self) -> None:
        """There may be more to send."""
        self._is_drained = False
        self._moved.set()

    def leave(self) -> None:
        """Nothing is due any more by what is stored: what waits here is held, since the endpoint was disabled."""
        if self._waiting:
            self._begin_no_more()

    async def stop(self, seconds_max: float) -> None:
        """Begin with no more, and wait a while for what is in flight and for what became of it to be written down."""
        self._begin_no_more()
        await asyncio.wait((self.task,), timeout=seconds_max)
        for task in (*self._in_flight, self.task):
            task.cancel()
        await asyncio.wait((*self._in_flight, self.task))

    def _begin_no_more(self) -> None:
        self._is_stopping = True
        self._busy.difference_update(message.event_id for message in self._waiting)
        self._waiting.clear()
        self._moved.set()

    async def _run(self) -> None:
        while True:
            self._moved.clear()
            if self._wants_more():
                await self._fill()
            self._begin()
            if not self._busy:
                return
            try:
                await asyncio.wait_for(self._moved.wait(), LOOK_SECONDS)
            except TimeoutError:
                self._is_drained = False

    def _wants_more(self) -> bool:
        """What was sent and is not written down yet counts: storage that takes nothing must not be run away from."""
        is_low = len(self._waiting) <= WINDOW // 4 and len(self._busy) < 2 * WINDOW
        return is_low and not self._is_stopping and not self._is_drained

    async def _fill(self) -> None:
        """Read what is due."""
        self._kept_while_reading.clear()
        try:
            due = await self._storage.read(
                self._storage.reading.due_messages, self.endpoint, self._asking, self._clock(), WINDOW,
                frozenset(self._busy),
            )  # fmt: skip
        except Exception as error:  # the database is away; while it is, nothing new is begun
            log.debug("due webhooks could not be read: %s", error)
            due = []
        known = self._busy | self._kept_while_reading
        new = [message for message in due if message.event_id not in known]
        self._is_drained = not new
        if not self._is_stopping:
            self._waiting.extend(new)
            self._busy.update(message.event_id for message in new)

    def _begin(self) -> None:
        """Send as many as the endpoint has connections for, spread over some time: the machine has more to do.

        What comes at an even rate is sent at an even rate, though it is found all at once; a backlog is not held up.
        """
        if self._next_begin is None and self._waiting and len(self._in_flight) < self._connections():
            message = self._waiting.popleft()
            task = asyncio.create_task(self._attempt(message))
            self._in_flight[task] = message
            task.add_done_callback(self._ended)
            seconds = SPREAD_SECONDS / len(self._waiting) if self._waiting else 0
            self._next_begin = asyncio.get_running_loop().call_later(seconds, self._begin_next)

    def _begin_next(self) -> None:
        self._next_begin = None
        self._begin()

    def _connections(self) -> int:
        next_place = self._waiting[0].place
        held = min((message.place for message in self._in_flight.values()), default=next_place)
        if min(held, next_place) <= self.endpoint.in_order_up_to:
            return 1
        return FAILING_CONNECTIONS_MAX if self._is_failing else CONNECTIONS_MAX

    async def _attempt(self, message: DueMessage) -> None:
        endpoint = self.endpoint
        attempt = await self._sender.send(
            Message(str(message.event_id), endpoint.url, message.body, self._signing(endpoint))
        )
        self._is_failing = not attempt.is_taken
        if attempt.is_gone:
            self._begin_no_more()
        chance = 0.0 if attempt.is_taken else self._chance()
        verdict = judge(attempt, message.attempts + 1, self._clock(), chance)
        self._recorder.add(Result(endpoint, message, attempt, verdict, partial(self._kept, message.event_id)))

    def _signing(self, endpoint: DueEndpoint) -> list[bytes]:
        """The secrets that sign now: for a while the replaced one, too."""
        salts = [endpoint.salt]
        if endpoint.previous_salt is not None and (endpoint.previous_until or 0) > self._clock():
            salts.append(endpoint.previous_salt)
        return [self._secret(salt) for salt in salts]

    def _kept(self, event_id: int) -> None:
        self._busy.discard(event_id)
        self._kept_while_reading.add(event_id)
        if self.endpoint.is_ordered:
            self._is_drained = False  # what waited for this message is due now
        if not self._busy or not self._is_drained:
            self._moved.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._in_flight[task]
        self._begin()
        if self._wants_more():
            self._moved.set()
