"""API keys: who holds one and what it may do; and what may be asked about keys.

A key is ``sl_``, a public part that it is found by, and a secret of which only the hash is stored.
"""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

from shipledger.origin import Origin
from shipledger.refusal import Caution
from shipledger.timestamp import Microseconds

PREFIX = "sl"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PUBLIC_BYTES, PUBLIC_CHARS = 8, 11
SECRET_BYTES, SECRET_CHARS = 32, 43
"""Bytes of chance, and the digits of base 62 that hold them."""


class Role(StrEnum):
    """Whose key it is."""

    OPERATOR = "operator"
    PARTNER = "partner"


class Scope(StrEnum):
    """What a key may do."""

    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    FULFILLMENTS_READ = "fulfillments:read"
    FULFILLMENTS_WRITE = "fulfillments:write"
    WEBHOOKS = "webhooks"
    KEYS = "keys"


ALLOWED_TO = {
    Role.OPERATOR: frozenset(Scope),
    Role.PARTNER: frozenset(Scope) - {Scope.ORDERS_WRITE, Scope.KEYS},
}
"""The scopes that a key of each role may hold: partners neither bring orders nor make keys."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What is stored of a key's text: the part that it is found by, and the SHA-256 of its secret."""

    public_part: str
    digest: bytes

    @property
    def starts_with(self) -> str:
        """How the key's text begins: it tells which key was found lying about, and lets nobody in."""
        return f"{PREFIX}_{self.public_part}_"


@dataclass(slots=True)
class Key:
    """An API key as it is stored. `rate_limit` is in requests a second; None is the server's own limit.

    `replaced_by` is the key that a rotation made in its place; this one lives on until `expires_at`.
    """

    id: int
    credential: Credential
    name: str
    role: Role
    partner: str | None
    scopes: frozenset[Scope]
    rate_limit: int | None
    created_at: Microseconds
    expires_at: Microseconds | None = None
    last_used_at: Microseconds | None = None
    revoked_at: Microseconds | None = None
    replaced_by: int | None = None

    def is_valid(self, now: Microseconds) -> bool:
        """Whether its holder may come in."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class CreateKey:
    """Make a key. Its text is known to its sender alone, and is no part of the fingerprint: a retry makes another."""

    origin: Origin
    credential: Credential
    name: str
    role: Role
    partner: str | None
    scopes: frozenset[Scope] | None
    """None: all that a key of this role may hold."""
    expires_at: Microseconds | None = None
    rate_limit: int | None = None
    idempotency_key: str | None = None
    cautions: tuple[Caution, ...] = ()

    def fingerprint(self) -> bytes:
        """Equal for keys that were asked for alike."""
        scopes = None if self.scopes is None else sorted(self.scopes)
        return _digest(["create_key", self.name, self.role, self.partner, scopes, self.expires_at, self.rate_limit])


@dataclass(frozen=True, slots=True)
class RevokeKey:
    """End a key at once and for ever."""

    origin: Origin
    key_id: int
    idempotency_key: str | None = None

    def fingerprint(self) -> bytes:
        """Equal for the same key."""
        return _digest(["revoke_key", self.key_id])


@dataclass(frozen=True, slots=True)
class RotateKey:
    """Make a key in the place of another, which lives on for a while: its holder changes over without a gap."""

    origin: Origin
    key_id: int
    credential: Credential
    overlap_seconds: int
    expires_at: Microseconds | None = None
    """None: as that of the key that is replaced."""
    idempotency_key: str | None = None
    cautions: tuple[Caution, ...] = ()

    def fingerprint(self) -> bytes:
        """Equal for rotations that were asked for alike."""
        return _digest(["rotate_key", self.key_id, self.overlap_seconds, self.expires_at])


@dataclass(frozen=True, slots=True)
class NoteKeyUse:
    """Remember when keys were last used, by id. No event tells of it."""

    origin: Origin
    used_at: tuple[tuple[int, Microseconds], ...]
    idempotency_key: str | None = None

    def fingerprint(self) -> bytes:
        """Equal for the same uses."""
        return _digest(["note_key_use", self.used_at])


KeyCommand = CreateKey | RevokeKey | RotateKey | NoteKeyUse


def mint(chance: bytes) -> tuple[str, Credential]:
    """A key's text, to be shown once, and what is stored of it, from `PUBLIC_BYTES + SECRET_BYTES` of chance."""
    public_part = _in_digits(chance[:PUBLIC_BYTES], PUBLIC_CHARS)
    secret = _in_digits(chance[PUBLIC_BYTES:], SECRET_CHARS)
    return f"{PREFIX}_{public_part}_{secret}", Credential(public_part, digest_of(secret.encode()))


def digest_of(secret: bytes) -> bytes:
    """What is stored of a secret, which holds as much chance as its hash: no slow hash is needed to hide it."""
    return hashlib.sha256(secret).digest()


def _in_digits(chance: bytes, length: int) -> str:
    number, digits = int.from_bytes(chance), ""
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits += _DIGITS[digit]
    return digits


def _digest(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
