"""Who may come in, once there is a key: a request that brings one, for what the key may do."""

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shipledger.http.access import admit_openly
from shipledger.http.answer import Header, Refused, error
from shipledger.http.credentials import key_text
from shipledger.http.headers import Headers
from shipledger.http.rate import Bucket
from shipledger.http.route import ANY_KEY, OPERATORS_ONLY, PUBLIC
from shipledger.key import PREFIX, PUBLIC_CHARS, SECRET_CHARS, Key, digest_of
from shipledger.origin import OPERATOR, Origin, account_of
from shipledger.timestamp import Microseconds

HEAD = f"{PREFIX}_".encode()
_SECRET_AT = len(HEAD) + PUBLIC_CHARS + 1
TEXT_CHARS = _SECRET_AT + SECRET_CHARS
_NEVER = 2**63


@dataclass(slots=True)
class _Holder:
    """A key, as quickly as it can be looked at. Its bucket and its last use are this process's own."""

    key: Key
    digest: bytes
    ends_at: Microseconds
    account: str
    bucket: Bucket | None
    used_at: Microseconds = 0


class Gate:
    """Lets requests in: those of this machine while no key was ever made, and by their keys from then on."""

    def __init__(
        self, clock: Callable[[], Microseconds], *, host_token: str | None = None, rate_limit: int = 0
    ) -> None:
        """`host_token` lets commands of this host in. `rate_limit` is that of keys without their own; 0 is none."""
        self._clock = clock
        self._host_digest = None if host_token is None else digest_of(host_token.encode())
        self._rate_limit = rate_limit
        self._holders: dict[bytes, _Holder] = {}
        self._limited: dict[int, Bucket] = {}
        self._is_open = True

    @property
    def is_open(self) -> bool:
        """Whether no key was ever made."""
        return self._is_open

    def replace(self, keys: Iterable[Key]) -> None:
        """Know these keys, and no others. A server that was closed stays closed."""
        holders = {_beginning(key): self._holder(key) for key in keys}
        self._limited = {holder.key.id: holder.bucket for holder in holders.values() if holder.bucket is not None}
        self._holders = holders
        self._is_open = self._is_open and not holders

    def _holder(self, key: Key) -> _Holder:
        known = self._holders.get(_beginning(key))
        rate = self._rate_limit if key.rate_limit is None else key.rate_limit
        bucket = known.bucket if known is not None else None
        if bucket is None or bucket.rate != rate:
            bucket = Bucket(rate) if rate else None
        ends_at = _NEVER if key.expires_at is None else key.expires_at
        if key.revoked_at is not None:
            ends_at = 0
        used_at = 0 if known is None else known.used_at
        return _Holder(key, key.credential.digest, ends_at, account_of(key.partner), bucket, used_at)

    def uses(self) -> list[tuple[int, Microseconds]]:
        """When each key was last used, of those whose stored last use is older."""
        return [
            (holder.key.id, holder.used_at)
            for holder in self._holders.values()
            if holder.used_at > (holder.key.last_used_at or 0)
        ]

    def admit(self, headers: Headers, request_id: str, scope: str) -> Origin:
        """Who asks. Raises Refused (400, 401, 403 or 429) for one who may not do what needs this scope."""
        if self._is_open:
            return admit_openly(headers, request_id)
        if scope == PUBLIC:
            return Origin("", None, "anyone", None, request_id)
        text = key_text(headers)
        holder = self._holders.get(text[:_SECRET_AT])
        if holder is None or not _is_of(holder, text):
            return self._admit_host(text, request_id)
        now = self._clock()
        if now >= holder.ends_at:
            raise _unauthorized()
        holder.used_at = now
        if holder.bucket is not None and not holder.bucket.take():
            raise _too_many(holder.bucket)
        if not _may(holder.key, scope):
            raise _forbidden(scope)
        return Origin(holder.account, holder.key.partner, holder.key.name, holder.key.id, request_id)

    def _admit_host(self, text: bytes, request_id: str) -> Origin:
        if self._host_digest is not None and hmac.compare_digest(digest_of(text), self._host_digest):
            return Origin(OPERATOR, None, "host", None, request_id)
        raise _unauthorized()

    def rate_headers(self, origin: Origin) -> list[Header]:
        """What the holder of a limited key is told with each answer."""
        if not self._limited or origin.key_id is None:
            return []
        bucket = self._limited.get(origin.key_id)
        return [] if bucket is None else bucket.headers()


def _beginning(key: Key) -> bytes:
    """What the texts of a key begin with: all but its secret."""
    return b"%b%b_" % (HEAD, key.credential.public_part.encode())


def _is_of(holder: _Holder, text: bytes) -> bool:
    """Whether a text that begins as the key does is the key's, compared in constant time."""
    return len(text) == TEXT_CHARS and hmac.compare_digest(digest_of(text[_SECRET_AT:]), holder.digest)


def _may(key: Key, scope: str) -> bool:
    if scope in key.scopes or scope == ANY_KEY:
        return True
    if scope == OPERATORS_ONLY:
        return key.partner is None
    return " " in scope and all(_may(key, part) for part in scope.split())


def _unauthorized() -> Refused:
    """One answer to whoever has no valid key: it does not tell which keys there were."""
    message = "This needs a valid API key. Send it as Authorization: Bearer KEY, or as X-Access-Token: KEY."
    return Refused(error(401, "Unauthorized", message, [(b"www-authenticate", b'Bearer realm="shipledger"')]))


def _forbidden(scope: str) -> Refused:
    if scope == OPERATORS_ONLY:
        return Refused(error(403, "Forbidden", "This is the operator's alone."))
    if OPERATORS_ONLY in scope.split():
        scope = scope.replace(f" {OPERATORS_ONLY}", "")
        return Refused(error(403, "Forbidden", f"This needs a key of the operator's that holds {scope}."))
    return Refused(error(403, "Forbidden", f"This needs a key that holds {scope.replace(' ', ' and ')}."))


def _too_many(bucket: Bucket) -> Refused:
    message = f"This key may send {bucket.rate} requests a second. Send this one again after Retry-After."
    return Refused(error(429, "Too Many Requests", message, [(b"retry-after", b"1"), *bucket.headers()]))
