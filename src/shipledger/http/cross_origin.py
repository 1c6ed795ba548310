"""Pages of other origins: off unless an operator names them. It lets browsers show them answers, and no one in."""

from collections.abc import Callable, Iterable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shipledger.http.answer import Header
from shipledger.http.headers import gather

PREFLIGHT_SECONDS = 600
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_HEADERS = b"Authorization, X-Access-Token, Content-Type, Idempotency-Key"
_SHOWN = (
    b"X-Request-Id, Location, Link, Idempotent-Replayed, Retry-After, RateLimit-Limit, RateLimit-Remaining,"
    b" RateLimit-Reset, X-Error-Code"
)


class CrossOrigin:
    """An application whose answers pages of these origins may read. Cookies play no part: keys are in headers."""

    def __init__(self, application: ASGIApp, origins: Iterable[str]) -> None:
        self._application = application
        self._origins = {origin.encode() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = gather(scope["headers"])
        origins = headers.get(b"origin", [])
        if scope["type"] != "http" or len(origins) != 1 or origins[0] not in self._origins:
            await self._application(scope, receive, send)
        elif scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await _answer_preflight(send, origins[0])
        else:
            await self._application(scope, receive, _with_headers(send, origins[0]))


def _allowed(origin: bytes) -> list[Header]:
    return [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]


def _with_headers(send: Send, origin: bytes) -> Callable[[Message], Any]:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            more = [*_allowed(origin), (b"access-control-expose-headers", _SHOWN)]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return send_with_headers


async def _answer_preflight(send: Send, origin: bytes) -> None:
    headers = [
        *_allowed(origin),
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", _HEADERS),
        (b"access-control-max-age", b"%d" % PREFLIGHT_SECONDS),
        (b"content-length", b"0"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
