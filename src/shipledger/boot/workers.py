"""Several serving processes behind one address: a parent that only starts them, and again those that end."""

import os
import signal
import time
from collections.abc import Callable

RESTART_SECONDS = 1.0
"""A worker that ends sooner than this after its start waits that long for its next: a fault must not spin."""


class Workers:
    """The parent of serving processes."""

    def __init__(self, count: int, serve: Callable[[], None]) -> None:
        """`serve` is called in each worker, which ends when it returns."""
        self._count = count
        self._serve = serve
        self._started: dict[int, float] = {}
        """When each worker started, by process id."""
        self._is_stopping = False

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, which every worker is told, and each has ended."""
        for stop in (signal.SIGTERM, signal.SIGINT):
            signal.signal(stop, self._stop)
        for _ in range(self._count):
            self._start()
        while self._started:
            pid, _ = os.wait()
            started = self._started.pop(pid)
            if not self._is_stopping:
                time.sleep(max(0.0, started + RESTART_SECONDS - time.monotonic()))
            if not self._is_stopping:
                self._start()

    def _start(self) -> None:
        pid = os.fork()
        if pid == 0:
            os._exit(_serve_and_leave(self._serve))
        self._started[pid] = time.monotonic()

    def _stop(self, *_: object) -> None:
        self._is_stopping = True
        for pid in self._started:
            os.kill(pid, signal.SIGTERM)


def _serve_and_leave(serve: Callable[[], None]) -> int:
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, signal.SIG_DFL)
    try:
        serve()
    except SystemExit as error:
        return int(error.code or 0)
    except KeyboardInterrupt:
        return 130
    return 0
