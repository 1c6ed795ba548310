"""What every test may use, and the rule for skipped tests: under SHIPLEDGER_TEST_REQUIRE_ALL=1 a skip is a failure."""

import itertools
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.postgres_server import Databases
    from tests.serving import Engine, Server

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The published examples and data sets that lie beside the repository."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the shared data sets are missing: this test reads them from {SHARED_DATA}")
    return SHARED_DATA


def _fail_where_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    is_expected_failure = hasattr(report, "wasxfail")
    if os.environ.get("SHIPLEDGER_TEST_REQUIRE_ALL") == "1" and report.skipped and not is_expected_failure:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        report.outcome = "failed"
        report.longrepr = f"{reason}\n(a skip is a failure here: SHIPLEDGER_TEST_REQUIRE_ALL=1)"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_where_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_where_skipped(report)
    return report


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "on_both_databases: run what uses `engine` or `server` on SQLite and PostgreSQL")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames and metafunc.definition.get_closest_marker("on_both_databases"):
        metafunc.parametrize("engine", ["sqlite", "postgres"], indirect=True, scope="module")


@pytest.fixture(scope="session")
def databases() -> "Iterator[Databases]":
    """New databases on a real PostgreSQL, which is started when the first test asks."""
    from tests.postgres_server import databases

    with databases() as found:
        yield found


@pytest.fixture(scope="module")
def shared_postgres(databases: "Databases") -> Iterator[str]:
    """A ledger on PostgreSQL that the tests of a file use one after the other."""
    with databases.dropped_at_the_end(databases.create) as create:
        yield create()


@pytest.fixture
def postgres_url(shared_postgres: str) -> str:
    """A ledger on PostgreSQL without any row."""
    from tests.postgres_server import empty

    empty(shared_postgres)
    return shared_postgres


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Engine]":
    """The database that the tests of a file run on: SQLite, or one after the other (see `on_both_databases`)."""
    from tests.serving import Engine

    folder, numbers = tmp_path_factory.mktemp("ledger"), itertools.count()
    if getattr(request, "param", "sqlite") == "sqlite":
        yield Engine("sqlite", lambda: folder / f"ledger{next(numbers) or ''}.db", folder)
        return
    databases: Databases = request.getfixturevalue("databases")
    with databases.dropped_at_the_end(databases.create_empty) as create:
        yield Engine("postgres", create, folder)


@pytest.fixture(scope="module")
def server(engine: "Engine") -> "Iterator[Server]":
    """A server over a new ledger, shared by the tests of a file: each uses orders of its own."""
    with engine.running() as started:
        yield started
