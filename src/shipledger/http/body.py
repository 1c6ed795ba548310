"""The body of a request: that it is JSON, that it is not too large, and what it says."""

from collections.abc import Callable, Collection
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from shipledger.http.answer import Refused, refused
from shipledger.http.headers import Headers
from shipledger.http.strict_json import JSONFault, decode
from shipledger.limits import BODY_BYTES_MAX

_FORM = "application/x-www-form-urlencoded"
_SEND_JSON = 'Send the header "Content-Type: application/json" and a JSON body in UTF-8.'
_CLOSE = [(b"connection", b"close")]


def read_json(media_type: str, body: bytes, read: Callable[[bytes], Any]) -> Any:
    """What `read` makes of a body of this type. Raises Refused (415, 400)."""
    require_json_in_form(media_type, body)
    return read(body)


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object that these bytes are. Raises Refused (400)."""
    try:
        value = decode(body)
    except JSONFault as fault:
        raise refused(400, fault.message, code="invalid_json", at="body") from None
    if not isinstance(value, dict):
        raise refused(400, "The body must be one JSON object.", code="not_an_object", at="body")
    return value


def require_json_in_form(media_type: str, body: bytes) -> None:
    """Raise Refused (415) for a form that is none of JSON, given what the body begins with."""
    if media_type == _FORM and not body.lstrip().startswith((b"{", b"[")):
        raise refused(415, _SEND_JSON)


def require_json_type(headers: Headers, more: Collection[str] = ()) -> str:
    """The media type of a body: JSON, none, what curl sends, or one of these. Raises Refused (415)."""
    if b"content-encoding" in headers:
        raise refused(415, f"Content-Encoding is not supported. {_SEND_JSON}")
    types = headers.get(b"content-type")
    if types is None or types == [b"application/json"]:
        return "application/json"
    media_type, _, parameters = b",".join(types).decode("latin-1").partition(";")
    media_type = media_type.strip().lower()
    is_json = media_type in {"application/json", "text/json", _FORM, "", *more} or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )
    if not is_json or not _is_utf_8(parameters):
        raise refused(415, _SEND_JSON)
    return media_type


def _is_utf_8(parameters: str) -> bool:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in {"utf-8", "utf8"}:
            return False
    return True


async def receive_body(headers: Headers, receive: Receive) -> bytes:
    """The body of a request. Raises Refused (413), and ClientDisconnect."""
    if any(length.isdigit() and int(length[:20]) > BODY_BYTES_MAX for length in headers.get(b"content-length", ())):
        raise _too_large()
    chunks, size, is_more = [], 0, True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > BODY_BYTES_MAX:
            raise _too_large()
        is_more = message.get("more_body", False)
    return b"".join(chunks)


def _too_large() -> Refused:
    return refused(413, f"The body must have at most {BODY_BYTES_MAX} bytes.", headers=_CLOSE)
