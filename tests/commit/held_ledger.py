"""A ledger whose COMMIT waits until a test lets it go, in this process or in one that it starts."""

import time
from pathlib import Path

from shipledger.storage.port import FulfillmentFilter
from shipledger.storage.sqlite import SqliteLedger
from shipledger.storage.sqlite_reading import sqlite_reading

SECONDS_MAX = 10


class Flag:
    """An event that several processes see, also when one that waited for it is killed: a file that is there or not."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def set(self) -> None:
        self._path.touch()

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)

    def wait(self, seconds_max: float) -> bool:
        deadline = time.monotonic() + seconds_max
        while not self._path.exists():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True


class Gate:
    """Whether COMMITs go through."""

    def __init__(self, folder: Path) -> None:
        self.let_go = Flag(folder / "let-go")
        self.is_at_commit = Flag(folder / "is-at-commit")

    def hold(self) -> None:
        self.let_go.clear()
        self.is_at_commit.clear()


class HeldLedger(SqliteLedger):
    """A ledger behind a gate."""

    def __init__(self, path: Path, gate: Gate) -> None:
        super().__init__(path)
        self.gate = gate

    def _commit(self) -> None:
        self.gate.is_at_commit.set()
        assert self.gate.let_go.wait(SECONDS_MAX)
        super()._commit()


def parcels(path: Path) -> list[tuple[str, str]]:
    """The parcels in the ledger, newest first: their tracking numbers and the moments of their batches."""
    reading = sqlite_reading(path)
    documents = reading.fulfillments(FulfillmentFilter(), None, 99, None).documents
    reading.close()
    return [(document["tracking_number"], document["created_at"]) for document in documents]
