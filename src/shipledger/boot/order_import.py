"""Imports orders: reads the files, and records what they say in the ledger, or through the server that serves it."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import tzinfo
from itertools import islice
from pathlib import Path
from typing import Protocol

from shipledger.boot.ledgers import Database, clock, held_for_writing, open_ledger, open_reading
from shipledger.command import OPERATOR, CreateOrder, Origin, content_fingerprint
from shipledger.commit.batch import commit_batch
from shipledger.importing.order_files import OrderFiles, stage
from shipledger.importing.order_sender import OrderSender
from shipledger.importing.reading import NOT_RECORDED, ORDER_EXISTS
from shipledger.importing.rejects import rejects_path, require_ours, write_rejects
from shipledger.importing.staging import Staging
from shipledger.order import OrderContent
from shipledger.outcome import Crashed, Done, Fault, Outcome
from shipledger.storage.ledger_lock import serving_process
from shipledger.storage.port import Ledger
from shipledger.storage.reading import LedgerReading

ORDERS_A_BATCH = 500
_ORIGIN = Origin(account=OPERATOR, partner=None, actor="import", key_id=None, request_id="import")

Record = Callable[[Sequence[OrderContent]], list[bool | str]]
"""Records orders: says of each whether it is new, or why it was not taken."""


class Progress(Protocol):
    """Whoever shows how far an import is."""

    def read(self, bytes_read: int, rows: int) -> None:
        """So much was read."""

    def recorded(self, rows: int) -> None:
        """So many rows more are in the ledger."""


@dataclass(slots=True)
class Imported:
    """What became of every row, and of every order. The sum of `reasons` is what was rejected."""

    rows: int = 0
    taken: int = 0
    repeated: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    orders_taken: int = 0
    orders_repeated: int = 0
    orders_rejected: int = 0
    rejects: list[Path] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        """Rows that were not taken."""
        return sum(self.reasons.values())


def import_orders(
    source: OrderFiles,
    database: Database,
    zone: tzinfo,
    progress: Progress,
    *,
    rejects: Path | None = None,
    dry_run: bool = False,
) -> Imported:
    """Import what the files hold. What the ledger has is left alone, so that this can be done again, or gone on with.

    Raises Unreadable, LedgerInUse, SchemaError, ServerAway, and Fault where the ledger is away.
    """
    paths = _rejects_paths(source, rejects)
    writes_rejects = not dry_run or rejects is not None
    if writes_rejects:
        for path in paths:
            require_ours(path, *(file.path for file in source.files))
    with _recording(database, dry_run=dry_run) as record:
        staging = stage(source, zone, progress.read)
        try:
            imported = Imported(staging.rows)
            _record_all(staging, record, imported, progress)
            imported.reasons = staging.reasons()
            imported.orders_rejected = staging.count_orders() - imported.orders_taken - imported.orders_repeated
            for number, path in enumerate(paths if writes_rejects else ()):
                path.unlink(missing_ok=True)
                if any(True for _ in staging.rejects(number)):
                    write_rejects(source.files[number], staging.rejects(number), path)
                    imported.rejects.append(path)
            return imported
        finally:
            staging.close()


def _rejects_paths(source: OrderFiles, rejects: Path | None) -> list[Path]:
    """Where each file's rejects go; those of the lines lie beside the others."""
    if rejects is None:
        return [rejects_path(file) for file in source.files]
    return [rejects, rejects.with_name(f"{rejects.stem}.lines{rejects.suffix}")][: len(source.files)]


def _record_all(staging: Staging[OrderContent], record: Record, imported: Imported, progress: Progress) -> None:
    orders = staging.orders()
    while batch := list(islice(orders, ORDERS_A_BATCH)):
        for order, outcome in zip(batch, record([order.content for order in batch]), strict=True):
            if isinstance(outcome, str):
                staging.refuse(order.number, outcome)
            elif outcome:
                imported.taken += order.rows
                imported.orders_taken += 1
            else:
                imported.repeated += order.rows
                imported.orders_repeated += 1
        progress.recorded(sum(order.rows for order in batch))
    staging.reject_refused()


@contextmanager
def _recording(database: Database, *, dry_run: bool) -> Iterator[Record]:
    """The way into the ledger: its database, or the server that serves it from a file."""
    server = serving_process(database) if isinstance(database, Path) and not dry_run else None
    if dry_run:
        with _rehearsal(database) as record:
            yield record
    elif server is not None and server.url is not None:
        with closing(OrderSender(server.url, server.token)) as sender:
            yield sender.send
    else:
        with held_for_writing(database), closing(open_ledger(database)) as ledger:
            yield lambda orders: _recorded(ledger, orders)


def _recorded(ledger: Ledger, orders: Sequence[OrderContent]) -> list[bool | str]:
    commands = [CreateOrder(_ORIGIN, content) for content in orders]
    outcomes = commit_batch(ledger, commands, clock())
    if len(orders) > 1 and all(isinstance(outcome, Crashed) for outcome in outcomes):
        raise Crashed("the ledger could record none of the orders; the log says why")
    return [_said(outcome) for outcome in outcomes]


def _said(outcome: Outcome | Fault) -> bool | str:
    if isinstance(outcome, Done):
        return outcome.is_new
    if isinstance(outcome, Crashed):
        return NOT_RECORDED
    if isinstance(outcome, Fault):
        raise outcome
    return ORDER_EXISTS


@contextmanager
def _rehearsal(database: Database) -> Iterator[Record]:
    """Decides as the ledger would and writes nothing to it: what it does not know goes into one that is thrown away."""
    with ExitStack() as stack:
        is_there = isinstance(database, str) or database.exists()
        known = stack.enter_context(closing(open_reading(database))) if is_there else None
        thrown_away = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shipledger-dry-run-"))) / "ledger.db"
        stack.enter_context(held_for_writing(thrown_away))
        ledger = stack.enter_context(closing(open_ledger(thrown_away)))

        def record(orders: Sequence[OrderContent]) -> list[bool | str]:
            said = [None] * len(orders) if known is None else _said_by(known, orders)
            unknown = [content for content, outcome in zip(orders, said, strict=True) if outcome is None]
            new = iter(_recorded(ledger, unknown))
            return [next(new) if outcome is None else outcome for outcome in said]

        yield record


def _said_by(known: LedgerReading, orders: Sequence[OrderContent]) -> list[bool | str | None]:
    """What a ledger that is only read says to orders; None to those of which it has neither id nor reference."""
    ids = [content.id for content in orders if content.id is not None]
    found = known.orders_named(ids, [content.reference for content in orders if content.reference is not None])
    by_id = {order.id: order.content for order in found}
    by_reference = {order.reference: order.content for order in found if order.reference is not None}
    said: list[bool | str | None] = []
    for content in orders:
        stored = {by_id.get(content.id or 0), by_reference.get(content.reference or "")} - {None}
        said.append(None if not stored else False if stored == {content_fingerprint(content)} else ORDER_EXISTS)
    return said
