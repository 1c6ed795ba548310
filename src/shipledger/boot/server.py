"""Runs the HTTP server until it is told to stop; what was handed in by then is committed and answered."""

import signal
import socket
from collections.abc import Callable

import uvicorn

from shipledger.boot.assemble import serving
from shipledger.boot.settings import Settings
from shipledger.http.protocol import GuardedProtocol

BACKLOG = 2_048
SHUTDOWN_SECONDS_MAX = 8
"""How long answers may still take after SIGTERM; the process is to be gone within 10 s."""


def run_server(settings: Settings, when_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `when_ready` is told the URL as soon as connections are accepted.

    Raises OSError where the address cannot be listened on.
    """
    # When it is done, uvicorn raises the signal that stopped it once more: it must not end us with an open ledger.
    signal.signal(signal.SIGTERM, lambda *_: None)
    listener = _listen(settings.host, settings.port)
    url = _url(settings.host, listener.getsockname()[1])
    with serving(settings) as running:
        config = uvicorn.Config(
            running.application,
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

        def announce() -> None:
            running.lock.announce(url)
            when_ready(url)

        server = _Server(config, announce)
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, when_ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._when_ready()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
