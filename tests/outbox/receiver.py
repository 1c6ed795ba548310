"""A receiver of webhooks: a real HTTP server in a thread, which answers as it is told and remembers what came."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

SECONDS_MAX = 10


@dataclass(frozen=True)
class Received:
    """One request as it came, and what it was answered with."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """The event, by the package standardwebhooks, which raises where the signature is not right."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """`answer` makes the answer to a request, 200 unless it is set; it may wait."""

    port: int = 0
    answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] | None = None
    received: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def taken(self) -> list[Received]:
        """What it took."""
        return [one for one in self.received if one.status == 200]

    def always(self, status: int, **headers: str) -> None:
        """Answer everything like this."""

        async def answer(_: web.BaseRequest) -> web.Response:
            return web.Response(status=status, headers={name.replace("_", "-"): text for name, text in headers.items()})

        self.answer = answer

    async def take(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        response = await self.answer(request) if self.answer else web.Response(text="thank you")
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(request.path, headers, body, response.status))
        return response


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver, is_ready = Receiver(), threading.Event()
    stop: list[Callable[[], object]] = []

    async def listen() -> None:
        stopping, loop = asyncio.Event(), asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(stopping.set))
        runner = web.ServerRunner(web.Server(receiver.take), handle_signals=False, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.port = runner.addresses[0][1]
        is_ready.set()
        await stopping.wait()
        await runner.cleanup()

    thread = threading.Thread(target=asyncio.run, args=(listen(),), daemon=True)
    thread.start()
    assert is_ready.wait(SECONDS_MAX)
    try:
        yield receiver
    finally:
        stop[0]()
        thread.join(SECONDS_MAX)
