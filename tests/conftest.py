"""What every test may use, and the rule for skipped tests: under SHIPLEDGER_TEST_REQUIRE_ALL=1 a skip is a failure."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.serving import Server

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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Server]":
    """A server over a new ledger, shared by the tests of a file: each uses orders of its own."""
    from tests.serving import running

    with running(tmp_path_factory.mktemp("ledger") / "ledger.db") as started:
        yield started
