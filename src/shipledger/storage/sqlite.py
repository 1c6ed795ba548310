"""The embedded ledger: one writing connection to a SQLite file in WAL mode, each commit synced to the disk."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import apsw

from shipledger.limits import ASSIGNED_ORDER_ID_MIN
from shipledger.needs import Needs
from shipledger.outcome import Fault, OutcomeUnknown, Unavailable
from shipledger.storage.loading import load_rows, whole_orders
from shipledger.storage.port import Errand, Rows
from shipledger.storage.rows import rows_to_save
from shipledger.storage.saving_totals import TotalsToSave
from shipledger.storage.sqlite_checkpointing import Checkpointer
from shipledger.storage.sqlite_query import STATEMENTS, query
from shipledger.working_set import WorkingSet

BUSY_MILLISECONDS_MAX = 5_000
CACHE_KIBIBYTES = 8 * 1024
"""Not more: a transaction that splits a page ends by looking through every page that is kept."""
CHECKPOINT_PAGES = 64_000
STATEMENTS_PREPARED = 512
"""The driver takes a statement out of its ring of prepared ones for each row, and puts it back at the front, where it
pushes another out: the ring must be larger than what a usual batch writes, or each batch prepares all of it anew."""
SQLITE_VERSION_MIN = (3, 51, 3)
"""Older ones can corrupt a WAL database when two connections write or checkpoint at once."""

_LAST_IDS = "SELECT (SELECT ifnull(max(id), 0) FROM fulfillments), (SELECT ifnull(max(id), 0) FROM events)"
_NOT_NOW = (apsw.FullError, apsw.BusyError, apsw.LockedError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.IOError)


class SqliteLedger:
    """The writing side (`shipledger.storage.port.Ledger`) of an embedded ledger whose schema is current."""

    def __init__(
        self, path: Path, *, vfs: str | None = None, synchronous: str = "FULL", checkpoint_pages: int = CHECKPOINT_PAGES
    ) -> None:
        """Open the file. `vfs` and `synchronous` are for tests that cut the power."""
        require_sound_sqlite()
        self._connection = apsw.Connection(str(path), vfs=vfs, statementcachesize=STATEMENTS_PREPARED)
        self._connection.set_busy_timeout(BUSY_MILLISECONDS_MAX)
        if self._connection.execute("PRAGMA journal_mode = WAL").get != "wal":
            raise RuntimeError(f"{path} cannot be kept in WAL mode, without which a commit may be lost with the power.")
        for pragma in (
            f"synchronous = {synchronous}",
            f"cache_size = -{CACHE_KIBIBYTES}",
            "foreign_keys = ON",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        self._is_changed = False
        self._checkpointer = Checkpointer(path, vfs, checkpoint_pages)
        self._connection.set_wal_hook(self._checkpointer.note_length)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._is_changed = False
        try:
            self._checkpointer.finish(self._connection)
            self._connection.execute("BEGIN IMMEDIATE")
        except _NOT_NOW as error:
            raise Unavailable(str(error)) from error
        try:
            yield
        except BaseException as error:
            self._rollback()
            if isinstance(error, _NOT_NOW):
                raise Unavailable(str(error)) from error
            raise
        self._commit()

    def _commit(self) -> None:
        if not self._is_changed:
            self._rollback()
            return
        try:
            self._connection.execute("COMMIT")
        except apsw.Error as error:
            self._rollback()
            raise self._fault_of_commit(error) from error

    def _fault_of_commit(self, error: apsw.Error) -> Fault:
        # The commit record is the last thing written. Where that write failed (no space, a file system that became
        # read-only) there is no record; after any other error, the sync's among them, there may be one.
        is_unwritten = getattr(error, "extendedresult", None) == apsw.SQLITE_IOERR_WRITE
        if is_unwritten or isinstance(error, (apsw.FullError, apsw.BusyError, apsw.ReadOnlyError)):
            return Unavailable(str(error))
        return OutcomeUnknown(str(error))

    def _rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def load(self, needs: Needs) -> WorkingSet:
        last_fulfillment, last_event = self._connection.execute(_LAST_IDS).get
        working_set = WorkingSet(
            fulfillment_ids=itertools.count(last_fulfillment + 1),
            event_ids=itertools.count(last_event + 1),
            order_ids=iter(list(itertools.islice(self._free_order_ids(), needs.order_ids_to_add))),
        )
        load_rows(partial(query, self._connection), needs, working_set)
        return working_set

    def _free_order_ids(self) -> Iterator[int]:
        """Ids that no order has. A source may have brought ids of its own into this range, so each is looked up."""
        next_id = self._connection.execute("SELECT value FROM counters WHERE name = 'order_ids'").get
        for order_id in itertools.count(ASSIGNED_ORDER_ID_MIN if next_id is None else next_id):
            if self._connection.execute("SELECT 1 FROM orders WHERE id = ?", (order_id,)).get is None:
                yield order_id

    def save(self, working_set: WorkingSet) -> None:
        if not working_set.is_changed:
            return
        self._is_changed = True
        ask = partial(query, self._connection)
        totals = TotalsToSave(working_set, ask)
        for statement, rows in rows_to_save(working_set, partial(whole_orders, ask), states_apart=True):
            self._connection.executemany(STATEMENTS[statement], rows)
        self._connection.executemany(STATEMENTS["add_partner_totals"], totals.rows())
        if working_set.has_news_for_partners:
            first = min(event.id for event in working_set.new_events)
            self._connection.execute(STATEMENTS["tell_partners"], (first,))
        assigned = [new.order.id for new in working_set.new_orders if new.content.id is None]
        if assigned:
            self._connection.execute(STATEMENTS["keep_counter"], ("order_ids", max(assigned) + 1))

    def carry_out(self, errand: Errand) -> list[Rows]:
        with self.transaction():
            before = self._connection.total_changes()
            answers = [list(query(self._connection, step.statement, *step.values)) for step in errand.steps]
            self._is_changed = self._connection.total_changes() != before
        return answers

    def close(self) -> None:
        self._checkpointer.stop()
        self._connection.close()


def require_sound_sqlite() -> None:
    """Raise RuntimeError where the driver brings a SQLite that may damage a ledger."""
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < SQLITE_VERSION_MIN:
        needed = ".".join(str(part) for part in SQLITE_VERSION_MIN)
        raise RuntimeError(
            f"SQLite {apsw.sqlite_lib_version()} is too old to be safe: install an apsw with {needed} or newer."
        )
