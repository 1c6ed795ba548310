"""What makes a SQLite file safe to keep a ledger in."""

from pathlib import Path

import apsw
import pytest

from shipledger.outcome import Unavailable
from shipledger.storage import sqlite
from shipledger.storage.sqlite import SqliteLedger, require_sound_sqlite
from shipledger.storage.sqlite_query import STATEMENTS
from shipledger.storage.sqlite_reading import sqlite_reading
from tests.commit.commands import new_ledger

FULL = 2


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", FULL),
        ("foreign_keys", 1),
    ],
)
def test_the_writing_connection_is_set_to_lose_nothing(tmp_path: Path, pragma: str, value: object) -> None:
    ledger = new_ledger(tmp_path / "ledger.db")
    assert ledger._connection.execute(f"PRAGMA {pragma}").get == value
    ledger.close()


def test_a_file_that_cannot_be_kept_in_wal_mode_is_refused() -> None:
    with pytest.raises(RuntimeError, match="WAL mode"):
        SqliteLedger(Path(":memory:"))


@pytest.mark.parametrize("version", ["3.51.2", "3.50.7", "3.9.0"])
def test_a_sqlite_that_may_damage_a_ledger_is_refused(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: version)
    with pytest.raises(RuntimeError, match=rf"SQLite {version} is too old.*3\.51\.3"):
        require_sound_sqlite()


@pytest.mark.parametrize("version", ["3.51.3", "3.52.0", "4.0.0"])
def test_a_sound_sqlite_is_taken(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: version)
    require_sound_sqlite()


def test_a_ledger_that_another_connection_writes_is_unavailable_and_then_free_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_MILLISECONDS_MAX", 10)
    ledger, other = new_ledger(tmp_path / "ledger.db"), apsw.Connection(str(tmp_path / "ledger.db"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable), ledger.transaction():
        pass
    other.execute("ROLLBACK")
    with ledger.transaction():
        pass
    other.close()
    ledger.close()


def test_the_reading_side_cannot_write(tmp_path: Path) -> None:
    new_ledger(tmp_path / "ledger.db").close()
    reading = sqlite_reading(tmp_path / "ledger.db")
    with pytest.raises(apsw.ReadOnlyError), reading._snapshot() as ledger:
        ledger.select("DELETE FROM orders", [])
    reading.close()


@pytest.mark.parametrize(
    "statement",
    [name for name in STATEMENTS if name.startswith(("add_", "change_")) and name != "add_webhook_messages"],
)
def test_a_statement_that_writes_a_row_makes_no_table_of_its_own(tmp_path: Path, statement: str) -> None:
    """As SQLite does for a CHECK that a text is IN a list, row by row. Messages are added from a SELECT, once."""
    ledger = new_ledger(tmp_path / "ledger.db")
    sql = STATEMENTS[statement]
    steps = [row[1] for row in ledger._connection.execute(f"EXPLAIN {sql}", [None] * sql.count("?"))]
    ledger.close()
    assert not {step for step in steps if step.startswith("OpenEphemeral")}
