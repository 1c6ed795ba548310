"""Numbers committed events on PostgreSQL, so that the feed has one order and never skips.

One sequencer works at a time, whichever node holds the lock; each node has one waiting. It ends with its connection, so
another takes over when its node dies.
"""

import logging
import threading

import psycopg

from shipledger.storage.postgres_connection import AWAY, STATEMENTS, Connection, connect

log = logging.getLogger("shipledger.storage")

IDLE_SECONDS = 0.05
TAKE_OVER_SECONDS = 0.25
"""How often a waiting sequencer asks whether it is its turn."""
STOP_SECONDS_MAX = 0.5
IDLE_MILLISECONDS_MAX = 5_000
"""A sequencer asks for work far more often; one that froze loses its turn."""
EVENTS_A_STEP = 2_000
_LOCK = "hashtextextended('shipledger sequencer', 0)"


class Sequencer:
    """A thread that numbers events while it is its turn."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sequencer", daemon=True)

    def start(self) -> None:
        """Begin to wait for the turn."""
        self._thread.start()

    def stop(self) -> None:
        """End; another node's sequencer goes on. A step that waits for the database is left to end by itself."""
        self._is_stopping.set()
        self._thread.join(STOP_SECONDS_MAX)

    def _run(self) -> None:
        while not self._is_stopping.is_set():
            try:
                with connect(self._url, is_writer=True) as connection:
                    connection.execute(f"SET idle_session_timeout = {IDLE_MILLISECONDS_MAX}")
                    self._wait_for_turn(connection)
                    while not self._is_stopping.is_set():
                        if number_events(connection) < EVENTS_A_STEP:
                            self._is_stopping.wait(IDLE_SECONDS)
            except AWAY:
                self._is_stopping.wait(TAKE_OVER_SECONDS)
            except psycopg.Error:
                log.exception("events could not be numbered; trying again")
                self._is_stopping.wait(TAKE_OVER_SECONDS)

    def _wait_for_turn(self, connection: Connection) -> None:
        while not self._is_stopping.is_set():
            row = connection.execute(f"SELECT pg_try_advisory_lock({_LOCK})").fetchone()
            if row is not None and row[0]:
                return
            self._is_stopping.wait(TAKE_OVER_SECONDS)


def number_events(connection: Connection) -> int:
    """Number some of the events that are committed and have no position yet; returns how many."""
    row = connection.execute(STATEMENTS["number_events"].encode(), (EVENTS_A_STEP,)).fetchone()
    return row[0] if row is not None else 0
