"""The ledger on PostgreSQL: any number of processes write it, none of them special.

A batch first claims the names that must be unique (idempotency keys, ids and references of new orders) and the tables
that it loads whole, in sorted order, then locks its orders in order of id: nodes wait for each other, and never in a
circle.
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
from shipledger.storage.port import Contention, Errand, Rows, Step
from shipledger.storage.postgres_connection import (
    AWAY,
    RETRY_SECONDS,
    STATEMENTS,
    Connection,
    arrays,
    ask,
    connect,
    connect_within,
    query,
)
from shipledger.storage.rows import rows_to_save
from shipledger.storage.saving_totals import TotalsToSave
from shipledger.working_set import WorkingSet

log = logging.getLogger("shipledger.storage")

RESOLVE_SECONDS_MAX = 25
"""How long a batch whose COMMIT was lost looks for the primary that knows what became of it."""
BATCH_ROWS_KEPT = "1 hour"
_BATCHES_BETWEEN_SWEEPS = 1_000

_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
"""Each statement sees what was committed before it: a batch reads its rows after it has waited for them."""


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
            self._begin()
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

    def _begin(self) -> None:
        if self._connection is not None:
            try:
                self._connection.execute(_BEGIN)
                return
            except AWAY:  # lost while nobody needed it
                self._let_go()
        connection = connect(self._url, is_writer=True)
        connection.add_notice_handler(self._note)
        self._connection = connection
        connection.execute(_BEGIN)

    @property
    def _current(self) -> Connection:
        """The connection of the transaction under way: never a new one, on which each statement would stand alone."""
        if self._connection is None:
            raise psycopg.InterfaceError("there is no transaction")
        return self._connection

    def _note(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.severity_nonlocalized == "WARNING":
            self._warnings.append(diagnostic.message_primary or "")

    def _commit(self, batch: uuid.UUID) -> None:
        """Raises Fault and nothing else: after COMMIT was sent, no other error may have the batch tried again."""
        self._warnings.clear()
        try:
            self._current.execute("COMMIT", prepare=False)
        except psycopg.Error as error:
            self._warnings.append(str(error))
        if self._warnings:
            # No acknowledgement: an error, or a warning that the standby may not have what was committed here.
            log.warning("COMMIT was not acknowledged: %s", "; ".join(self._warnings))
            self._let_go()
            if not self._is_committed(batch):
                raise Unavailable("COMMIT was not acknowledged, and the batch was not applied")
        self._sweep()

    def _is_committed(self, batch: uuid.UUID) -> bool:
        """What became of a batch whose COMMIT was not acknowledged. Raises OutcomeUnknown."""
        deadline = time.monotonic() + RESOLVE_SECONDS_MAX
        while (seconds := deadline - time.monotonic()) > 0:
            with suppress(psycopg.Error):
                is_committed = self._resolve(batch, seconds)
                if is_committed is not None:
                    return is_committed
            time.sleep(RETRY_SECONDS)
        raise OutcomeUnknown("COMMIT was not acknowledged, and no primary could tell what became of it")

    def _resolve(self, batch: uuid.UUID, seconds: float) -> bool | None:
        """Ask the current primary; None where its answer might not outlive it."""
        with connect_within(self._url, seconds) as connection:
            with suppress(psycopg.errors.UniqueViolation):
                # Waits for the lost transaction where it is still under way, and keeps it from ever coming true.
                connection.execute(STATEMENTS["add_commit_batch"].encode(), (batch, True))
            # Waits for the standby: the log is one sequence, so that what is before this commit is there as well.
            self._warnings.clear()
            connection.add_notice_handler(self._note)
            row = connection.execute(
                "UPDATE commit_batches SET created_at = now() WHERE id = %s RETURNING is_resolved", (batch,)
            ).fetchone()
        return None if row is None or self._warnings else not row[0]

    def load(self, needs: Needs) -> WorkingSet:
        connection = self._current
        working_set = WorkingSet(iter(()), iter(()), iter(()))
        # What is sent together is run one by one: orders are locked when the names are claimed, and read when locked.
        with connection.pipeline():
            names = _claims(needs)
            if names:
                ask(connection, "claim_names", names)
            load_rows(partial(ask, connection), needs, working_set)
        # Ids are taken when the orders are locked: within an order they grow in the order of its events.
        working_set.fulfillment_ids = self._reserve("fulfillment_ids", needs.fulfillments_to_add)
        working_set.event_ids = self._reserve("event_ids", needs.events_to_add)
        working_set.order_ids = self._reserve_order_ids(needs.order_ids_to_add)
        return working_set

    def _reserve(self, sequence: str, count: int) -> Iterator[int]:
        return iter([row[0] for row in query(self._current, "reserve_ids", sequence, count)] if count else ())

    def _reserve_order_ids(self, count: int) -> Iterator[int]:
        """Ids that no order has. A source may have brought many of its own in a row: each look goes twice as far."""
        found: list[int] = []
        tried = count
        while len(found) < count:
            found += [row[0] for row in query(self._current, "reserve_order_ids", tried)]
            tried *= 2
        return iter(found)

    def save(self, working_set: WorkingSet) -> None:
        # A replayed answer waits for the standby like a fresh one: its batch commits as well.
        if not (working_set.is_changed or working_set.has_replayed):
            return
        connection, batch = self._current, uuid.uuid4()
        with connection.pipeline():
            connection.execute(STATEMENTS["add_commit_batch"].encode(), (batch, False))
            totals = TotalsToSave(working_set, partial(query, connection))
            for statement, rows in rows_to_save(working_set, partial(whole_orders, partial(query, connection))):
                if rows:
                    connection.execute(STATEMENTS[statement].encode(), arrays([rows]))
            if rows := totals.rows():
                connection.execute(STATEMENTS["add_partner_totals"].encode(), arrays([rows]))
        self._batch = batch

    def carry_out(self, errand: Errand) -> list[Rows]:
        with self.transaction():
            batch = uuid.uuid4()
            self._current.execute(STATEMENTS["add_commit_batch"].encode(), (batch, False))
            answers = [self._answer(step) for step in errand.steps]
            self._batch = batch
        return answers

    def _answer(self, step: Step) -> Rows:
        cursor = self._current.execute(STATEMENTS[step.statement].encode(), arrays(step.values))
        return cursor.fetchall() if cursor.description else []

    def _sweep(self) -> None:
        """Now and then remove the rows of old batches: no COMMIT is looked for that long."""
        self._batches += 1
        if self._batches % _BATCHES_BETWEEN_SWEEPS == 0 and self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.execute(
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
    if needs.partners_to_change:
        names.append("partners")
    names += [table for table in ("keys", "endpoints", "imports") if getattr(needs, table)]
    digests = (hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names)
    return sorted({int.from_bytes(digest, "big", signed=True) for digest in digests})
