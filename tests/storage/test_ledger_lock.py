"""One process writes a ledger, and says where it answers."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipledger.storage.ledger_lock import LedgerInUse, LedgerLock, lock_path, serving_process

HOLDER = """
import sys
from pathlib import Path
from shipledger.storage.ledger_lock import LedgerLock
lock = LedgerLock(Path(sys.argv[1]))
lock.announce("http://127.0.0.1:8123")
print("held", flush=True)
sys.stdin.read()
lock.release()
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def holder(database: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that writes the ledger."""
    command = [sys.executable, "-c", HOLDER, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_and_told_who_writes(database: Path, holder: subprocess.Popen[bytes]) -> None:
    for _ in range(2):
        with pytest.raises(LedgerInUse) as refused:
            LedgerLock(database)
        message = f"{database} is being written by process {holder.pid} at http://127.0.0.1:8123. Stop it first"
        assert str(refused.value).startswith(message)


def test_a_killed_process_leaves_no_lock(database: Path, holder: subprocess.Popen[bytes]) -> None:
    holder.kill()
    holder.wait()
    assert json.loads(lock_path(database).read_text())["pid"] == holder.pid, "its text is still there"
    assert serving_process(database) is None
    LedgerLock(database).release()


def test_a_process_that_ends_well_leaves_neither_lock_nor_token(
    database: Path, holder: subprocess.Popen[bytes]
) -> None:
    assert holder.stdin is not None
    holder.stdin.close()
    holder.wait()
    assert lock_path(database).read_text() == ""
    LedgerLock(database).release()


def test_the_serving_process_is_found(database: Path, holder: subprocess.Popen[bytes]) -> None:
    found = serving_process(database)
    assert found is not None
    assert (found.pid, found.url) == (holder.pid, "http://127.0.0.1:8123")
    assert len(found.token) >= 32


def test_nobody_is_found_where_nobody_serves(database: Path) -> None:
    assert serving_process(database) is None
    LedgerLock(database).release()
    assert serving_process(database) is None


@pytest.mark.parametrize("mask", [0o000, 0o022])
def test_the_token_is_for_the_user_alone(database: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        lock = LedgerLock(database)
    finally:
        os.umask(before)
    assert stat.S_IMODE(lock.path.stat().st_mode) == 0o600
    lock.release()


def test_a_lock_file_that_others_could_read_is_closed_to_them(database: Path) -> None:
    lock_path(database).touch(mode=0o666)
    lock_path(database).chmod(0o666)
    lock = LedgerLock(database)
    assert stat.S_IMODE(lock.path.stat().st_mode) == 0o600
    lock.release()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"pid": "x"}', '{"pid": 1, "url": null, "token": "t"}'])
def test_a_holder_that_has_not_said_who_it_is_is_another_process(
    database: Path, holder: subprocess.Popen[bytes], text: str
) -> None:
    lock_path(database).write_text(text)
    with pytest.raises(LedgerInUse, match="another process"):
        LedgerLock(database)


def test_a_token_is_never_used_twice(database: Path) -> None:
    tokens = set()
    for _ in range(3):
        lock = LedgerLock(database)
        tokens.add(lock.token)
        lock.release()
    assert len(tokens) == 3
