"""The key that a request brings, in either of two headers."""

from shipledger.http.answer import refused
from shipledger.http.headers import Headers

_BEARER = b"bearer "


def key_text(headers: Headers) -> bytes:
    """The key that a request brings, blank where it brings none. Raises Refused (400) where it is not clear which."""
    given, tokens = headers.get(b"authorization", ()), headers.get(b"x-access-token", ())
    if len(given) == 1 and not tokens:
        return _bearer(given[0])
    for name, values in (("Authorization", given), ("X-Access-Token", tokens)):
        if len(values) > 1:
            raise refused(400, f"{name} is given twice.", code="given_twice", at=name)
    bearer = _bearer(given[0]) if given else b""
    token = tokens[0].strip() if tokens else b""
    if given and tokens and bearer != token:
        message = "Authorization and X-Access-Token differ; send one of them."
        raise refused(400, message, code="two_keys", at="X-Access-Token")
    return bearer or token


def _bearer(value: bytes) -> bytes:
    return value[len(_BEARER) :].strip() if value[: len(_BEARER)].lower() == _BEARER else b""
