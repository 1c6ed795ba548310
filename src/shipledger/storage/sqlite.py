"""The embedded ledger: one writing connection to a SQLite file in WAL mode, each commit synced to the disk."""

import itertools
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

import apsw

from shipledger.document import order_event_document
from shipledger.limits import ASSIGNED_ORDER_ID_MIN
from shipledger.needs import Needs
from shipledger.outcome import Done, Fault, OutcomeUnknown, Unavailable
from shipledger.storage.sqlite_rows import (
    STATEMENTS,
    from_json_text,
    fulfillments_from_rows,
    json_text,
    line_from_row,
    order_from_row,
    whole_orders,
)
from shipledger.working_set import KeptAnswer, NewOrder, WorkingSet

BUSY_MILLISECONDS_MAX = 5_000
CACHE_KIBIBYTES = 64 * 1024
CHECKPOINT_PAGES = 1_000
SQLITE_VERSION_MIN = (3, 51, 3)
"""Older ones can corrupt a WAL database when two connections write or checkpoint at once."""

_NOT_NOW = (apsw.FullError, apsw.BusyError, apsw.LockedError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.IOError)


class SqliteLedger:
    """The writing side (`shipledger.storage.port.Ledger`) of an embedded ledger whose schema is current."""

    def __init__(
        self, path: Path, *, vfs: str | None = None, synchronous: str = "FULL", checkpoint_pages: int = CHECKPOINT_PAGES
    ) -> None:
        """Open the file. `vfs` and `synchronous` are for tests that cut the power."""
        require_sound_sqlite()
        self._connection = apsw.Connection(str(path), vfs=vfs)
        self._connection.set_busy_timeout(BUSY_MILLISECONDS_MAX)
        if self._connection.execute("PRAGMA journal_mode = WAL").get != "wal":
            raise RuntimeError(f"{path} cannot be kept in WAL mode, without which a commit may be lost with the power.")
        for pragma in (
            f"synchronous = {synchronous}",
            f"wal_autocheckpoint = {checkpoint_pages}",
            f"cache_size = -{CACHE_KIBIBYTES}",
            "foreign_keys = ON",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        self._is_changed = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._is_changed = False
        try:
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
        # A full disk or a lock is met before the commit record is written; after any other error it may have been.
        if isinstance(error, (apsw.FullError, apsw.BusyError, apsw.ReadOnlyError)):
            return Unavailable(str(error))
        return OutcomeUnknown(str(error))

    def _rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def load(self, needs: Needs) -> WorkingSet:
        connection = self._connection
        working_set = WorkingSet(
            fulfillment_ids=itertools.count(self._last_id("fulfillments") + 1),
            event_ids=itertools.count(self._last_id("events") + 1),
            order_ids=self._free_order_ids() if needs.orders_to_add else iter(()),
        )
        self._load_orders(needs, working_set)
        if needs.kept:
            pairs = json.dumps(sorted(needs.kept))
            for account, key, fingerprint, body, made_id, is_new, created_at in connection.execute(
                STATEMENTS["load_kept_answers"], (pairs,)
            ):
                done = Done(from_json_text(body), made_id, is_new=bool(is_new), replayed=True)
                working_set.kept[account, key] = KeptAnswer(account, key, fingerprint, done, created_at)
        return working_set

    def _last_id(self, table: str) -> int:
        last: int = self._connection.execute(f"SELECT ifnull(max(id), 0) FROM {table}").get
        return last

    def _free_order_ids(self) -> Iterator[int]:
        """Ids that no order has. A source may have brought ids of its own into this range, so each is looked up."""
        next_id = self._connection.execute("SELECT value FROM counters WHERE name = 'order_ids'").get
        for order_id in itertools.count(ASSIGNED_ORDER_ID_MIN if next_id is None else next_id):
            if self._connection.execute("SELECT 1 FROM orders WHERE id = ?", (order_id,)).get is None:
                yield order_id

    def _load_orders(self, needs: Needs, working_set: WorkingSet) -> None:
        if not needs.lines:
            return
        connection, orders = self._connection, working_set.orders
        ids, references = needs.order_names()
        for row in connection.execute(STATEMENTS["load_orders"], (json.dumps(ids), json.dumps(references))):
            order = order_from_row(row)
            orders[order.id] = order
            if order.reference is not None:
                working_set.references[order.reference] = order.id
        wanted = needs.of_found(working_set.find)
        lines: list[tuple[Any, ...]] = []
        if wanted.lines:
            lines += connection.execute(STATEMENTS["load_lines"], (json.dumps(list(wanted.lines)),))
        if wanted.whole_orders:
            lines += connection.execute(STATEMENTS["load_all_lines"], (json.dumps(wanted.whole_orders),))
        for row in sorted(lines, key=itemgetter(0, 1)):
            orders[row[0]].lines.append(line_from_row(row))
        if wanted.repeats:
            rows = connection.execute(STATEMENTS["load_repeats"], (json.dumps(list(wanted.repeats)), needs.repeats_max))
            for fulfillment in fulfillments_from_rows(connection, rows):
                place = (fulfillment.order_id, fulfillment.tracking.number)
                working_set.repeats.setdefault(place, []).append(fulfillment)

    def save(self, working_set: WorkingSet) -> None:
        if not working_set.is_changed:
            return
        self._is_changed = True
        self._save_orders(working_set)
        self._save_fulfillments(working_set)
        self._save_events(working_set)
        self._many(
            "add_kept_answer",
            (
                (kept.account, kept.key, kept.fingerprint, json_text(kept.done.body), kept.done.made_id,
                 int(kept.done.is_new), kept.created_at)
                for kept in working_set.new_kept
            ),
        )  # fmt: skip

    def _save_orders(self, working_set: WorkingSet) -> None:
        added = {new.order.id for new in working_set.new_orders}
        self._many("add_order", (_order_columns(new) for new in working_set.new_orders))
        self._many(
            "add_order_line",
            (
                (line.order_id, line.sku, line.position, line.ordered, line.fulfilled, line.cancelled, line.partner,
                 line.title)
                for new in working_set.new_orders
                for line in new.order.lines
            ),
        )  # fmt: skip
        assigned = [new.order.id for new in working_set.new_orders if new.content.id is None]
        if assigned:
            self._connection.execute(STATEMENTS["keep_counter"], ("order_ids", max(assigned) + 1))
        self._many(
            "change_order",
            (
                (str(order.status), order.fulfilled, order.cancelled, int(order.on_hold), order.hold_reason,
                 order.cancelled_at, order.event_count, order.id)
                for order in working_set.changed_orders.values()
                if order.id not in added
            ),
        )  # fmt: skip
        self._many(
            "change_order_line",
            (
                (line.fulfilled, line.cancelled, line.order_id, line.sku, line.position)
                for line in working_set.changed_lines.values()
                if line.order_id not in added
            ),
        )

    def _save_fulfillments(self, working_set: WorkingSet) -> None:
        self._many(
            "add_fulfillment",
            (
                (made.id, made.order_id, str(made.status), made.tracking.number, made.tracking.url,
                 made.tracking.carrier, made.account, made.created_at)
                for made in working_set.new_fulfillments
            ),
        )  # fmt: skip
        self._many(
            "add_fulfillment_line",
            (
                (made.id, line.position, line.sku, line.quantity)
                for made in working_set.new_fulfillments
                for line in made.lines
            ),
        )

    def _save_events(self, working_set: WorkingSet) -> None:
        orders_told = {event.order_id for event in working_set.new_events if event.data is None}
        orders = whole_orders(self._connection, orders_told) if orders_told else {}
        self._many(
            "add_event",
            (
                (event.id, event.order_id, event.sequence, str(event.type), event.created_at, event.origin.actor,
                 event.origin.key_id, event.origin.request_id,
                 json_text(order_event_document(orders[event.order_id]) if event.data is None else event.data))
                for event in working_set.new_events
            ),
        )  # fmt: skip

    def _many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self._connection.executemany(STATEMENTS[statement], rows)

    def close(self) -> None:
        self._connection.close()


def require_sound_sqlite() -> None:
    """Raise RuntimeError where the driver brings a SQLite that may damage a ledger."""
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < SQLITE_VERSION_MIN:
        needed = ".".join(str(part) for part in SQLITE_VERSION_MIN)
        raise RuntimeError(
            f"SQLite {apsw.sqlite_lib_version()} is too old to be safe: install an apsw with {needed} or newer."
        )


def _order_columns(new: NewOrder) -> tuple[Any, ...]:
    order, content = new.order, new.content
    return (
        order.id, str(order.status), order.ordered, order.fulfilled, order.cancelled, int(order.on_hold),
        order.event_count, order.content, new.created_at, order.cancelled_at, order.hold_reason, order.reference,
        content.channel, content.email, json_text(content.shipping_address), content.shipping_service, content.ship_by,
        content.deliver_by, json_text(content.metadata),
    )  # fmt: skip
