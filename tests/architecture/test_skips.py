"""Where every part must be there (SHIPLEDGER_TEST_REQUIRE_ALL=1), a skipped test is a failed one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import REPOSITORY

SKIPPING = """
import pytest

def test_of_data(shared_data):
    pass

def test_that_skips_itself():
    pytest.skip("no such part")

@pytest.mark.xfail(reason="known")
def test_expected_to_fail():
    assert False
"""


@pytest.mark.parametrize(
    ("setting", "status", "summary"), [("", 0, "3 skipped, 1 xfailed"), ("1", 1, "1 failed, 1 xfailed, 2 errors")]
)
def test_a_skip_is_a_failure_where_all_is_required(tmp_path: Path, setting: str, status: int, summary: str) -> None:
    tests = tmp_path / "checkout" / "tests"
    tests.mkdir(parents=True)
    (tests / "conftest.py").write_bytes((REPOSITORY / "tests" / "conftest.py").read_bytes())
    (tests / "test_skipping.py").write_text(SKIPPING, encoding="utf-8")
    (tests / "test_module.py").write_text("import pytest\npytest.importorskip('no_such_module')", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-rsfE", "--continue-on-collection-errors", "."]
    environment = {**os.environ, "SHIPLEDGER_TEST_REQUIRE_ALL": setting, "COLUMNS": "300"}
    result = subprocess.run(command, cwd=tests, env=environment, check=False, capture_output=True, text=True)
    assert (result.returncode, result.stdout.splitlines()[-1].split(" in ")[0].strip("= ")) == (status, summary)
    for reason in ("the shared data sets are missing", "no such part", "no_such_module"):
        assert reason in result.stdout
