"""The relay: makes messages of the feed's events and sees to it that each is sent, by this relay or another.

An endpoint is taken by one relay at a time, on a lease that it renews: with a killed relay the lease runs out, and
another one goes on. Messages that are taken need no mark of their own, so that a message costs two rows: when it is
made, and when what became of it is written down.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

from shipledger.outbox.lane import Lane
from shipledger.outbox.recorder import Recorder
from shipledger.outbox.retention import Retention
from shipledger.outbox.sender import Sender
from shipledger.outbox.signature import SecretMaker
from shipledger.outbox.storage import Storage
from shipledger.storage.port import Errand, Step
from shipledger.storage.webhook_reading import DueEndpoint
from shipledger.timestamp import MICROSECONDS_A_SECOND, Microseconds
from shipledger.webhook import HELD_SECONDS_MAX

log = logging.getLogger("shipledger.outbox")

FAN_OUT_EVENTS = 500
"""Events that one transaction makes messages of."""
FAN_OUT_STEPS = 10
"""Such transactions in a turn: a long backlog does not keep what is due from being sent."""
TURN_SECONDS = 0.05
"""Between two turns: what happened meanwhile costs one transaction, however much it was."""
IDLE_SECONDS = 0.5
LEASE_SECONDS = 30
RENEW_SECONDS = 8
EXPIRE_SECONDS = 600
EXPIRE_MESSAGES = 500
STOP_SECONDS_MAX = 3.0
LAG_SECONDS_TOLD = 60
"""An endpoint that is further behind is told of in the log."""
LAG_SECONDS_BETWEEN = 600


class Watch(Protocol):
    """Wakes when something was committed."""

    def mark(self) -> int: ...

    async def changed(self, mark: int, seconds_max: float) -> None: ...


class Relay:
    """To be made and used in one event loop. `name` tells this relay from all others."""

    def __init__(
        self,
        name: str,
        storage: Storage,
        sender: Sender,
        secrets: Callable[[], SecretMaker | None],
        clock: Callable[[], Microseconds],
        chance: Callable[[], float],
        *,
        retention_days: int = 0,
    ) -> None:
        self._name = name
        self._storage = storage
        self._sender = sender
        self._secrets = secrets
        self._clock = clock
        self._chance = chance
        self._recorder = Recorder(storage)
        self._retention = Retention(storage, retention_days)
        self._lanes: dict[int, Lane] = {}
        self._fanned_out = 0
        self._renewed_at: Microseconds = 0
        self._expired_at: Microseconds = 0
        self._told_of_lag_at: Microseconds = 0
        self._is_waiting = False
        self._is_stopping = False

    async def run(self, watch: Watch) -> None:
        """Work until stopped. While the database is away, nothing is sent."""
        while not self._is_stopping:
            mark = watch.mark()
            try:
                await self.turn()
                self._tell_of_wait(None)
            except Exception as error:  # the database is away; what is due waits with it
                self._tell_of_wait(error)
                await asyncio.sleep(IDLE_SECONDS)
            await asyncio.sleep(TURN_SECONDS)
            await watch.changed(mark, IDLE_SECONDS)

    async def turn(self) -> None:
        """Make messages of new events, and begin to send what is due."""
        before = self._fanned_out
        for _ in range(FAN_OUT_STEPS):
            if not await self._fan_out():
                break
        now = self._clock()
        await self._retention.work(now)
        secrets = self._secrets()
        if secrets is None:
            return
        due = {
            endpoint.id: endpoint
            for endpoint in await self._storage.read(self._storage.reading.due_endpoints, now, self._name)
            if _is_signed_by(endpoint, secrets)
        }
        self._tell_of_lag(due.values(), now)
        for endpoint_id, lane in list(self._lanes.items()):
            endpoint = due.pop(endpoint_id, None)
            if endpoint is None:
                lane.leave()
            else:
                lane.endpoint = endpoint
            if self._fanned_out != before:
                lane.nudge()
        await self._renew(now)
        await self._take(due, secrets, now)
        await self._expire(now)

    def _tell_of_wait(self, error: Exception | None) -> None:
        """Once when webhooks begin to wait, and once when they go on."""
        if (error is not None) is self._is_waiting:
            return
        self._is_waiting = error is not None
        if error is None:
            log.info("webhooks go on")
        else:
            log.warning("webhooks wait: %s", error)

    def _tell_of_lag(self, due: Iterable[DueEndpoint], now: Microseconds) -> None:
        """Now and then, which endpoints are behind, by how many seconds."""
        behind = {one.id: (now - one.due_at) // MICROSECONDS_A_SECOND for one in due}
        late = {endpoint_id: seconds for endpoint_id, seconds in behind.items() if seconds >= LAG_SECONDS_TOLD}
        if late and now - self._told_of_lag_at >= LAG_SECONDS_BETWEEN * MICROSECONDS_A_SECOND:
            self._told_of_lag_at = now
            log.warning("webhook endpoints are behind, by seconds: %s", late)

    async def settle(self) -> None:
        """Wait until every lane that is open now has nothing to send any more."""
        while self._lanes:
            await asyncio.wait([lane.task for lane in self._lanes.values()])
            await self._release_ended()

    async def stop(self) -> None:
        """Begin with nothing more, write down what is in flight, and let others take what is left."""
        self._is_stopping = True
        lanes = list(self._lanes.values())
        if lanes:
            await asyncio.gather(*(lane.stop(STOP_SECONDS_MAX) for lane in lanes))
        with suppress(Exception):  # leases run out by themselves
            await asyncio.wait_for(self._release_ended(), STOP_SECONDS_MAX)
        await self._recorder.stop()
        await self._sender.close()

    async def _fan_out(self) -> bool:
        """Make messages of some events; returns whether there may be more.

        A relay that reads the same range at the same time makes the same messages, which are there only once.
        """
        found = await self._storage.read(self._storage.reading.fan_out_range, FAN_OUT_EVENTS)
        if found is None:
            return False
        first, last = found
        await self._storage.carry_out(
            Errand(
                (
                    Step("add_webhook_messages", (first, last, self._clock())),
                    Step("keep_feed_mark", ("fanned_out", last)),
                )
            )
        )
        self._fanned_out = last
        return last - first >= FAN_OUT_EVENTS

    async def _take(self, due: dict[int, DueEndpoint], secrets: SecretMaker, now: Microseconds) -> None:
        """Open a lane for each endpoint whose lease this relay gets."""
        await self._release_ended()
        due = {endpoint_id: endpoint for endpoint_id, endpoint in due.items() if endpoint_id not in self._lanes}
        if not due:
            return
        (taken,) = await self._storage.carry_out(self._lease(sorted(due), now))
        if self._is_stopping:
            return  # meanwhile; the lease runs out
        for (endpoint_id,) in taken:
            self._lanes[endpoint_id] = Lane(
                due[endpoint_id], self._name, self._storage, self._sender, secrets, self._recorder, self._clock,
                self._chance,
            )  # fmt: skip

    async def _renew(self, now: Microseconds) -> None:
        if not self._lanes or now - self._renewed_at < RENEW_SECONDS * MICROSECONDS_A_SECOND:
            return
        (kept,) = await self._storage.carry_out(self._lease(sorted(self._lanes), now))
        self._renewed_at = now
        for endpoint_id in self._lanes.keys() - {row[0] for row in kept}:
            # This relay was held up for so long that another one took over.
            await self._lanes.pop(endpoint_id).stop(0)

    def _lease(self, endpoint_ids: list[int], now: Microseconds) -> Errand:
        until = now + LEASE_SECONDS * MICROSECONDS_A_SECOND
        return Errand((Step("lease_endpoints", (endpoint_ids, self._name, now, until)),))

    async def _release_ended(self) -> None:
        """Give back the endpoints that there is nothing to send to."""
        ended = sorted(endpoint_id for endpoint_id, lane in self._lanes.items() if lane.task.done())
        if ended:
            await self._storage.carry_out(Errand((Step("release_endpoints", (ended, self._name)),)))
        for endpoint_id in ended:
            del self._lanes[endpoint_id]

    async def _expire(self, now: Microseconds) -> None:
        """Now and then give up what was held for too long."""
        if now - self._expired_at < EXPIRE_SECONDS * MICROSECONDS_A_SECOND:
            return
        before = now - HELD_SECONDS_MAX * MICROSECONDS_A_SECOND
        (expired,) = await self._storage.carry_out(
            Errand((Step("expire_held_messages", (now, before, EXPIRE_MESSAGES)),))
        )
        if len(expired) < EXPIRE_MESSAGES:
            self._expired_at = now


def _is_signed_by(endpoint: DueEndpoint, secrets: SecretMaker) -> bool:
    """Whether the endpoint's secret was derived from this server's key: signed by another, nobody would believe it."""
    return endpoint.key_check == secrets.check()
