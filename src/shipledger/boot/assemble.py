"""Wires the house together: the one place where rooms meet."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from shipledger.boot.ledgers import clock, open_ledger, open_reading
from shipledger.boot.settings import Settings
from shipledger.commit.batch_committer import BatchCommitter
from shipledger.http.access import admit_openly
from shipledger.http.application import Application
from shipledger.http.call import Services
from shipledger.http.documentation.docs_page import docs_page, welcome_page
from shipledger.http.documentation.openapi import openapi_document
from shipledger.http.meta import VERSION
from shipledger.http.routes import ROUTES
from shipledger.outbox.feed_watch import FeedWatch
from shipledger.storage.port import Reading
from shipledger.storage.postgres_sequencer import Sequencer

CLOSE_SECONDS_MAX = 0.5
"""How long a commit may still take when every request was answered, or given up after the server's own patience."""
READERS_MAX = 4
"""Threads that read the ledger for pages, each with a connection of its own."""


@dataclass(frozen=True, slots=True)
class Served:
    """The application, and what belongs to it in the server's event loop."""

    application: Application
    watch: FeedWatch

    async def stop(self) -> None:
        """Let go of clients that wait for events, so that the server can end."""
        self.watch.close()


@contextmanager
def application(settings: Settings) -> Iterator["Served"]:
    """The application over a ledger that is held for writing, its committer running.

    At the end, what was handed in is committed.
    """
    reading = open_reading(settings.database)
    readers = ThreadPoolExecutor(READERS_MAX, thread_name_prefix="reader")
    watch = _feed_watch(settings, reading, readers)
    committer = BatchCommitter(
        open_ledger(settings.database),
        clock,
        on_commit=watch.note,
        batch_max=settings.batch_max,
        queue_max=settings.queue_max,
    )
    document = openapi_document(ROUTES, VERSION)
    services = Services(
        submit=committer.submit,
        reading=reading,
        readers=readers,
        zone=settings.timezone,
        repeated=settings.repeated_tracking,
        watch=watch,
        openapi=document,
        docs=docs_page(document),
        welcome=welcome_page(document),
    )
    committer.start()
    try:
        with _numbering_events(settings):
            yield Served(Application(ROUTES, services, admit_openly), watch)
    finally:
        committer.close(CLOSE_SECONDS_MAX)
        readers.shutdown()
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
