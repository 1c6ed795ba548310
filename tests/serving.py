"""A real server for tests: `shipledger serve` a process on a free port, stopped by its own id."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 15


@dataclass(frozen=True)
class Reply:
    """An answer; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """A running server and its ledger."""

    process: subprocess.Popen[bytes]
    port: int
    database: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(
        self, method: str, path: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request on a connection of its own. A body without a Content-Type is sent without one."""
        return send(self.port, method, path, body, headers)

    def post(self, path: str, value: Any, headers: Mapping[str, str] | None = None) -> Reply:
        return self.send("POST", path, json.dumps(value), {"Content-Type": "application/json", **(headers or {})})

    def get(self, path: str) -> Reply:
        return self.send("GET", path)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.process.kill()
        self.process.wait(STOP_SECONDS_MAX)

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS_MAX)


def send(
    port: int, method: str, path: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body.encode() if isinstance(body, str) else body, dict(headers or {}))
        response = connection.getresponse()
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def start(database: Path, *arguments: str, **environment: str) -> Server:
    """Start a server over this ledger and wait until it is ready. Settings come as SHIPLEDGER_* keyword arguments."""
    log = database.with_suffix(".log")
    settings = {key: value for key, value in os.environ.items() if not key.startswith("SHIPLEDGER_")}
    settings |= {"SHIPLEDGER_DATABASE": f"sqlite:///{database}", "SHIPLEDGER_PORT": "0", **environment}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "shipledger", "serve", *arguments], stdout=output, stderr=output, env=settings
        )
    deadline = time.monotonic() + START_SECONDS_MAX
    lock = database.with_name(database.name + ".lock")
    while time.monotonic() < deadline:
        port = _announced_port(lock, process.pid)
        if port is not None:
            return Server(process, port, database)
        if process.poll() is not None:
            break
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise AssertionError(f"the server did not start: {log.read_text()}")


def _announced_port(lock: Path, pid: int) -> int | None:
    try:
        text = json.loads(lock.read_text())
    except (OSError, ValueError):
        return None
    return int(text["url"].rsplit(":", 1)[1]) if text["pid"] == pid and text["url"] else None


@contextmanager
def running(database: Path, *arguments: str, **environment: str) -> Iterator[Server]:
    """A server that is stopped at the end of the block, however that ends."""
    server = start(database, *arguments, **environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
