"""What the API asks of webhooks beside commands: whether a URL will do, new secrets, a ping, sending again."""

import asyncio
import json
import secrets
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from shipledger.outbox.address_guard import AddressGuard, literal_address
from shipledger.outbox.sender import Message, Sender
from shipledger.outbox.server_key import ServerKey
from shipledger.outbox.signature import shown_secret
from shipledger.outbox.storage import Storage
from shipledger.storage.port import Errand, Step
from shipledger.timestamp import Microseconds, show
from shipledger.webhook import PING, Attempt, Endpoint, Sealed

SALT_BYTES = 16
LOOK_UP_SECONDS_MAX = 3


class WebhookDesk:
    """Used in the server's event loop."""

    def __init__(
        self,
        guard: AddressGuard,
        key: ServerKey,
        storage: Storage,
        new_sender: Callable[[], Sender],
        clock: Callable[[], Microseconds],
    ) -> None:
        self._guard = guard
        self._key = key
        self._storage = storage
        self._new_sender = new_sender
        self._clock = clock

    async def url_fault(self, url: str) -> str | None:
        """What keeps a URL from being sent to, or None. A name that cannot be looked up now may be later."""
        fault = self._guard.url_fault(url)
        parts = urlsplit(url) if fault is None else None
        if parts is None or parts.hostname is None or literal_address(parts.hostname) is not None:
            return fault
        look_up = asyncio.get_running_loop().getaddrinfo(parts.hostname, None, type=socket.SOCK_STREAM)
        try:
            found = await asyncio.wait_for(look_up, LOOK_UP_SECONDS_MAX)
        except (OSError, TimeoutError, UnicodeError):
            return None
        return self._guard.found_fault(str(place[0]) for *_, place in found)

    def new_secret(self) -> tuple[Sealed, str] | None:
        """What is stored of a new secret, and the secret as it is shown, once. None where the server has no key."""
        maker = self._key.require()
        if maker is None:
            return None
        salt = secrets.token_bytes(SALT_BYTES)
        return Sealed(salt, maker.check()), shown_secret(maker.secret(salt))

    async def ping(self, endpoint: Endpoint) -> Attempt:
        """Hand over a message that tells of nothing, once, and see what comes of it."""
        maker = self._key.find()
        if maker is None or maker.check() != endpoint.sealed.key_check:
            return Attempt(self._clock(), 0, error="the server has another key than the one that made this secret")
        message_id = f"ping_{secrets.token_hex(8)}"
        body = {"id": message_id, "type": PING, "created_at": show(self._clock()), "data": {}}
        message = Message(message_id, endpoint.url, json.dumps(body).encode(), [maker.secret(endpoint.sealed.salt)])
        sender = self._new_sender()
        try:
            return await sender.send(message)
        finally:
            await sender.close()

    async def replay(self, endpoint_id: int, event_ids: list[int]) -> int:
        """Have events sent again, as far as the endpoint is told of such; returns how many."""
        step = Step("replay_events", (endpoint_id, event_ids, self._clock()))
        (replayed,) = await self._storage.carry_out(Errand((step,)))
        return len(replayed)
