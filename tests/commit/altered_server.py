"""`shipledger serve` with a part taken out, held up or killed on purpose: for controls, and for faults at named points.

The product has no setting for any of this: a process of the tests alters the code, and then runs the command.
An alteration is the name of a function below and its arguments, e.g. ("kill_at", "save", 20).
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import apsw

from shipledger import fulfilling, order_keeping
from shipledger.boot import ledgers
from shipledger.cli.main import main
from shipledger.share import Share
from shipledger.storage import migrate
from shipledger.storage.migrate import Migration
from shipledger.storage.postgres_connection import STATEMENTS
from shipledger.storage.sqlite import SqliteLedger
from tests.serving import Database, Server, running

COMMAND = (sys.executable, "-m", "tests.commit.altered_server", "serve")
ALTERATIONS = "SHIPLEDGER_TEST_ALTERATIONS"


def altered(database: Database, *alterations: tuple[Any, ...], **environment: str) -> AbstractContextManager[Server]:
    """A server with these alterations, stopped at the end of the block. One that kills itself is gone by then."""
    return running(database, command=COMMAND, **environment, **{ALTERATIONS: json.dumps(alterations)})


def _replace(module: ModuleType, **parts: Any) -> None:
    for part, replacement in parts.items():
        getattr(module, part)  # or the alteration alters nothing
        setattr(module, part, replacement)


def without_quantity_rule() -> None:
    """Take whatever is asked for, from the first line that has the sku."""

    def take(share: Share) -> list[tuple[Any, int]]:
        return [(share.lines[asked.sku][0], asked.quantity) for asked in share.asked.lines or ()]

    _replace(fulfilling, check_quantities=lambda _: None, take=take)


def without_cancelling_rule() -> None:
    """Cancel whatever is asked for, of the first line that has the sku."""

    def take(share: Share) -> list[tuple[Any, int]]:
        return [(share.lines[asked.sku][0], asked.quantity) for asked in share.asked.lines or ()]

    _replace(order_keeping, check_quantities=lambda _: None, take=take)


def without_quantity_constraints() -> None:
    """A schema that would hold an over-fulfilled line."""
    real = migrate.migrations

    def unconstrained(dialect: str) -> list[Migration]:
        rule = "CHECK (fulfilled + cancelled <= ordered)"
        found = real(dialect)
        assert any(rule in step.sql for step in found)
        return [Migration(step.version, step.name, step.sql.replace(rule, "CHECK (1 = 1)")) for step in found]

    _replace(migrate, migrations=unconstrained)


def without_row_locks() -> None:
    """Nodes that read an order while another is changing it."""
    unlocked = STATEMENTS["load_orders"].replace("FOR NO KEY UPDATE", "")
    assert unlocked != STATEMENTS["load_orders"]
    STATEMENTS["load_orders"] = unlocked


def slow_commits(seconds: float) -> None:
    """A disk that takes this long for each commit."""
    commit = SqliteLedger._commit

    def slowly(self: SqliteLedger) -> None:
        time.sleep(seconds)
        commit(self)

    SqliteLedger._commit = slowly  # type: ignore[method-assign]


def answer_before_commit(batches: int) -> None:
    """Answer each batch at once, and hold COMMIT back for many of them."""
    held = 0

    @contextmanager
    def transaction(self: SqliteLedger) -> Iterator[None]:
        nonlocal held
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")
        yield
        held += 1
        if held % batches == 0:
            self._connection.execute("COMMIT")

    SqliteLedger.transaction = transaction  # type: ignore[method-assign]


def kill_at(point: str, call: int) -> None:
    """SIGKILL at the given call of a step of the batch, counted from 1: when it begins, or when it has ended."""
    step, _, when = point.partition(" ")
    method = {"load": "load", "save": "save", "commit": "_commit"}[step]
    original: Callable[..., Any] = getattr(SqliteLedger, method)
    calls = 0

    def deadly(self: SqliteLedger, *arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and when == "begins":
            _die()
        result = original(self, *arguments)
        if calls == call and when == "ended":
            _die()
        return result

    setattr(SqliteLedger, method, deadly)


def kill_in_checkpoint(write: int) -> None:
    """SIGKILL at the given write to the database file itself, which in WAL mode only a checkpoint makes."""
    writes = 0

    def deadly(name: str) -> None:
        nonlocal writes
        writes += name.endswith(".db")
        if writes == write:
            _die()

    _use_disk(Disk("deadly", on_write=deadly), checkpoint_pages=20)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def faulty_disk(folder: str) -> None:
    """A disk on which nothing can be written while a file named `full`, `broken` or `unsynced` lies in the folder."""
    path = Path(folder)

    def on_write(_: str) -> None:
        if (path / "full").exists():
            raise apsw.FullError("no space left on device")
        if (path / "broken").exists():
            raise _io_error("the file system is read-only", apsw.SQLITE_IOERR_WRITE)

    def on_sync(_: str) -> None:
        if (path / "unsynced").exists():
            raise _io_error("the disk did not take it", apsw.SQLITE_IOERR_FSYNC)

    _use_disk(Disk("faulty", on_write=on_write, on_sync=on_sync))


def _io_error(message: str, code: int) -> apsw.IOError:
    error = apsw.IOError(message)
    error.extendedresult = code  # type: ignore[attr-defined]
    return error


class Disk(apsw.VFS):
    """The ordinary files, with something that happens, or fails, at each write and sync."""

    def __init__(
        self, name: str, on_write: Callable[[str], None], on_sync: Callable[[str], None] = lambda _: None
    ) -> None:
        self.vfs = name
        self._on_write = on_write
        self._on_sync = on_sync
        super().__init__(name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        text = str(name.filename() if isinstance(name, apsw.URIFilename) else name)
        on_write, on_sync = self._on_write, self._on_sync

        class File(apsw.VFSFile):
            def xWrite(self, data: Any, offset: int) -> None:
                on_write(text)
                super().xWrite(data, offset)

            def xSync(self, flags: int) -> None:
                on_sync(text)
                super().xSync(flags)

            def excepthook(self, *_: object) -> bool:  # a fault on purpose is no news
                return True

        return File("", name, flags)

    def excepthook(self, *_: object) -> bool:
        return True


def _use_disk(disk: Disk, **options: Any) -> None:
    _replace(ledgers, SqliteLedger=lambda path: SqliteLedger(path, vfs=disk.vfs, **options))


if __name__ == "__main__":
    for name, *arguments in json.loads(os.environ[ALTERATIONS]):
        globals()[name](*arguments)
    main()
