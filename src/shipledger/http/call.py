"""One request on its way to its handler, and what every handler may use."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import tzinfo
from typing import Any, Protocol, TypeVar

from starlette.requests import Request
from starlette.types import Receive, Scope

from shipledger.command import Origin, RepeatedTracking
from shipledger.http.answer import Header
from shipledger.http.headers import Headers
from shipledger.http.upload_desk import UploadDesk
from shipledger.outcome import Submit, SubmitMany
from shipledger.storage.port import Reading
from shipledger.storage.webhook_reading import WebhookReading
from shipledger.value import dataclass
from shipledger.webhook import Attempt, Endpoint, Sealed

Read = TypeVar("Read")


class Watch(Protocol):
    """Wakes those who wait for events: take a mark, read, and wait for a change since the mark."""

    @property
    def is_closed(self) -> bool: ...

    def mark(self) -> int: ...

    async def changed(self, mark: int, seconds_max: float) -> None: ...


class KeyTable(Protocol):
    """The stored keys, as the nodes know them."""

    async def refresh(self) -> None:
        """Return when every node knows the keys as they are stored now."""
        ...


class WebhookDesk(Protocol):
    """What the API asks of webhooks beside commands."""

    async def url_fault(self, url: str) -> str | None:
        """What keeps a URL from being sent to, or None."""
        ...

    def new_secret(self) -> tuple[Sealed, str] | None:
        """What is stored of a new secret, and the secret. None where the server has no key to derive it from."""
        ...

    async def ping(self, endpoint: Endpoint) -> Attempt:
        """Hand over a message that tells of nothing."""
        ...

    async def replay(self, endpoint_id: int, event_ids: list[int]) -> int:
        """Have events sent again; returns how many are."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """The ledger as handlers see it: `submit` a command; `reading`, from the threads of `readers`; and the settings.

    `docs` and `welcome` are pages: their bytes and their headers.
    """

    submit: Submit
    submit_many: SubmitMany
    reading: Reading
    readers: Executor
    zone: tzinfo
    repeated: RepeatedTracking
    watch: Watch
    keys: KeyTable
    webhooks: WebhookDesk
    uploads: UploadDesk
    webhook_reading: WebhookReading
    openapi: dict[str, Any]
    docs: tuple[bytes, list[Header]]
    welcome: tuple[bytes, list[Header]]


@dataclass(slots=True)
class Call:
    """A request that was let in. `body` is its decoded JSON, for routes that take one."""

    scope: Scope
    receive: Receive
    headers: Headers
    services: Services
    origin: Origin
    body: Any = None

    @property
    def request(self) -> Request:
        """The request as Starlette has it; few handlers ask for more than its body."""
        return Request(self.scope, self.receive)

    async def read(self, reading: Callable[..., Read], *arguments: Any) -> Read:
        """Call a method of `services.reading` without holding up other requests."""
        return await asyncio.get_running_loop().run_in_executor(self.services.readers, reading, *arguments)
