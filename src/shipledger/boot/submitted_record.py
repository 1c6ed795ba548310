"""Records the parcels of an import from a thread of a serving process, through its committer."""

import asyncio
from collections.abc import Sequence

from shipledger.boot.fulfillment_import import command_of
from shipledger.command import AllOrNone, Command
from shipledger.file_import import BeginImport, FinishImport, RowCounts
from shipledger.importing.parcel import ParcelContent
from shipledger.importing.parcel_reasons import Said, said_of
from shipledger.importing.parcel_sender import parts
from shipledger.origin import Origin
from shipledger.outcome import Crashed, Done, Fault, Outcome, SubmitMany

PARCELS_AT_ONCE_MAX = 64
"""Parcels that are handed to the committer together: others have their turn in between."""


class SubmittedRecord:
    """Commands go in bulk, which never keep single ones waiting for long."""

    import_id: int | None = None

    def __init__(self, submit_many: SubmitMany, loop: asyncio.AbstractEventLoop, origin: Origin) -> None:
        """`loop` is that of the server, in which no method may be called."""
        self._submit_many = submit_many
        self._loop = loop
        self._origin = origin

    def begin(self, file: str, content: str) -> None:
        """Begin an import, or go on with the one that the same file began. Raises Fault."""
        self.import_id = self._done(BeginImport(self._origin, file, content)).made_id

    def parcels(self, parcels: Sequence[ParcelContent]) -> list[Said]:
        """Say of each whether it is new, or why it was not taken. Raises Fault."""
        groups = [
            [command_of(parcel, self._origin, self.import_id) for parcel in part]
            for part in parts(parcels, PARCELS_AT_ONCE_MAX)
        ]
        return [said_of(outcome) for outcome in self._outcomes(groups)]

    def finish(self, counts: RowCounts) -> None:
        """Remember what became of the rows. Raises Fault."""
        if self.import_id is not None:
            self._done(FinishImport(self._origin, self.import_id, counts))

    def _done(self, command: Command) -> Done:
        (outcome,) = self._outcomes([[command]])
        if isinstance(outcome, Done):
            return outcome
        raise outcome if isinstance(outcome, Fault) else Crashed("the ledger knows no such import")

    def _outcomes(self, groups: Sequence[Sequence[Command] | AllOrNone]) -> list[Outcome | Fault]:
        async def submitted() -> list[list[Outcome | Fault]]:
            return await asyncio.gather(*(self._submit_many(group) for group in groups))

        answered = asyncio.run_coroutine_threadsafe(submitted(), self._loop).result()
        return [outcome for group in answered for outcome in group]
