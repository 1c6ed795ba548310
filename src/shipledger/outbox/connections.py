"""Connections to receivers: where a URL leads, and to which address, judged there and then, a connection is made."""

import asyncio
import socket
import ssl
from collections import defaultdict, deque
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from shipledger.outbox.address_guard import AddressGuard, BlockedAddress
from shipledger.outbox.exchange import Answer, ClosedEarly, Connection, SendFault
from shipledger.value import dataclass

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""As `socket.getaddrinfo` gives it."""

IDLE_SECONDS_MAX = 10.0
NAMES_SECONDS_KEPT = 10.0
NAMES_KEPT = 1_000
PLACES_KEPT = 1_000
ADDRESS_SECONDS_MAX = 5.0
"""For a connection to one of a name's addresses, so that another one of them has its turn."""
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """Who is connected to; hashable, so that connections are kept by it."""

    is_tls: bool
    host: str
    port: int


@lru_cache(maxsize=PLACES_KEPT)
def place_of(url: str) -> tuple[Place, str, str]:
    """Where a URL leads, what its Host header says, and what is asked for there. Raises SendFault."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise SendFault("the URL cannot be sent to") from None
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if not host or parts.scheme not in _PORTS or "@" in parts.netloc or not is_plain:
        raise SendFault("the URL cannot be sent to")
    usual = _PORTS[parts.scheme]
    shown = f"[{host}]" if ":" in host else host
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    header = shown if port in {None, usual} else f"{shown}:{port}"
    return Place(parts.scheme == "https", host, usual if port is None else port), header, target


class Connections:
    """To be made and used in one event loop. Who uses them decides how many there are."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._idle: defaultdict[Place, deque[Connection]] = defaultdict(deque)
        self._names: dict[Place, tuple[float, asyncio.Task[Sequence[AddressInfo]]]] = {}
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def post(self, place: Place, request: bytes, seconds_max: float) -> Answer:
        """One request and its answer, with whatever look-up and connection it takes. Raises SendFault, TimeoutError."""
        deadline = asyncio.get_running_loop().time() + seconds_max
        answer = None
        connection = self._idle_one(place)
        if connection is not None:
            try:
                answer = await connection.post(request, deadline)
            except ClosedEarly:
                connection = None  # as many receivers do with one that was idle
        if connection is None or answer is None:
            async with asyncio.timeout_at(deadline):
                connection = await self._connected(place)
            answer = await connection.post(request, deadline)
        if connection.is_usable:
            self._keep(place, connection)
        return answer

    def close(self) -> None:
        """Let go of all that are idle, and keep none from now on."""
        self._is_closed = True
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()
        for _, looking_up in self._names.values():
            looking_up.cancel()

    def _idle_one(self, place: Place) -> Connection | None:
        """The one that was used last."""
        connections = self._idle.get(place)
        while connections:
            connection = connections.pop()
            if connection.is_usable:
                return connection
        return None

    def _keep(self, place: Place, connection: Connection) -> None:
        if self._is_closed:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle[place].append(connection)
        if self._sweep_timer is None:
            self._sweep_timer = loop.call_later(IDLE_SECONDS_MAX, self._sweep)

    def _sweep(self) -> None:
        """Close what was idle for long."""
        loop = asyncio.get_running_loop()
        before = loop.time() - IDLE_SECONDS_MAX
        for place, connections in list(self._idle.items()):
            while connections and (connections[0].idle_since <= before or not connections[0].is_usable):
                connections.popleft().close()
            if not connections:
                del self._idle[place]
        self._sweep_timer = loop.call_later(IDLE_SECONDS_MAX, self._sweep) if self._idle else None

    async def _connected(self, place: Place) -> Connection:
        """A new connection to the first of a name's addresses that may be connected to and answers."""
        loop = asyncio.get_running_loop()
        tls = await loop.run_in_executor(None, _tls) if place.is_tls else None
        fault = SendFault("no connection")
        for info in await self._addresses(place):
            try:
                found = await self._socket_to(info)
            except BlockedAddress:
                fault = SendFault("the name leads to an address that webhooks may not be sent to")
                continue
            except OSError:
                continue
            try:
                name = place.host.rstrip(".") if tls else None
                _, connection = await loop.create_connection(Connection, sock=found, ssl=tls, server_hostname=name)
            except ssl.SSLError:
                fault = SendFault("no connection: TLS failed, or the certificate is not trusted")
            except OSError:
                continue
            else:
                return connection
        raise fault

    async def _socket_to(self, info: AddressInfo) -> socket.socket:
        """Connected. The socket is made for this very address: whatever a name led to before does not count."""
        found = self._guard.socket_for(info)
        try:
            found.setblocking(False)
            async with asyncio.timeout(ADDRESS_SECONDS_MAX):
                await asyncio.get_running_loop().sock_connect(found, info[4])
        except BaseException:
            found.close()
            raise
        return found

    async def _addresses(self, place: Place) -> Sequence[AddressInfo]:
        """What the name leads to. Looked up once for all who ask meanwhile, and kept for a while.

        A look-up that takes long holds a thread: no second one is begun beside it.
        """
        now = asyncio.get_running_loop().time()
        until, looking_up = self._names.get(place, (0.0, None))
        if looking_up is None or (looking_up.done() and until <= now):
            if len(self._names) >= NAMES_KEPT:
                self._names.clear()
            looking_up = asyncio.create_task(self._look_up(place.host, place.port))
            looking_up.add_done_callback(_heed)
            self._names[place] = (now + NAMES_SECONDS_KEPT, looking_up)
        try:
            return await asyncio.shield(looking_up)
        except (OSError, UnicodeError):
            self._names.pop(place, None)
            raise SendFault("the name could not be looked up") from None

    async def _look_up(self, host: str, port: int) -> Sequence[AddressInfo]:
        return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _heed(looking_up: asyncio.Task[Sequence[AddressInfo]]) -> None:
    """Who asked may have left by the time it fails; asyncio would complain that nobody wanted to know."""
    if not looking_up.cancelled():
        looking_up.exception()


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Reads the system's certificates, which takes a tenth of a second."""
    return ssl.create_default_context()
