"""Wires the house together: the one place where rooms meet."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from shipledger.boot.garbage import calm_the_collector
from shipledger.boot.key_watch import KeyWatch
from shipledger.boot.ledgers import clock, open_ledger, open_reading
from shipledger.boot.relay_process import RelayProcess
from shipledger.boot.settings import Settings
from shipledger.boot.uploads import Uploads
from shipledger.boot.webhooks import Webhooks
from shipledger.commit.committer_process import CommitterProcess
from shipledger.commit.errand_line import ErrandLine
from shipledger.http.application import Application
from shipledger.http.call import Services
from shipledger.http.cross_origin import CrossOrigin
from shipledger.http.documentation.docs_page import docs_page, welcome_page
from shipledger.http.documentation.openapi import openapi_document
from shipledger.http.gate import Gate
from shipledger.http.meta import VERSION
from shipledger.http.routes import ROUTES
from shipledger.outbox.feed_watch import FeedWatch
from shipledger.storage.port import Reading, WritingLedger
from shipledger.storage.postgres_sequencer import Sequencer

COMMIT_SECONDS_MAX = 0.5
"""How long a commit may still take when every request was answered, or given up after the server's own patience."""
READERS_MAX = 4
"""Threads that read the ledger for pages, each with a connection of its own."""


@dataclass(frozen=True, slots=True)
class Served:
    """The application, and what belongs to it in the server's event loop."""

    application: ASGIApp
    watch: FeedWatch
    committer: CommitterProcess
    relay: RelayProcess | None
    keys: KeyWatch
    webhooks: Webhooks
    uploads: Uploads
    readers: ThreadPoolExecutor
    reading: Reading

    @property
    def is_lost(self) -> bool:
        """Whether another process of the server ended by itself."""
        return self.committer.is_lost or (self.relay is not None and self.relay.is_lost)

    async def start(self, when_lost: Callable[[], None]) -> None:
        """To be called before the first request. `when_lost` is called where another process of the server ends."""
        await self.committer.connect(when_lost=when_lost, when_answered=self.watch.note)
        if self.relay is not None:
            await self.relay.connect(when_lost)
        self.keys.start()
        await self.webhooks.start()

    def let_go(self) -> None:
        """Let go of clients that wait for events or send in bulk, so that the server can end, and send no webhooks."""
        self.watch.close()
        self.uploads.let_go()
        self.committer.take_no_more_in_bulk()
        if self.relay is not None:
            self.relay.begin_no_more()

    async def finish(self) -> None:
        """To be called after the last request."""
        await self.keys.stop()
        if self.relay is not None:
            await self.relay.stop()
        await self.uploads.stop()
        # Whoever closes an embedded ledger last moves its log into the file: that must be one who may write.
        self.readers.shutdown()
        self.reading.close()
        await self.committer.disconnect(COMMIT_SECONDS_MAX)


@contextmanager
def application(
    settings: Settings, uploaded: Path, forget: Callable[[], None], host_token: str | None = None
) -> Iterator[Served]:
    """The application over a ledger that is held for writing, and a process that commits to it.

    To be entered before this process has threads. `uploaded` is a folder for files, which vanishes with the server.
    `forget` is called in the other process, to close what it has no business with. Whoever brings `host_token` is a
    command of this host.
    """
    is_embedded = isinstance(settings.database, Path)
    committer = _committer(settings, forget)
    desk_errands, relay_errands = (committer.errand_line() if is_embedded else None for _ in range(2))

    def forget_all() -> None:
        forget()
        committer.forget()
        if desk_errands is not None:
            desk_errands.close()

    committer.start()
    try:
        with (
            _relaying(settings, relay_errands, forget_all) as relay,
            _serving(settings, committer, relay, desk_errands, uploaded, host_token) as served,
        ):
            yield served
    finally:
        committer.close()


def _committer(settings: Settings, forget: Callable[[], None]) -> CommitterProcess:
    def opened() -> WritingLedger:
        forget()
        calm_the_collector()
        return open_ledger(settings.database)

    return CommitterProcess(opened, clock, batch_max=settings.batch_max, queue_max=settings.queue_max)


@contextmanager
def _relaying(
    settings: Settings, errands: ErrandLine | None, forget: Callable[[], None]
) -> Iterator[RelayProcess | None]:
    """None where a setting leaves webhooks to other nodes."""
    if not settings.relay:
        if errands is not None:
            errands.close()
        yield None
        return
    relay = RelayProcess(settings, errands, forget)
    relay.start()
    try:
        yield relay
    finally:
        relay.close()


@contextmanager
def _serving(
    settings: Settings,
    committer: CommitterProcess,
    relay: RelayProcess | None,
    errands: ErrandLine | None,
    uploaded: Path,
    host_token: str | None,
) -> Iterator[Served]:
    reading = open_reading(settings.database)
    readers = ThreadPoolExecutor(READERS_MAX, thread_name_prefix="reader")
    watch = _feed_watch(settings, reading, readers)
    gate = Gate(clock, host_token=host_token, rate_limit=settings.rate_limit)
    keys = KeyWatch(gate, reading, readers, committer.submit, has_other_nodes=isinstance(settings.database, str))
    webhooks = Webhooks(settings, reading.webhooks, errands)
    uploads = Uploads(uploaded, reading, committer.submit_many)
    document = openapi_document(ROUTES, VERSION)
    services = Services(
        submit=committer.submit,
        submit_many=committer.submit_many,
        reading=reading,
        readers=readers,
        zone=settings.timezone,
        repeated=settings.repeated_tracking,
        watch=watch,
        keys=keys,
        webhooks=webhooks.desk,
        uploads=uploads,
        webhook_reading=reading.webhooks,
        openapi=document,
        docs=docs_page(document),
        welcome=welcome_page(document),
    )
    try:
        with _numbering_events(settings):
            served: ASGIApp = Application(ROUTES, services, gate)
            if settings.cors_origins:
                served = CrossOrigin(served, settings.cors_origins)
            yield Served(served, watch, committer, relay, keys, webhooks, uploads, readers, reading)
    finally:
        readers.shutdown()
        webhooks.close()
        reading.close()


def _feed_watch(settings: Settings, reading: Reading, readers: Executor) -> FeedWatch:
    """An embedded ledger is written by this process alone; on PostgreSQL other nodes write, and number what was."""
    if not isinstance(settings.database, str):
        return FeedWatch(None)

    async def read_end() -> int:
        return await asyncio.get_running_loop().run_in_executor(readers, reading.feed_end)

    return FeedWatch(read_end)


@contextmanager
def _numbering_events(settings: Settings) -> Iterator[None]:
    """Where several nodes write, one of them numbers events; an embedded ledger numbers them as it commits."""
    if not isinstance(settings.database, str):
        yield
        return
    sequencer = Sequencer(settings.database)
    sequencer.start()
    try:
        yield
    finally:
        sequencer.stop()
