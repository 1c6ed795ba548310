"""The lock file beside an embedded ledger: one process writes, and commands find it there.

The lock itself is the operating system's, so it is gone with the process that held it, however that ended.
The file's text says where that process answers, and holds a token that only its user can read.
"""

import fcntl
import json
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

_MODE = 0o600
_ATTEMPTS_MAX = 50
_ATTEMPT_SECONDS = 0.02


class LedgerInUse(Exception):
    """Another process writes this ledger."""

    def __init__(self, path: Path, server: "ServingProcess | None") -> None:
        """`server` is that process, where it has said who it is."""
        self.server = server
        who = f"process {server.pid} at {server.url}" if server and server.url else "another process"
        super().__init__(f"{path} is being written by {who}. Stop it first, or send the request to it.")


@dataclass(frozen=True, slots=True)
class ServingProcess:
    """The process that writes a ledger: where it answers, if it does, and the token that it takes from this host."""

    pid: int
    url: str | None
    token: str


class LedgerLock:
    """Held for as long as this process may write the ledger."""

    def __init__(self, database: Path) -> None:
        """Take the lock. Raises LedgerInUse where another process has it."""
        self.path = lock_path(database)
        self.token = secrets.token_urlsafe(32)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        if not _is_taken_soon(self._file):
            os.close(self._file)
            raise LedgerInUse(database, _read(self.path))
        os.fchmod(self._file, _MODE)
        self.announce(None)

    def announce(self, url: str | None) -> None:
        """Write down where this process answers."""
        text = json.dumps({"pid": os.getpid(), "url": url, "token": self.token})
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, text.encode(), 0)

    def release(self) -> None:
        """Let another process write."""
        os.ftruncate(self._file, 0)
        os.close(self._file)


def _is_taken_soon(file: int) -> bool:
    """Take the lock within a second.

    `serving_process` of a command may stand in the way for an instant, and the committing process of a server that was
    killed until it has committed what it was handed.
    """
    for attempt in range(_ATTEMPTS_MAX):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(_ATTEMPT_SECONDS if attempt + 1 < _ATTEMPTS_MAX else 0)
        else:
            return True
    return False


def lock_path(database: Path) -> Path:
    """Where a ledger's lock file lies."""
    return database.with_name(database.name + ".lock")


def serving_process(database: Path) -> ServingProcess | None:
    """The process that writes this ledger now, or None."""
    path = lock_path(database)
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _read(path)
    else:
        return None
    finally:
        os.close(file)


def _read(path: Path) -> ServingProcess | None:
    try:
        text = json.loads(path.read_text(encoding="utf-8"))
        return ServingProcess(int(text["pid"]), text["url"], str(text["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
