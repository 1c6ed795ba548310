"""A ledger's schema comes from numbered steps, each applied once and never changed afterwards."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import apsw
import psycopg
import pytest

from shipledger.boot import ledgers
from shipledger.storage import migrate
from shipledger.storage.migrate import (
    Migration,
    SchemaError,
    migrate_postgres,
    migrate_sqlite,
    migrations,
    missing_migrations,
    missing_postgres_migrations,
)
from tests.postgres_server import Databases, execute

NODES = 4


class File:
    """A SQLite file."""

    steps = migrations("sqlite")
    failed = apsw.SQLError

    def __init__(self, path: Path) -> None:
        self.connection = apsw.Connection(str(path))

    def migrate(self) -> list[Migration]:
        return migrate_sqlite(self.connection)

    def missing(self) -> list[Migration]:
        return missing_migrations(self.connection)

    def schema(self) -> object:
        return set(self.connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"))


class Postgres:
    """A database of a PostgreSQL server."""

    steps = migrations("postgres")
    failed = psycopg.errors.DuplicateTable

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)

    def migrate(self) -> list[Migration]:
        return migrate_postgres(self.connection)

    def missing(self) -> list[Migration]:
        return missing_postgres_migrations(self.connection)

    def schema(self) -> object:
        columns = "table_name, column_name, data_type, column_default, is_nullable, collation_name"
        constraints = "conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
        parts = [
            f"SELECT {columns} FROM information_schema.columns WHERE table_schema = 'public'",
            f"SELECT {constraints} FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
            "SELECT sequencename, start_value FROM pg_sequences",
        ]
        return [set(self.connection.execute(part.encode()).fetchall()) for part in parts]


Unmigrated = File | Postgres
"""A database without a schema."""


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[str]:
    with databases.dropped_at_the_end(databases.create_empty) as create:
        yield create()


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Unmigrated]:
    """Each database in turn."""
    path = tmp_path / "ledger.db"
    found = File(path) if request.param == "sqlite" else Postgres(request.getfixturevalue("empty_url"))
    yield found
    found.connection.close()


@pytest.fixture
def another(ledger: Unmigrated, tmp_path: Path, databases: Databases) -> Iterator[Unmigrated]:
    with databases.dropped_at_the_end(databases.create_empty) as create:
        found = File(tmp_path / "another.db") if isinstance(ledger, File) else Postgres(create())
        yield found
        found.connection.close()


def steps(monkeypatch: pytest.MonkeyPatch, *found: Migration) -> None:
    monkeypatch.setattr(migrate, "migrations", lambda _: list(found))


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_the_steps_are_numbered_from_1_without_a_gap(dialect: str) -> None:
    found = migrations(dialect)
    assert [step.version for step in found] == list(range(1, len(found) + 1))


def test_both_databases_go_through_the_same_steps() -> None:
    assert [step.name for step in File.steps] == [step.name for step in Postgres.steps]


def test_a_new_ledger_gets_every_step_once(ledger: Unmigrated) -> None:
    assert ledger.missing() == ledger.steps
    assert ledger.migrate() == ledger.steps
    made = ledger.schema()
    assert ledger.migrate() == []
    assert ledger.schema() == made
    assert ledger.missing() == []


def test_a_ledger_migrated_step_by_step_has_the_schema_of_a_new_one(
    ledger: Unmigrated, another: Unmigrated, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_steps = [*ledger.steps, Migration(len(ledger.steps) + 1, "one_more", "ALTER TABLE orders ADD COLUMN note TEXT")]
    for count in range(1, len(all_steps) + 1):
        steps(monkeypatch, *all_steps[:count])
        assert ledger.migrate() == all_steps[count - 1 : count]
    assert another.migrate() == all_steps
    assert another.schema() == ledger.schema()


def test_a_step_that_fails_leaves_nothing_of_itself(ledger: Unmigrated, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.migrate()
    made = ledger.schema()
    sql = "CREATE TABLE half (x integer); CREATE TABLE orders (x integer)"
    broken = Migration(len(ledger.steps) + 1, "broken", sql)
    steps(monkeypatch, *ledger.steps, broken)
    with pytest.raises(ledger.failed, match="already exists"):
        ledger.migrate()
    assert ledger.schema() == made
    assert ledger.missing() == [broken]


def test_a_step_that_was_changed_after_it_was_applied_is_refused(
    ledger: Unmigrated, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.migrate()
    first, *others = ledger.steps
    steps(monkeypatch, Migration(1, first.name, first.sql + " "), *others)
    with pytest.raises(SchemaError, match="0001 was changed"):
        ledger.migrate()


def test_a_ledger_of_a_newer_version_is_refused(ledger: Unmigrated, monkeypatch: pytest.MonkeyPatch) -> None:
    later = Migration(len(ledger.steps) + 1, "later", "CREATE TABLE later (x integer)")
    steps(monkeypatch, *ledger.steps, later)
    ledger.migrate()
    steps(monkeypatch, *ledger.steps)
    with pytest.raises(SchemaError, match="newer Shipledger"):
        ledger.migrate()


def start_nodes(url: str) -> list[Any]:
    """What each of several nodes applied, or what it failed with, that started at one moment on one database."""
    begin = threading.Barrier(NODES)

    def start() -> Any:
        begin.wait()
        try:
            return ledgers.migrate(url)
        except psycopg.Error as error:
            return error

    with ThreadPoolExecutor(NODES) as nodes:
        return [node.result() for node in [nodes.submit(start) for _ in range(NODES)]]


def test_of_nodes_that_start_at_once_one_migrates_and_the_others_wait_for_it(empty_url: str) -> None:
    applied = start_nodes(empty_url)
    assert sorted(applied, key=len) == [[]] * (NODES - 1) + [Postgres.steps]


def test_control_without_the_lock_nodes_that_start_at_once_stand_in_each_others_way(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(empty_url, "CREATE FUNCTION no_lock(bigint) RETURNS void LANGUAGE sql AS 'SELECT pg_sleep(0.2)'")
    real = psycopg.Connection.execute

    def unlocked(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(query, str):
            query = query.replace("pg_advisory_xact_lock", "no_lock")
        return real(self, query, *arguments, **options)

    monkeypatch.setattr(psycopg.Connection, "execute", unlocked)
    assert any(isinstance(applied, psycopg.Error) for applied in start_nodes(empty_url))


def test_a_ledger_is_made_also_while_somebody_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    reader = apsw.Connection(str(path))
    reader.execute("CREATE TABLE other (a)")
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM other").get == 0
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(ledgers.migrate, path)
        with pytest.raises(TimeoutError):
            made.result(timeout=0.2)
        reader.execute("COMMIT")
        assert made.result(timeout=10)
