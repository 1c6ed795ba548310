"""Moves what was committed from SQLite's log into the ledger's file, beside the writer.

A checkpoint by the writer itself stalls every request behind it. One by another connection does not, but never catches
up with a busy writer, and the log only starts anew when all of it was moved. So a thread moves most of it, and the
writer the last few pages between two batches.
"""

import logging
import threading
from pathlib import Path

import apsw

log = logging.getLogger("shipledger.storage")

LAST_PAGES = 500
"""So many pages are left to the writer: a stall of a few milliseconds."""
ROUNDS_MAX = 12
"""Where the disk is so slow that the thread does not catch up, the writer moves the rest, and so waits for the disk."""


class Checkpointer:
    """A thread with a connection of its own, woken when the log is long."""

    def __init__(self, path: Path, vfs: str | None, pages: int) -> None:
        """`pages` is the length of the log at which it is moved."""
        self._connection = apsw.Connection(str(path), vfs=vfs)
        # A connection that has read nothing yet knows of no log, and moves none of it without a word.
        self._connection.execute("SELECT 1 FROM sqlite_schema").get  # noqa: B018
        self._pages = pages
        self._length = 0
        self._is_long = threading.Event()
        self._is_stopping = False
        self._is_for_writer = False
        self._thread = threading.Thread(target=self._run, name="checkpointer", daemon=True)
        self._thread.start()

    def note_length(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        """How long the log is after a commit: SQLite calls this as its hook."""
        self._length = pages
        if pages >= self._pages and not self._is_for_writer:
            self._is_long.set()
        return apsw.SQLITE_OK

    def finish(self, writer: apsw.Connection) -> None:
        """Between two batches: have the writer move the last pages, if it is time."""
        if self._is_for_writer:
            # Only one may move the log at a time: the thread rests until the flag is taken back.
            _move(writer)
            self._is_for_writer = False

    def stop(self) -> None:
        """End the thread."""
        self._is_stopping = True
        self._is_long.set()
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while True:
            self._is_long.wait()
            self._is_long.clear()
            # Looked at after the event is cleared: a call to stop that comes later sets it again.
            if self._is_stopping:
                return
            if not self._is_for_writer:
                self._move_most()
                self._is_for_writer = True

    def _move_most(self) -> None:
        before, was_short = 0, False
        for _ in range(ROUNDS_MAX):
            moved = _move(self._connection)
            if moved is None or self._is_stopping:
                break
            # SQLite syncs the file in a move that nothing was committed beside, and in no other: of two short ones in
            # succession, one is. Without it the writer would wait for all that was moved to reach the disk.
            is_short = moved - before <= LAST_PAGES and self._length - moved <= LAST_PAGES
            if is_short and was_short:
                break
            before, was_short = moved, is_short


def _move(connection: apsw.Connection) -> int | None:
    """Move what no reader stands in the way of. A full disk is no commit's fault.

    Returns how many of the log's pages are moved by now, these and earlier ones, or None if it failed.
    """
    try:
        _, moved = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    except apsw.Error as error:
        log.warning("the log could not be moved into the ledger's file: %s", error)
        return None
    return moved
