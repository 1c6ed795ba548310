"""The ledger as the relay sees it: errands that write, and a reading side, both from the relay's event loop."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from shipledger.storage.port import Errand, Rows
from shipledger.storage.webhook_reading import WebhookReading

Read = TypeVar("Read")


class ReadInThread(Protocol):
    """Call a method of the reading side without holding up the loop."""

    def __call__(self, reading: Callable[..., Read], *arguments: Any) -> Awaitable[Read]: ...


@dataclass(frozen=True, slots=True)
class Storage:
    """`carry_out` raises what storage raises; nothing was written then, unless COMMIT's outcome is unknown."""

    carry_out: Callable[[Errand], Awaitable[list[Rows]]]
    read: ReadInThread
    reading: WebhookReading
