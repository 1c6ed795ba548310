"""The ledger on PostgreSQL: any number of processes write it, none of them special.

A batch first claims the names that must be unique (idempotency keys, ids and references of new orders) and the tables
that it loads whole, in sorted order, then locks its orders in order of id: nodes wait for each other, and never in a
circle.
"""

import hashlib
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

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
    connect,
    connect_within,
)
from shipledger.storage.postgres_pipeline import Answer, Pipeline
from shipledger.storage.rows import rows_to_save
from shipledger.storage.saving_totals import TotalsToSave
from shipledger.working_set import WorkingSet

log = logging.getLogger("shipledger.storage")

RESOLVE_SECONDS_MAX = 25
"""How long a batch whose COMMIT was lost looks for the primary that knows what became of it."""
BATCH_ROWS_KEPT = "1 hour"
_BATCHES_BETWEEN_SWEEPS = 1_000

_BEGIN = b"BEGIN ISOLATION LEVEL READ COMMITTED"
"""Each statement sees what was committed before it: a batch reads its rows after it has waited for them."""

_GENERIC_PLANS = "SET plan_cache_mode = force_generic_plan"
"""A statement is planned once and not for the values of each batch: that takes longer than to run it for a few."""
PLANS_SECONDS_MAX = 1
"""How long a plan is kept: one that was made while a table was small reads all of it once it is large."""

Found = TypeVar("Found")


class PostgresLedger:
    """The writing side (`shipledger.storage.port.Ledger`) of a ledger on PostgreSQL whose schema is current."""

    def __init__(self, url: str) -> None:
        """Connects when the first batch comes, and anew whenever the connection was lost."""
        self._url = url
        self._connection: Connection | None = None
        self._pipeline: Pipeline | None = None
        self._begun: Answer | None = None
        self._planned_at = 0.0
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
        """BEGIN goes out with what the batch asks first."""
        if self._connection is not None and self._connection.closed:
            self._let_go()
        if self._pipeline is None:
            self._connection = connect(self._url, is_writer=True)
            self._connection.add_notice_handler(self._note)
            self._connection.execute(_GENERIC_PLANS)
            self._pipeline = Pipeline(self._connection)
        self._begun = self._pipeline.send_text(_BEGIN)
        if time.monotonic() - self._planned_at >= PLANS_SECONDS_MAX:
            self._pipeline.send_text(b"DISCARD PLANS")
            self._planned_at = time.monotonic()

    def _first(self, ask: Callable[[], Found]) -> Found:
        """Ask what goes out with BEGIN: once more where the connection had been lost while nobody needed it."""
        try:
            return ask()
        except AWAY:
            if self._begun is None or self._begun.is_done:
                raise
        self._let_go()
        self._begin()
        return ask()

    @property
    def _current(self) -> Pipeline:
        """That of the transaction under way: never of a new connection, on which each statement would stand alone."""
        if self._pipeline is None:
            raise psycopg.InterfaceError("there is no transaction")
        return self._pipeline

    def _note(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.severity_nonlocalized == "WARNING":
            self._warnings.append(diagnostic.message_primary or "")

    def _commit(self, batch: uuid.UUID) -> None:
        """Raises Fault and nothing else: after COMMIT was sent, no other error may have the batch tried again."""
        self._warnings.clear()
        try:
            self._current.send_text(b"COMMIT")
            self._current.settle()
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
        return self._first(lambda: self._load(needs))

    def _load(self, needs: Needs) -> WorkingSet:
        # What is sent together is run one by one: orders are locked when the names are claimed, and read when locked.
        working_set = WorkingSet(iter(()), iter(()), iter(()))
        reserved: list[tuple[Answer, Answer]] = []

        def ask(name: str, *values: Any) -> Answer:
            answer = self._current.send(name, *values)
            if name == "load_orders":
                reserved.append(self._reserve(needs))
            return answer

        if names := _claims(needs):
            self._current.send("claim_names", names)
        load_rows(ask, needs, working_set)
        fulfillment_ids, event_ids = reserved[0] if reserved else self._reserve(needs)
        self._current.settle()
        working_set.fulfillment_ids = (id_ for (id_,) in fulfillment_ids)
        working_set.event_ids = (id_ for (id_,) in event_ids)
        working_set.order_ids = self._reserve_order_ids(needs.order_ids_to_add)
        return working_set

    def _reserve(self, needs: Needs) -> tuple[Answer, Answer]:
        """Ids, taken when the orders are locked: within an order they grow in the order of its events."""
        return (
            self._current.send("reserve_ids", "fulfillment_ids", needs.fulfillments_to_add),
            self._current.send("reserve_ids", "event_ids", needs.events_to_add),
        )

    def _reserve_order_ids(self, count: int) -> Iterator[int]:
        """Ids that no order has. A source may have brought many of its own in a row: each look goes twice as far."""
        found: list[int] = []
        tried = count
        while len(found) < count:
            found += [row[0] for row in self._current.send("reserve_order_ids", tried)]
            tried *= 2
        return iter(found)

    def save(self, working_set: WorkingSet) -> None:
        # A replayed answer waits for the standby like a fresh one: its batch commits as well.
        if not (working_set.is_changed or working_set.has_replayed):
            return
        send, batch = self._current.send, uuid.uuid4()
        send("add_commit_batch", batch, False)
        totals = TotalsToSave(working_set, send)
        for statement, rows in rows_to_save(working_set, partial(whole_orders, send), states_apart=False):
            send(statement, rows)
        if rows := totals.rows():
            send("add_partner_totals", rows)
        self._current.settle()
        self._batch = batch

    def carry_out(self, errand: Errand) -> list[Rows]:
        with self.transaction():
            self._first(self._begin_errand)
            batch = uuid.uuid4()
            self._answer(Step("add_commit_batch", (batch, False)))
            answers = [self._answer(step) for step in errand.steps]
            self._batch = batch
        return answers

    def _begin_errand(self) -> None:
        # Its statements reach any number of rows, up to limits that they are given.
        self._current.send_text(b"SET LOCAL plan_cache_mode = auto")
        self._current.settle()

    def _answer(self, step: Step) -> Rows:
        if self._connection is None:
            raise psycopg.InterfaceError("there is no transaction")
        cursor = self._connection.execute(STATEMENTS[step.statement].encode(), arrays(step.values))
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
            if self._connection is not None and self._pipeline is not None:
                self._pipeline.abandon()
                self._connection.rollback()
        except psycopg.Error:
            self._let_go()

    def _let_go(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = self._pipeline = None

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
