"""Runs the HTTP server until it is told to stop; what was handed in by then is committed and answered."""

import gc
import signal
import socket
from collections.abc import Callable

import uvicorn

from shipledger.boot.assemble import Served, application
from shipledger.boot.ledgers import held_for_writing
from shipledger.boot.settings import Settings
from shipledger.boot.workers import Workers
from shipledger.http.protocol import GuardedProtocol

BACKLOG = 2_048
COLLECT_AFTER_ALLOCATIONS = 50_000
SHUTDOWN_SECONDS_MAX = 8
"""How long answers may still take after SIGTERM; the process is to be gone within 10 s."""


class CannotListen(Exception):
    """The address is taken, or is none of this machine's."""


def run_server(settings: Settings, when_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `when_ready` is told the URL as soon as connections are accepted.

    Raises CannotListen where the address cannot be listened on, and what `held_for_writing` raises.
    """
    # Before uvicorn takes the signal over it ends the start; uvicorn raises it once more when it is done. Both times
    # what is open is closed on the way out.
    signal.signal(signal.SIGTERM, _leave)
    listener = _listen(settings.host, settings.port)
    url = _url(settings.host, listener.getsockname()[1])
    with held_for_writing(settings.database) as lock:

        def announce() -> None:
            if lock is not None:
                lock.announce(url)
            when_ready(url)

        if settings.workers == 1:
            _serve(settings, listener, announce)
        else:
            listener.listen(BACKLOG)
            announce()
            Workers(settings.workers, lambda: _serve(settings, listener, lambda: None)).run()


def _serve(settings: Settings, listener: socket.socket, when_ready: Callable[[], None]) -> None:
    signal.signal(signal.SIGTERM, _leave)
    with application(settings) as served:
        config = uvicorn.Config(
            served.application,
            http=GuardedProtocol,
            loop="uvloop",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS_MAX,
        )
        _calm_the_collector()
        _Server(config, served, when_ready).run(sockets=[listener])


def _calm_the_collector() -> None:
    """Look for circles of garbage less often: requests leave none, and looking took an eighth of the server's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_ALLOCATIONS)


def _leave(*_: object) -> None:
    raise SystemExit(0)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, served: Served, when_ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._served = served
        self._when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._when_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._served.stop()
        await super().shutdown(sockets=sockets)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CannotListen(error.strerror) from error
    return listener


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
