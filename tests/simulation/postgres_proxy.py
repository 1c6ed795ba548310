"""A TCP proxy before PostgreSQL that cuts a connection just before a statement, or just after it."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.postgres_server import SUPERUSER, Cluster

COMMIT = b"COMMIT\0"
"""Of a committer: on a connection that has named BATCHES."""
BATCHES = b"commit_batches"
ASK = b"INSERT INTO commit_batches"
"""With these the resolver asks what became of a batch: on a connection of its own, so that the text is sent."""
CONFIRM = b"UPDATE commit_batches"

_CHUNK = 1 << 20


@dataclass
class Cut:
    """Where a connection ends: as this text is sent. It reaches the server, and its answer is lost, or it does not."""

    text: bytes
    is_forwarded: bool
    then_away: bool = False
    """Whether the database cannot be reached from then on."""
    has_happened: threading.Event = field(default_factory=threading.Event)


class Proxy:
    """Listens on loopback; `url` leads through it to a database of the cluster."""

    def __init__(self, cluster: Cluster, database: str) -> None:
        self._target = ("127.0.0.1", cluster.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"postgresql://{SUPERUSER}@127.0.0.1:{self._listener.getsockname()[1]}/{database}"
        self.is_away = False
        self._cuts: list[Cut] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, text: bytes, *, is_forwarded: bool, then_away: bool = False) -> Cut:
        """Cut once, after those that were asked for before."""
        wanted = Cut(text, is_forwarded, then_away)
        self._cuts.append(wanted)
        return wanted

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # ends the thread that accepts, which closing alone does not
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            if self.is_away:
                return
            with socket.create_connection(self._target) as server:
                self._pass_on(client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        commits_batches = False
        while True:
            for ready in select.select([client, server], [], [])[0]:
                data = ready.recv(_CHUNK)
                if not data:
                    return
                if ready is client:
                    commits_batches |= BATCHES in data
                cut = self._due(data, commits_batches) if ready is client else None
                if cut is None:
                    other[ready].sendall(data)
                    continue
                if cut.is_forwarded:
                    server.sendall(data)
                    server.recv(_CHUNK)
                self.is_away = cut.then_away
                cut.has_happened.set()
                return

    def _due(self, data: bytes, commits_batches: bool) -> Cut | None:
        """The next cut, where it is to be made in this. Others commit, too: relays, and the sequencer."""
        with self._lock:
            is_due = bool(self._cuts) and self._cuts[0].text in data
            return self._cuts.pop(0) if is_due and (commits_batches or self._cuts[0].text != COMMIT) else None


@contextmanager
def proxied(cluster: Cluster, database: str) -> Iterator[Proxy]:
    proxy = Proxy(cluster, database)
    try:
        yield proxy
    finally:
        proxy.close()
