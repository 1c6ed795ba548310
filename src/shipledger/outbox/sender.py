"""Hands messages over: one POST, signed, no redirects, no more than 15 seconds, and only to addresses of the world."""

import email.utils
import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC

from shipledger.outbox.address_guard import AddressGuard
from shipledger.outbox.connections import Connections, place_of
from shipledger.outbox.exchange import SendFault
from shipledger.outbox.signature import signature_headers
from shipledger.timestamp import MICROSECONDS_A_SECOND, Microseconds
from shipledger.webhook import Attempt

log = logging.getLogger("shipledger.outbox")

SECONDS_MAX = 15
"""For all of it: the look-up of the name, the connection, and the answer."""
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
        self._connections = Connections(guard)

    async def send(self, message: Message) -> Attempt:
        """Make one attempt. Whatever comes of it is in its result."""
        begin, attempted_at = time.perf_counter(), self._clock()

        def attempt(
            status: int | None = None, error: str | None = None, answer: str = "", retry_after: int | None = None
        ) -> Attempt:
            duration_ms = int((time.perf_counter() - begin) * 1_000)
            return Attempt(attempted_at, duration_ms, status, error, answer, retry_after)

        try:
            place, host, target = place_of(message.url)
            headers = signature_headers(
                message.id, attempted_at // MICROSECONDS_A_SECOND, message.body, message.secrets
            ) | {
                "Host": host,
                "User-Agent": self._agent,
                "Content-Type": "application/json",
                "Content-Length": str(len(message.body)),
            }
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            request = f"POST {target} HTTP/1.1\r\n{lines}\r\n".encode() + message.body
            answer = await self._connections.post(place, request, self._seconds_max)
            retry_after = _retry_after(answer.retry_after, attempted_at)
        except SendFault as fault:
            return attempt(error=str(fault))
        except TimeoutError:
            return attempt(error=f"no answer within {self._seconds_max:g} s")
        except Exception:  # whatever a receiver does is its own affair
            log.exception("a webhook could not be sent")
            return attempt(error="it could not be sent")
        text = answer.body.decode(errors="replace").replace("\0", "")
        return attempt(answer.status, None, text, retry_after)

    async def close(self) -> None:
        """Let go of every connection."""
        self._connections.close()


def _retry_after(text: str | None, now: Microseconds) -> int | None:
    """Seconds from a Retry-After header: a number, or a date."""
    if text is None:
        return None
    if _SECONDS.fullmatch(text.strip()):
        return int(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0, int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()) - now // MICROSECONDS_A_SECOND)
