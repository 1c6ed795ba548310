"""The process that talks to clients, without its clients: what they send and what they are answered stays in memory."""

import asyncio
import itertools
import tempfile
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from uvicorn.server import ServerState

from shipledger.bench.load import fulfillment_requests
from shipledger.boot.assemble import Served, application
from shipledger.boot.benchmark import API_KEY, seed_orders
from shipledger.boot.garbage import calm_the_collector
from shipledger.boot.ledgers import held_for_writing
from shipledger.boot.settings import read_settings
from shipledger.http.protocol import GuardedProtocol

ORDERS = 400
_RECORDED = b"HTTP/1.1 200 OK\r\n"
_DATE = b"Thu, 01 Jan 1970 00:00:00 GMT"


class _Wave:
    """One request of each client."""

    def __init__(self, clients: int) -> None:
        self._left = clients
        self.is_answered = asyncio.get_running_loop().create_future()

    def note_answer(self) -> None:
        self._left -= 1
        if not self._left:
            self.is_answered.set_result(None)


class _Client(asyncio.Transport):
    """One connection, as the protocol sees it."""

    wave: _Wave

    def write(self, data: Any) -> None:
        if not data.startswith(_RECORDED):
            raise RuntimeError(f"not recorded: {data!r}")
        self.wave.note_answer()

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing is open."""


def serve_in_waves(waves: int, clients: int, waves_at_most: int) -> None:
    """Record a parcel for each client, and again when all are answered: so many times, with all that the server does.

    As many requests are made as if it were done `waves_at_most` times: what that costs is the client's.
    """
    with tempfile.TemporaryDirectory(prefix="shipledger-bench-") as folder:
        path = Path(folder) / "ledger.db"
        seed_orders(path, ORDERS)
        requests = list(itertools.islice(fulfillment_requests(ORDERS, 1, API_KEY), waves_at_most * clients))
        settings = read_settings({"SHIPLEDGER_DATABASE": f"sqlite:///{path}", "SHIPLEDGER_RELAY": "off"})
        with held_for_writing(path), application(settings, Path(folder), lambda: None) as served:
            calm_the_collector()
            uvloop.run(_send(served, requests[: waves * clients], clients))


async def _send(served: Served, requests: list[bytes], clients: int) -> None:
    config = uvicorn.Config(
        served.application, ws="none", lifespan="off", log_config=None, access_log=False, proxy_headers=False
    )
    config.load()
    await served.start(lambda: None)
    state = ServerState()
    state.default_headers = [(b"date", _DATE)]
    connections = [(GuardedProtocol(config, state, {}), _Client()) for _ in range(clients)]
    for protocol, client in connections:
        protocol.connection_made(client)
    for first in range(0, len(requests), clients):
        wave = _Wave(clients)
        for (protocol, client), request in zip(connections, requests[first:], strict=False):
            client.wave = wave
            protocol.data_received(request)
        await wave.is_answered
    for protocol, _ in connections:
        protocol.connection_lost(None)
    served.let_go()
    await served.finish()
