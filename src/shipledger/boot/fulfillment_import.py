"""Imports fulfillments: reads the file, and records its parcels in the ledger, or through the server that serves it."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from itertools import islice
from pathlib import Path
from typing import Protocol

from shipledger.boot.ledgers import Database, clock, held_for_writing, open_ledger, open_reading, require_current
from shipledger.boot.order_import import Progress
from shipledger.command import (
    OPERATOR,
    Command,
    CreateFulfillment,
    Origin,
    RequestedLine,
    parcel_of_file,
    requested_order,
)
from shipledger.commit.batch import commit_batch
from shipledger.file_import import BeginImport, FinishImport, RowCounts
from shipledger.importing.parcel import ParcelContent
from shipledger.importing.parcel_files import ParcelFile, stage_parcels
from shipledger.importing.parcel_reasons import Said, said_of
from shipledger.importing.parcel_sender import ParcelSender
from shipledger.importing.rejects import rejects_path, require_ours, write_rejects
from shipledger.importing.staging import Staging
from shipledger.outcome import Crashed, Done, Fault
from shipledger.storage.ledger_lock import serving_process
from shipledger.storage.port import Ledger
from shipledger.tracking import understood

PARCELS_A_BATCH = 500
_BLOCK = 1024 * 1024
_ORIGIN = Origin(OPERATOR, None, "import", None, "import")
_NO_IMPORT = 0
"""The import of a rehearsal, which nobody stores."""


class Record(Protocol):
    """Records the parcels of one import."""

    import_id: int | None

    def parcels(self, parcels: Sequence[ParcelContent]) -> list[Said]:
        """Say of each whether it is new, or why it was not taken."""

    def finish(self, counts: RowCounts) -> None:
        """All parcels were recorded."""


@dataclass(slots=True)
class FulfillmentsImported:
    """What became of every row, and of every parcel. The sum of `reasons` is what was rejected."""

    import_id: int | None = None
    rows: int = 0
    taken: int = 0
    repeated: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    parcels_taken: int = 0
    parcels_repeated: int = 0
    parcels_rejected: int = 0
    rejects: Path | None = None

    @property
    def rejected(self) -> int:
        """Rows that were not taken."""
        return sum(self.reasons.values())


def import_fulfillments(
    source: ParcelFile,
    database: Database,
    zone: tzinfo,
    progress: Progress,
    *,
    rejects: Path | None = None,
    dry_run: bool = False,
    verdict: "Verdict | None" = None,
) -> FulfillmentsImported:
    """Import what the file holds. What the ledger has is left alone, so that this can be done again, or gone on with.

    Of a dry run `verdict` is told what would become of each row. Raises Unreadable, LedgerInUse, SchemaError,
    ServerAway, and Fault where the ledger is away.
    """
    path = rejects_path(source.file) if rejects is None else rejects
    writes_rejects = not dry_run or rejects is not None
    if writes_rejects:
        require_ours(path, source.file.path)
    with _recording(database, source, dry_run=dry_run) as record:
        return record_file(source, record, zone, progress, rejects=path if writes_rejects else None, verdict=verdict)


def record_file(
    source: ParcelFile,
    record: "Record",
    zone: tzinfo,
    progress: Progress,
    *,
    rejects: Path | None,
    verdict: "Verdict | None" = None,
) -> FulfillmentsImported:
    """Record what the file holds, this way into the ledger. Raises Unreadable, and what the way raises."""
    staging = stage_parcels(source, zone, progress.read)
    try:
        imported = FulfillmentsImported(record.import_id, staging.rows)
        _record_all(staging, record, imported, progress)
        imported.reasons = staging.reasons()
        imported.parcels_rejected = staging.count_orders() - imported.parcels_taken - imported.parcels_repeated
        counts = RowCounts(imported.rows, imported.taken, imported.repeated, imported.rejected)
        record.finish(counts)
        if rejects is not None:
            rejects.unlink(missing_ok=True)
            if imported.rejected:
                write_rejects(source.file, staging.rejects(0), rejects)
                imported.rejects = rejects
        if verdict is not None:
            for row in staging.verdicts():
                verdict(*row)
        return imported
    finally:
        staging.close()


class Verdict(Protocol):
    """Whoever hears what would become of a row."""

    def __call__(self, line: int, verdict: str, reason: str | None, /) -> object: ...


def _record_all(
    staging: Staging[ParcelContent], record: Record, imported: FulfillmentsImported, progress: Progress
) -> None:
    parcels = staging.orders()
    while batch := list(islice(parcels, PARCELS_A_BATCH)):
        contents = [_counted(parcel.content, staging) for parcel in batch]
        for parcel, said in zip(batch, record.parcels(contents), strict=True):
            if isinstance(said, str):
                staging.refuse(parcel.number, said)
            elif said:
                imported.taken += parcel.rows
                imported.parcels_taken += 1
            else:
                staging.mark_repeated(parcel.number)
                imported.repeated += parcel.rows
                imported.parcels_repeated += 1
        progress.recorded(sum(parcel.rows for parcel in batch))
    staging.reject_refused()


def _counted(parcel: ParcelContent, staging: Staging[ParcelContent]) -> ParcelContent:
    """Of parcels of another ledger that are alike, which one it is."""
    if parcel.past is None:
        return parcel
    return replace(parcel, past=replace(parcel.past, nth=staging.count(parcel.likeness())))


@contextmanager
def _recording(database: Database, source: ParcelFile, *, dry_run: bool) -> Iterator[Record]:
    """The way into the ledger: its database, or the server that serves it from a file."""
    server = serving_process(database) if isinstance(database, Path) and not dry_run else None
    name, content = source.file.path.name, fingerprint_of(source.file.path)
    if dry_run:
        require_current(database)
        with closing(open_reading(database)) as reading:
            yield Rehearsal(reading.rehearsal())
    elif server is not None and server.url is not None:
        with closing(ParcelSender(server.url, server.token)) as sender:
            sender.begin(name, content)
            yield sender
    else:
        with ExitStack() as stack:
            stack.enter_context(held_for_writing(database))
            ledger = stack.enter_context(closing(open_ledger(database)))
            yield _LedgerRecord(ledger, name, content)


def fingerprint_of(path: Path) -> str:
    """What a file is known by: equal for equal bytes."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


class _LedgerRecord:
    """Records in the ledger itself, which this process holds."""

    def __init__(self, ledger: Ledger, name: str, content: str) -> None:
        self._ledger = ledger
        self.import_id = self._done(BeginImport(_ORIGIN, name, content)).made_id
        self._origin = Origin(OPERATOR, None, "import", None, f"import-{self.import_id}")

    def parcels(self, parcels: Sequence[ParcelContent]) -> list[Said]:
        commands = [command_of(parcel, self._origin, self.import_id) for parcel in parcels]
        outcomes = commit_batch(self._ledger, commands, clock())
        if len(outcomes) > 1 and all(isinstance(outcome, Crashed) for outcome in outcomes):
            raise Crashed("the ledger could record none of the fulfillments; the log says why")
        return [said_of(outcome) for outcome in outcomes]

    def finish(self, counts: RowCounts) -> None:
        if self.import_id is not None:
            self._done(FinishImport(self._origin, self.import_id, counts))

    def _done(self, command: Command) -> Done:
        (outcome,) = commit_batch(self._ledger, [command], clock())
        if isinstance(outcome, Done):
            return outcome
        raise outcome if isinstance(outcome, Fault) else Crashed("the ledger knows no such import")


def command_of(parcel: ParcelContent, origin: Origin, import_id: int | None) -> Command:
    """The command that records a parcel of a file."""
    lines = [RequestedLine(line.sku, line.quantity, f"line_items[{at}]") for at, line in enumerate(parcel.lines)]
    order = requested_order(parcel.order, lines, "order_id")
    given = parcel.tracking
    told = understood(given.number, given.url, given.carrier)
    return parcel_of_file(CreateFulfillment(origin, (order,), told.tracking, given=given), import_id or 0, parcel.past)


class Rehearsal:
    """Decides as the ledger would, and writes nothing to it."""

    import_id: int | None = None

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def parcels(self, parcels: Sequence[ParcelContent]) -> list[Said]:
        commands = [command_of(parcel, _ORIGIN, _NO_IMPORT) for parcel in parcels]
        return [said_of(outcome) for outcome in commit_batch(self._ledger, commands, clock())]

    def finish(self, counts: RowCounts) -> None:
        pass
