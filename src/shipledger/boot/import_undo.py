"""Undoes an import: cancels what it made and frees its keys, in the ledger or through the server that serves it."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from shipledger.boot.ledgers import Database, clock, held_for_writing, open_ledger, open_reading, require_current
from shipledger.command import OPERATOR, Command, Origin
from shipledger.commit.batch import commit_batch
from shipledger.file_import import TakeBack, UndoImport
from shipledger.importing.parcel_sender import ParcelSender
from shipledger.outcome import Fault
from shipledger.refusal import Refusal
from shipledger.storage.ledger_lock import serving_process
from shipledger.storage.port import Ledger

A_BATCH = 500


class NoSuchImport(Exception):
    """The ledger knows no import with this id."""


def undo_import(database: Database, import_id: int, progress: Callable[[int], object]) -> int:
    """Take back what an import made, and return how many fulfillments; `progress` is told how many so far.

    Interrupted, it can be gone on with. Raises NoSuchImport, LedgerInUse, SchemaError, ServerAway, and Fault.
    """
    require_current(database)
    with closing(open_reading(database)) as reading:
        if not any(known["id"] == import_id for known in reading.imports()):
            raise NoSuchImport
    server = serving_process(database) if isinstance(database, Path) else None
    if server is not None and server.url is not None:
        with closing(ParcelSender(server.url, server.token)) as sender:
            return _undo_through(sender, import_id, progress)
    with ExitStack() as stack:
        stack.enter_context(held_for_writing(database))
        ledger = stack.enter_context(closing(open_ledger(database)))
        return _undo_here(database, ledger, import_id, progress)


def _undo_through(sender: ParcelSender, import_id: int, progress: Callable[[int], object]) -> int:
    taken_back, is_undone = 0, False
    while not is_undone:
        done = sender.undo(import_id)
        taken_back += int(done["taken_back"])
        is_undone = bool(done["is_undone"])
        progress(taken_back)
    return taken_back


def _undo_here(database: Database, ledger: Ledger, import_id: int, progress: Callable[[int], object]) -> int:
    origin = Origin(OPERATOR, None, "import", None, f"undo-import-{import_id}")
    taken_back = 0
    with closing(open_reading(database)) as reading:
        while made := reading.imported(import_id, A_BATCH):
            _commit(ledger, [TakeBack(origin, each) for each in made])
            taken_back += len(made)
            progress(taken_back)
    _commit(ledger, [UndoImport(origin, import_id)])
    return taken_back


def _commit(ledger: Ledger, commands: list[Command]) -> None:
    """Raises Fault where one of them was not carried out."""
    for outcome in commit_batch(ledger, commands, clock()):
        if isinstance(outcome, Fault):
            raise outcome
        if isinstance(outcome, Refusal):
            raise Fault(f"what an import made cannot be taken back: {outcome.reason.sentence}")
