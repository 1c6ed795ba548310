"""A real server for tests: `shipledger serve` a process on a free port, stopped by its own id."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

Database = Path | str
"""Where a ledger is kept: a file, or a PostgreSQL URL."""

REPOSITORY = Path(__file__).resolve().parents[1]
SERVE = (sys.executable, "-m", "shipledger", "serve")
START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 15
LOG_BYTES_MAX = 100_000


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
    database: Any
    """The path of an embedded ledger, or a PostgreSQL URL."""

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
        """SIGKILL of all its processes at once, and wait until they are gone."""
        for process in (*self.children(), self.process):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(STOP_SECONDS_MAX)

    def kill_serving_process(self) -> None:
        """SIGKILL of the process that talks to clients alone; the others are to end by themselves."""
        self.process.kill()
        self.process.wait(STOP_SECONDS_MAX)

    def kill_committing_process(self) -> None:
        """SIGKILL of the process that commits alone; the one that talks to clients is to end by itself."""
        self.committing().kill()
        assert self.process.wait(STOP_SECONDS_MAX) == 1

    def committing(self) -> Any:
        """The process that commits, as psutil has it: a server without workers starts it before the relay's."""
        return min(self.children(), key=lambda child: child.pid)

    def relaying(self) -> Any:
        """The process that sends webhooks."""
        return max(self.children(), key=lambda child: child.pid)

    def children(self) -> list[Any]:
        """Its workers, and the processes that commit and send webhooks, as psutil has them."""
        return list(psutil.Process(self.process.pid).children(recursive=True))

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


def start(
    database: Database, *arguments: str, command: Sequence[str] = SERVE, log: Path | None = None, **environment: str
) -> Server:
    """Start a server over this ledger and wait until it is ready. Settings come as SHIPLEDGER_* keyword arguments.

    Its log goes beside an embedded ledger, or to `log`, or, where there is neither, is only shown if it does not start.
    """
    settings = {key: value for key, value in os.environ.items() if not key.startswith("SHIPLEDGER_")}
    url = database if isinstance(database, str) else f"sqlite:///{database}"
    settings |= {"SHIPLEDGER_DATABASE": url, "SHIPLEDGER_PORT": "0", **environment}
    if log is None and isinstance(database, Path):
        log = database.with_suffix(".log")
    with tempfile.TemporaryFile() if log is None else log.open("a+b") as output:
        begin = output.seek(0, os.SEEK_END)
        process = subprocess.Popen([*command, *arguments], cwd=REPOSITORY, stdout=output, stderr=output, env=settings)
        deadline = time.monotonic() + START_SECONDS_MAX
        text, port = "", None
        while port is None and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
            text = os.pread(output.fileno(), LOG_BYTES_MAX, begin).decode()
            port = re.search(r" at http://127\.0\.0\.1:(\d+) \(docs", text)
    if port is None:
        process.kill()
        process.wait()
        raise AssertionError(f"the server did not start: {text}")
    return Server(process, int(port[1]), database)


@contextmanager
def running(database: Database, *arguments: str, **options: Any) -> Iterator[Server]:
    """A server that is stopped at the end of the block, however that ends; options are those of `start`."""
    server = start(database, *arguments, **options)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


@dataclass(frozen=True)
class Engine:
    """A kind of database, on which a server is started as it would be in earnest."""

    name: str
    new_database: Callable[[], Database]
    folder: Path
    """For logs, and whatever else a test needs a place for."""

    def running(self, database: Database | None = None, **environment: str) -> AbstractContextManager[Server]:
        """A server over a new ledger, or over this one; on PostgreSQL with two workers."""
        where = self.new_database() if database is None else database
        if isinstance(where, Path):
            return running(where, **environment)
        # Several processes derive the secrets of webhooks from one key: there is no file beside the ledger to keep it.
        environment = {"SHIPLEDGER_WEBHOOK_KEY": "k" * 32, **environment}
        return running(where, "--workers", "2", log=self.folder / "server.log", **environment)
