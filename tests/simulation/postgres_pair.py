"""A primary and a standby on loopback, of which the standby can take over, and gets a standby of its own."""

import random
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.postgres_server import Cluster, cluster_folder, execute

DATABASE = "ledger"
SECONDS_MAX = 20


class Pair:
    """Two servers on two ports that stay the same, whichever of them is the primary."""

    def __init__(self, *, is_synchronous: bool) -> None:
        self._is_synchronous = is_synchronous
        self._resources: dict[int, ExitStack] = {}
        self._ports = [_steady_port(), _steady_port()]
        self.url = "postgresql://postgres@" + ",".join(f"127.0.0.1:{port}" for port in self._ports) + f"/{DATABASE}"
        self.primary = Cluster.create(self._folder(self._ports[0]))
        self.primary.port = self._ports[0]
        self._resources[self._ports[0]].callback(self.primary.stop)

    def __enter__(self) -> Self:
        try:
            self.primary.start()
            self.primary.execute(f"CREATE DATABASE {DATABASE}")
            self.standby = self._new_standby(self._ports[1])
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for resources in self._resources.values():
            resources.close()

    def fail_over(self) -> float:
        """Kill the primary and promote the standby; returns when that was done."""
        self.primary.kill()
        self.standby.promote()
        return time.monotonic()

    def renew(self) -> None:
        """What was promoted is the primary now, and gets a standby in the dead one's place."""
        dead, self.primary = self.primary, self.standby
        self._resources.pop(dead.port).close()
        self.standby = self._new_standby(dead.port)

    @property
    def primary_url(self) -> str:
        return self.primary.url(DATABASE)

    def _new_standby(self, port: int) -> Cluster:
        standby = self.primary.standby(self._folder(port))
        standby.port = port
        self._resources[port].callback(standby.stop)
        # Copied from a primary that waits for its standby. Once promoted, this one waits for nobody until it has one.
        with (standby.data / "postgresql.auto.conf").open("a") as settings:
            settings.write("synchronous_standby_names = ''\n")
        standby.start()
        if self._is_synchronous:
            set_on(self.primary, "synchronous_standby_names", "standby")
        wanted = "sync" if self._is_synchronous else "async"
        state = "SELECT 1 FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = '{}'"
        wait_until(self.primary.url(), state.format(wanted))
        return standby

    def _folder(self, port: int) -> Path:
        resources = self._resources[port] = ExitStack()
        return resources.enter_context(cluster_folder())


def set_on(cluster: Cluster, name: str, value: str) -> None:
    """Change a setting of a running server; it has come into force everywhere soon after."""
    cluster.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    cluster.execute("SELECT pg_reload_conf()")
    wait_until(cluster.url(), f"SELECT 1 WHERE current_setting('{name}') = '{value}'")


def wait_until(url: str, sql: str, seconds_max: float = SECONDS_MAX) -> None:
    """Until this statement finds a row."""
    deadline = time.monotonic() + seconds_max
    while not execute(url, sql):
        assert time.monotonic() < deadline, f"nothing in {seconds_max} s: {sql}"
        time.sleep(0.02)


def _steady_port() -> int:
    """A free port that no client's connection is given while the server on it is away."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as listener:
            if listener.connect_ex(("127.0.0.1", port)):
                return port
