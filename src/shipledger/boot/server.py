"""Runs the HTTP server until it is told to stop; what was handed in by then is committed and answered."""

import os
import resource
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn

from shipledger.boot.assemble import Served, application
from shipledger.boot.garbage import calm_the_collector
from shipledger.boot.ledgers import held_for_writing
from shipledger.boot.settings import Settings
from shipledger.boot.uploads import folder_for_uploads
from shipledger.boot.workers import Workers
from shipledger.http.protocol import GuardedProtocol

BACKLOG = 2_048
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
    with held_for_writing(settings.database) as lock, folder_for_uploads() as uploaded:

        def announce() -> None:
            if lock is not None:
                lock.announce(url)
            when_ready(url)

        if settings.workers == 1:
            _serve(settings, uploaded, listener, announce, None if lock is None else lock.token)
        else:
            listener.listen(BACKLOG)
            announce()
            Workers(settings.workers, lambda watch_parent: _serve(settings, uploaded, listener, watch_parent)).run()


def _serve(
    settings: Settings,
    uploaded: Path,
    listener: socket.socket,
    when_ready: Callable[[], None],
    host_token: str | None = None,
) -> None:
    """Serve until told to stop. Raises SystemExit (1) where another process of the server was lost."""
    signal.signal(signal.SIGTERM, _leave)
    _allow_many_connections()
    with application(settings, uploaded, listener.close, host_token) as served:
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
        calm_the_collector()
        try:
            _Server(config, served, when_ready).run(sockets=[listener])
        finally:
            if served.is_lost:
                raise SystemExit(1)


def _allow_many_connections() -> None:
    """Have as many files open as the system lets this process: each connection is one, and most systems begin low."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # where "unlimited" is more than the system takes
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _leave(*_: object) -> None:
    raise SystemExit(0)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, served: Served, when_ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._served = served
        self._when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self._served.start(when_lost=_stop)
        await super().startup(sockets=sockets)
        self._when_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._served.let_go()
        await super().shutdown(sockets=sockets)
        await self._served.finish()


def _stop() -> None:
    """End as if told to: answer what can be answered, and leave."""
    os.kill(os.getpid(), signal.SIGTERM)


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
