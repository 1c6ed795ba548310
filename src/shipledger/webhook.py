"""Webhooks: who is told, when a message is sent again, when it is given up, and when its receiver is left in peace."""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

from shipledger.origin import Origin
from shipledger.refusal import Caution
from shipledger.timestamp import MICROSECONDS_A_SECOND, Microseconds

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

RETRY_SECONDS = (5, 5 * _MINUTE, 30 * _MINUTE, *(hours * _HOUR for hours in (2, 5, 10, 14, 20, 24)))
"""How long after each failed attempt the next one is made. The first attempt is made at once; after the last one that
fails, more than three days later, the message is dead."""
JITTER = 0.1
"""A wait is longer by up to this part of it, so that what failed together does not come again together."""
RETRY_AFTER_SECONDS_MAX = _DAY
"""A receiver that asks for more is asked again after this."""
FAILING_SECONDS_MAX = 5 * _DAY
"""An endpoint that took nothing for so long is disabled."""
HELD_SECONDS_MAX = 30 * _DAY
"""How long the messages of a disabled endpoint wait for it to be enabled."""
ROTATION_SECONDS = _DAY
"""How long a replaced secret signs beside its successor."""

ALL_TYPES = "*"
"""Stands for every type of event, also those that later versions bring."""
PING = "webhook.ping"
"""The type of what a ping sends. It is no event of the ledger."""


class Disabled(StrEnum):
    """Why nothing is sent to an endpoint."""

    BY_HAND = "by_hand"
    GONE = "gone"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one attempt to hand a message over.

    `status` is that of the answer; where there was none, `error` says why in a few words. `answer` is its beginning.
    """

    attempted_at: Microseconds
    duration_ms: int
    status: int | None = None
    error: str | None = None
    answer: str = ""
    retry_after_seconds: int | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has the message now."""
        return self.status is not None and 200 <= self.status <= 299  # noqa: PLR2004 - HTTP's word for success

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants no more of them."""
        return self.status == 410  # noqa: PLR2004 - HTTP's word for gone


class MessageStatus(StrEnum):
    """How far a message is."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a message after an attempt; `due_at` is when it is tried again."""

    status: MessageStatus
    due_at: Microseconds


def judge(attempt: Attempt, attempts: int, now: Microseconds, chance: float) -> Verdict:
    """What becomes of a message after its latest attempt, the `attempts`th. `chance` is from 0 to 1.

    A receiver that is gone is disabled, and its messages are held: this one was not the last that it is sent.
    """
    if attempt.is_taken:
        return Verdict(MessageStatus.SENT, now)
    if attempt.is_gone:
        return Verdict(MessageStatus.PENDING, now)
    if attempts > len(RETRY_SECONDS):
        return Verdict(MessageStatus.DEAD, now)
    seconds = RETRY_SECONDS[attempts - 1] * (1 + JITTER * chance)
    asked_for = min(attempt.retry_after_seconds or 0, RETRY_AFTER_SECONDS_MAX)
    return Verdict(MessageStatus.PENDING, now + int(max(seconds, asked_for) * MICROSECONDS_A_SECOND))


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is stored of a secret: a salt, and what tells the server key that it takes to derive the secret."""

    salt: bytes
    key_check: bytes


@dataclass(slots=True)
class Endpoint:
    """A receiver of webhooks. `partner` is whose it is; None is the operator's.

    It is told what happens after the place `starts_after` of the feed. What was held while it was disabled, up to the
    place `in_order_up_to`, is sent one message after the other.
    """

    id: int
    partner: str | None
    url: str
    description: str | None
    event_types: tuple[str, ...]
    is_ordered: bool
    created_at: Microseconds
    starts_after: int
    sealed: Sealed
    previous_salt: bytes | None = None
    previous_until: Microseconds | None = None
    disabled_at: Microseconds | None = None
    disabled_because: Disabled | None = None
    deleted_at: Microseconds | None = None
    failing_since: Microseconds | None = None
    in_order_up_to: int = 0


@dataclass(frozen=True, slots=True)
class CreateEndpoint:
    """Tell a receiver of these types of events."""

    origin: Origin
    url: str
    description: str | None
    event_types: tuple[str, ...]
    is_ordered: bool
    sealed: Sealed
    cautions: tuple[Caution, ...] = ()
    idempotency_key: str | None = None

    def fingerprint(self) -> bytes:
        """Equal for endpoints that were asked for alike."""
        return _digest(["create_endpoint", self.url, self.description, self.event_types, self.is_ordered])


@dataclass(frozen=True, slots=True)
class EndpointChanges:
    """What is to be changed of an endpoint; None stays as it is. A blank description is none."""

    url: str | None = None
    description: str | None = None
    event_types: tuple[str, ...] | None = None
    is_ordered: bool | None = None
    is_enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class ChangeEndpoint:
    """Change what a receiver is told, or where, or leave it in peace for a while."""

    origin: Origin
    endpoint_id: int
    changes: EndpointChanges
    cautions: tuple[Caution, ...] = ()
    idempotency_key: str | None = None

    def fingerprint(self) -> bytes:
        """Equal for equal changes."""
        return _digest(["change_endpoint", self.endpoint_id, repr(self.changes)])


@dataclass(frozen=True, slots=True)
class DeleteEndpoint:
    """Tell a receiver nothing any more."""

    origin: Origin
    endpoint_id: int
    idempotency_key: str | None = None

    def fingerprint(self) -> bytes:
        """Equal for the same endpoint."""
        return _digest(["delete_endpoint", self.endpoint_id])


@dataclass(frozen=True, slots=True)
class RotateSecret:
    """Sign with another secret; the old one signs beside it for a day."""

    origin: Origin
    endpoint_id: int
    sealed: Sealed
    idempotency_key: str | None = None

    def fingerprint(self) -> bytes:
        """Equal for the same endpoint."""
        return _digest(["rotate_secret", self.endpoint_id])


EndpointCommand = CreateEndpoint | ChangeEndpoint | DeleteEndpoint | RotateSecret


def _digest(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
