"""Hands messages over: one POST, signed, no redirects, no more than 15 seconds, and only to addresses of the world."""

import email.utils
import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC

import aiohttp

from shipledger.outbox.address_guard import AddressGuard, BlockedAddress
from shipledger.outbox.signature import signature_headers
from shipledger.timestamp import MICROSECONDS_A_SECOND, Microseconds
from shipledger.webhook import Attempt

log = logging.getLogger("shipledger.outbox")

SECONDS_MAX = 15
"""For all of it: the look-up of the name, the connection, and the answer."""
ANSWER_BYTES_KEPT = 1_024
IDLE_SECONDS_MAX = 10
NAMES_SECONDS_KEPT = 10
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Message:
    """What is handed over. `id` is the same at each attempt, and so are the bytes of the body."""

    id: str
    url: str
    body: bytes
    secrets: Sequence[bytes]


class Sender:
    """Sends messages from one event loop. Its receivers share nothing but the loop."""

    def __init__(
        self, guard: AddressGuard, version: str, clock: Callable[[], Microseconds], *, seconds_max: float = SECONDS_MAX
    ) -> None:
        self._clock = clock
        self._agent = f"Shipledger/{version}"
        self._seconds_max = seconds_max
        # The socket is made for the address that is connected to: whatever a name led to before does not count.
        connector = aiohttp.TCPConnector(
            limit=0,
            ttl_dns_cache=NAMES_SECONDS_KEPT,
            keepalive_timeout=IDLE_SECONDS_MAX,
            socket_factory=guard.socket_for,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
            timeout=aiohttp.ClientTimeout(total=seconds_max),
            read_bufsize=ANSWER_BYTES_KEPT,
        )

    async def send(self, message: Message) -> Attempt:
        """Make one attempt. Whatever comes of it is in its result."""
        begin, attempted_at = time.perf_counter(), self._clock()

        def attempt(
            status: int | None = None, error: str | None = None, answer: str = "", retry_after: int | None = None
        ) -> Attempt:
            duration_ms = int((time.perf_counter() - begin) * 1_000)
            return Attempt(attempted_at, duration_ms, status, error, answer, retry_after)

        headers = signature_headers(
            message.id, attempted_at // MICROSECONDS_A_SECOND, message.body, message.secrets
        ) | {"Content-Type": "application/json", "User-Agent": self._agent}
        try:
            async with self._session.post(
                message.url, data=message.body, headers=headers, allow_redirects=False
            ) as response:
                answer = await response.content.read(ANSWER_BYTES_KEPT)
                if not response.content.at_eof():
                    response.close()  # the rest of a long answer is of no interest
                retry_after = _retry_after(response.headers.get("Retry-After"), attempted_at)
                return attempt(response.status, None, answer.decode(errors="replace").replace("\0", ""), retry_after)
        except Exception as error:  # whatever a receiver does is its own affair
            return attempt(error=_told(error, self._seconds_max))

    async def close(self) -> None:
        """Let go of every connection."""
        await self._session.close()


_TOLD: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "the name could not be looked up"),
    (aiohttp.ClientSSLError, "no connection: TLS failed, or the certificate is not trusted"),
    (aiohttp.ClientConnectorError, "no connection"),
    (aiohttp.ServerDisconnectedError, "the connection was closed before the answer"),
    (ConnectionError, "the connection was closed before the answer"),
    (aiohttp.InvalidURL, "the URL cannot be sent to"),
    (aiohttp.ClientError, "the answer was no HTTP"),
)
"""In words of ours, which do not depend on the library and tell nothing of the network inside."""


def _told(error: BaseException, seconds_max: float) -> str:
    """What went wrong."""
    if isinstance(error, TimeoutError):
        return f"no answer within {seconds_max:g} s"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, BlockedAddress):
            return "the name leads to an address that webhooks may not be sent to"
        cause = cause.__cause__
    found = next((told for kind, told in _TOLD if isinstance(error, kind)), None)
    if found is None:
        log.error("a webhook could not be sent", exc_info=error)
    return found or "it could not be sent"


def _retry_after(text: str | None, now: Microseconds) -> int | None:
    """Seconds from a Retry-After header: a number, or a date."""
    if text is None:
        return None
    if _SECONDS.fullmatch(text.strip()):
        return int(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return max(0, int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()) - now // MICROSECONDS_A_SECOND)
