"""The rules of imports: one file is one import, until it is undone."""

from dataclasses import replace

from shipledger.command import CancelFulfillment
from shipledger.correcting import cancel_fulfillment
from shipledger.file_import import (
    BeginImport,
    FileImport,
    FinishImport,
    ImportCommand,
    TakeBack,
    UndoImport,
    import_document,
)
from shipledger.outcome import Done, Outcome
from shipledger.refusal import Reason, Refusal
from shipledger.timestamp import Microseconds
from shipledger.working_set import WorkingSet


def decide_import(command: ImportCommand, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Begin or finish an import, or undo it."""
    match command:
        case BeginImport():
            return _begin(command, working_set, now)
        case FinishImport():
            return _finish(command, working_set, now)
        case UndoImport():
            return _undo(command, working_set, now)
        case TakeBack():
            return _take_back(command, working_set, now)


def _begin(command: BeginImport, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Begin an import, or go on with the one that the same file began and that still stands."""
    for known in working_set.imports.values():
        if known.content == command.content and known.undone_at is None:
            return Done(import_document(known), known.id, is_new=False)
    begun = FileImport(max(working_set.imports, default=0) + 1, command.file, command.content, now)
    working_set.add_import(begun)
    return Done(import_document(begun), begun.id)


def _finish(command: FinishImport, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Remember the counts. Rows that an earlier run of the import took are repeated in this one, and stay taken."""
    known = working_set.imports.get(command.import_id)
    if known is None:
        return Refusal(Reason.NOT_FOUND)
    counts = command.counts
    before = min(known.counts.taken, counts.repeated)
    counts = replace(counts, taken=counts.taken + before, repeated=counts.repeated - before)
    working_set.change_import(known, "counts", counts)
    working_set.change_import(known, "finished_at", now)
    return Done(import_document(known), known.id)


def _undo(command: UndoImport, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Remember that it is undone. Done again, it stays as it is."""
    known = working_set.imports.get(command.import_id)
    if known is None:
        return Refusal(Reason.NOT_FOUND)
    if known.undone_at is None:
        working_set.change_import(known, "undone_at", now)
    return Done(import_document(known), known.id)


def _take_back(command: TakeBack, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Cancel it, unless it was cancelled before, and forget that it was ever imported."""
    outcome = cancel_fulfillment(CancelFulfillment(command.origin, command.made.fulfillment_id), working_set, now)
    if isinstance(outcome, Done):
        working_set.forget_imported(command.made)
    return outcome
