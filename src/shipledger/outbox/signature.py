"""Signs messages as Standard Webhooks says. Secrets are derived from the server's own key: nowhere are they stored."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping

SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with is none
CHECK_BYTES = 8


class SecretMaker:
    """Derives the secret of an endpoint from the server's key and a salt that is stored with the endpoint.

    Whoever has the salts alone, from a dump of the database, has no secret.
    """

    def __init__(self, server_key: bytes) -> None:
        self._key = server_key

    def secret(self, salt: bytes) -> bytes:
        """The secret that a salt stands for."""
        return hmac.digest(self._key, b"webhook secret " + salt, hashlib.sha256)

    def check(self) -> bytes:
        """What tells this server key from another, and nothing else of it."""
        return hmac.digest(self._key, b"webhook key check", hashlib.sha256)[:CHECK_BYTES]


def shown_secret(secret: bytes) -> str:
    """The secret as receivers configure it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def signature_headers(message_id: str, timestamp: int, body: bytes, secrets: Iterable[bytes]) -> dict[str, str]:
    """The headers by which a receiver knows the message for ours. `timestamp` is in seconds since 1970.

    While a secret is being replaced there are two signatures.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digests = (base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode() for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{digest}" for digest in digests),
    }


TOLERANCE_SECONDS = 300
"""A message whose timestamp is further away than this may be an old one that somebody sends again."""


def signature_fault(secret: str, headers: Mapping[str, str], body: bytes, now_seconds: float) -> str | None:
    """What is wrong with a message that was received, or None. Names of headers are in lower case."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        message_id, timestamp = headers["webhook-id"], int(headers["webhook-timestamp"])
        given = headers["webhook-signature"].split(" ")
    except (KeyError, ValueError):
        return "it is not signed, or the secret is none"
    if abs(now_seconds - timestamp) > TOLERANCE_SECONDS:
        return "its timestamp is more than five minutes away from this machine's clock"
    expected = signature_headers(message_id, timestamp, body, [key])["webhook-signature"].encode()
    if not any(hmac.compare_digest(expected, one.encode()) for one in given):
        return "no signature is by this secret"
    return None
