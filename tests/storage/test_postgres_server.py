"""The tests' own PostgreSQL leaves nothing behind, however the tests end."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.serving import REPOSITORY

SECONDS_MAX = 20
HOLDER = """
import sys
from tests.postgres_server import Cluster, cluster_folder
with cluster_folder() as folder:
    cluster = Cluster.create(folder).start()
    try:
        print(cluster.process.pid, folder, flush=True)
        sys.stdin.read()
    finally:
        cluster.stop()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, None])
def test_a_server_ends_with_whoever_started_it(number: signal.Signals | None) -> None:
    command = [sys.executable, "-c", HOLDER]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as holder:
        assert holder.stdout is not None
        pid, folder = holder.stdout.readline().split()
        server = psutil.Process(int(pid))
        assert server.is_running()
        if number is None:
            holder.communicate()
        else:
            holder.send_signal(number)
    deadline = time.monotonic() + SECONDS_MAX
    while Path(folder).exists() or goes_on(server):
        assert time.monotonic() < deadline, "a server outlives its tests"
        time.sleep(0.05)


def goes_on(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
