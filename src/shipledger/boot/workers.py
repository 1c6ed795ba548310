"""Several serving processes behind one address: a parent that only starts them, and again those that end."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress

log = logging.getLogger("shipledger.boot")

RESTART_SECONDS = 1.0
"""A worker that ends sooner than this after its start waits that long for its next: a fault must not spin."""
_STOPS = (signal.SIGTERM, signal.SIGINT)


class Workers:
    """The parent of serving processes."""

    def __init__(self, count: int, serve: Callable[[Callable[[], None]], None]) -> None:
        """`serve` is called in each worker, which ends when it returns or is told to.

        It is given what it is to call when it has started all processes of its own: from then on, the worker also ends
        when it has lost its parent.
        """
        self._count = count
        self._serve = serve
        self._started: dict[int, float] = {}
        """When each worker started, by process id."""
        self._stopped_by: int | None = None
        self._parent_is_gone, self._parent_lives = os.pipe()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, which every worker is told, and each has ended."""
        for stop in _STOPS:
            signal.signal(stop, self._stop)
        for _ in range(self._count):
            self._start()
        while self._started:
            pid, _ = os.wait()
            started = self._started.pop(pid, None)
            if started is None:
                continue  # an orphan that a container's first process was given
            if self._stopped_by is None:
                time.sleep(max(0.0, started + RESTART_SECONDS - time.monotonic()))
            self._start()
        if self._stopped_by == signal.SIGINT:
            raise KeyboardInterrupt

    def _start(self) -> None:
        # A signal to stop comes before a worker is started, or when it is known to be there and is told.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        try:
            if self._stopped_by is None:
                pid = os.fork()
                if pid == 0:
                    os._exit(self._work())
                self._started[pid] = time.monotonic()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)

    def _stop(self, number: int, _: object) -> None:
        self._stopped_by = number
        for pid in self._started:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def _work(self) -> int:
        """The life of a worker; returns its exit status."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        os.close(self._parent_lives)
        try:
            self._serve(threading.Thread(target=self._end_with_parent, name="parent", daemon=True).start)
        except SystemExit as error:
            return int(error.code or 0)
        except KeyboardInterrupt:
            return 130
        except Exception:  # nothing of the parent's is this process's to go on with
            log.exception("a worker failed")
            return 1
        return 0

    def _end_with_parent(self) -> None:
        """Nobody would start its next, and a new parent could not listen where this worker still does."""
        os.read(self._parent_is_gone, 1)
        os.kill(os.getpid(), signal.SIGTERM)
