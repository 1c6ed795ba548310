"""The ledger on PostgreSQL: any number of processes write it, none of them special.

A batch first claims the names that must be unique (idempotency keys, ids and references of new orders) in sorted order,
then locks its orders in order of id: nodes wait for each other, and never in a circle.
"""

import hashlib
import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import psycopg

from shipledger.needs import Needs
from shipledger.outcome import OutcomeUnknown, Unavailable
from shipledger.storage.loading import load_rows, whole_orders
from shipledger.storage.port import Contention
from shipledger.storage.postgres_connection import AWAY, STATEMENTS, Connection, arrays, connect, connect_within, query
from shipledger.storage.rows import rows_to_save
from shipledger.working_set import WorkingSet

log = logging.getLogger("shipledger.storage")

RESOLVE_SECONDS_MAX = 25
"""How long a batch whose COMMIT was lost looks for the primary that knows what became of it."""
BATCH_ROWS_KEPT = "7 days"
_BATCHES_BETWEEN_SWEEPS = 10_000


class PostgresLedger:
    """The writing side (`shipledger.storage.port.Ledger`) of a ledger on PostgreSQL whose schema is current."""

    def __init__(self, url: str) -> None:
        """Connects when the first batch comes, and anew whenever the connection was lost."""
        self._url = url
        self._connection: Connection | None = None
        self._warnings: list[str] = []
        self._batch: uuid.UUID | None = None
        self._batches = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._batch = None
        try:
            self._open().execute("BEGIN")
            yield
        except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected) as error:
            self._roll_back()
            raise Contention(str(error)) from error
        except AWAY as error:
            # COMMIT was not sent: whatever became of the server, it did not apply the batch.
            self._let_go()
            raise Unavailable(str(error)) from error
        except BaseException:
            self._roll_back()
            raise
        batch = self._saved()
        if batch is None:
            self._roll_back()
        else:
            self._commit(batch)

    def _saved(self) -> uuid.UUID | None:
        """The batch that the transaction saved, if it saved one."""
        return self._batch

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            connection = connect(self._url, is_writer=True)
            connection.add_notice_handler(self._note)
            self._connection = connection
        return self._connection

    def _note(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.severity_nonlocalized == "WARNING":
            self._warnings.append(diagnostic.message_primary or "")

    def _commit(self, batch: uuid.UUID) -> None:
        connection = self._open()
        self._warnings.clear()
        try:
            connection.execute("COMMIT")
        except psycopg.Error as error:
            self._let_go()
            if not self._is_committed(batch):
                raise Unavailable(str(error)) from error
            return
        if self._warnings:
            # Committed here, but perhaps not on the standby: that is no acknowledgement yet.
            self._let_go()
            self._confirm(batch)
        self._sweep()

    def _is_committed(self, batch: uuid.UUID) -> bool:
        """What became of a batch whose COMMIT was lost, asked of the current primary. Raises OutcomeUnknown."""
        deadline = time.monotonic() + RESOLVE_SECONDS_MAX
        while time.monotonic() < deadline:
            with suppress(*AWAY), connect_within(self._url, deadline - time.monotonic()) as connection:
                with suppress(psycopg.errors.UniqueViolation):
                    # Waits for the lost transaction where it is still under way, and keeps it from ever coming true.
                    connection.execute(STATEMENTS["add_commit_batch"].encode(), (batch, True))
                row = connection.execute("SELECT is_resolved FROM commit_batches WHERE id = %s", (batch,)).fetchone()
                if row is not None:
                    if row[0]:
                        return False
                    self._confirm(batch)
                    return True
        raise OutcomeUnknown("COMMIT was lost, and no primary could tell what became of it")

    def _confirm(self, batch: uuid.UUID) -> None:
        """Make sure that a batch which is committed here is where the standby is, too. Raises OutcomeUnknown.

        A later commit that is replicated proves that an earlier one is: the log is one sequence.
        """
        try:
            with connect_within(self._url, RESOLVE_SECONDS_MAX) as connection:
                self._warnings.clear()
                connection.add_notice_handler(self._note)
                touched = connection.execute("UPDATE commit_batches SET created_at = now() WHERE id = %s", (batch,))
        except psycopg.Error as error:
            raise OutcomeUnknown(str(error)) from error
        if self._warnings or touched.rowcount != 1:
            raise OutcomeUnknown("a batch was committed on a primary that its standby may not have followed")

    def load(self, needs: Needs) -> WorkingSet:
        connection = self._open()
        names = _claims(needs)
        if names:
            query(connection, "claim_names", names)
        working_set = WorkingSet(iter(()), iter(()), iter(()))
        load_rows(partial(query, connection), needs, working_set)
        # Ids are taken when the orders are locked: within an order they grow in the order of its events.
        working_set.fulfillment_ids = self._reserve("fulfillment_ids", needs.fulfillments_to_add)
        working_set.event_ids = self._reserve("event_ids", needs.events_to_add)
        if needs.order_ids_to_add:
            rows = query(connection, "reserve_order_ids", needs.order_ids_to_add)
            working_set.order_ids = iter([row[0] for row in rows])
        return working_set

    def _reserve(self, sequence: str, count: int) -> Iterator[int]:
        return iter([row[0] for row in query(self._open(), "reserve_ids", sequence, count)] if count else ())

    def save(self, working_set: WorkingSet) -> None:
        # A replayed answer waits for the standby like a fresh one: its batch commits as well.
        if not (working_set.is_changed or working_set.has_replayed):
            return
        connection, batch = self._open(), uuid.uuid4()
        with connection.pipeline():
            connection.execute(STATEMENTS["add_commit_batch"].encode(), (batch, False))
            for statement, rows in rows_to_save(working_set, partial(whole_orders, partial(query, connection))):
                if rows:
                    connection.execute(STATEMENTS[statement].encode(), arrays([rows]))
        self._batch = batch

    def _sweep(self) -> None:
        """Now and then remove the rows of old batches: no COMMIT is looked for that long."""
        self._batches += 1
        if self._batches % _BATCHES_BETWEEN_SWEEPS == 0:
            with suppress(*AWAY):
                self._open().execute(
                    f"DELETE FROM commit_batches WHERE created_at < now() - interval '{BATCH_ROWS_KEPT}'"
                )

    def _roll_back(self) -> None:
        try:
            if self._connection is not None:
                self._connection.rollback()
        except psycopg.Error:
            self._let_go()

    def _let_go(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def close(self) -> None:
        self._let_go()


def _claims(needs: Needs) -> list[int]:
    """The names that a batch claims, as sorted 64-bit numbers. Two names of one number only wait for each other."""
    names = [f"key {account} {key}" for account, key in needs.kept]
    names += [f"order {key!r}" for key in needs.new_order_names]
    digests = (hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names)
    return sorted({int.from_bytes(digest, "big", signed=True) for digest in digests})
