"""What goes back to a client: a status, headers and JSON; and how each refusal and fault is said in HTTP."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.types import Send

from shipledger.outcome import Fault, OutcomeUnknown, Unavailable
from shipledger.refusal import Detail, Reason, Refusal

Header = tuple[bytes, bytes]

RETRY_AFTER_SECONDS = 1

STATUS_OF = {
    Reason.INVALID_LINES: 400,
    Reason.INVALID_REQUEST: 400,
    Reason.ORDER_NOT_FOUND: 404,
    Reason.NOT_FOUND: 404,
    Reason.ORDER_CANCELLED: 409,
    Reason.ORDER_ON_HOLD: 409,
    Reason.ORDER_EXISTS: 409,
    Reason.FULFILLMENT_EXISTS: 409,
    Reason.KEY_ENDED: 409,
    Reason.RULE_TAKEN: 409,
    Reason.FULFILLMENT_CANCELLED: 409,
    Reason.KEY_REUSED: 422,
    Reason.NOT_ALONE: 424,
}
TITLE_OF = {
    400: "Invalid Request",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
}
"""The titles of HTTP's own errors: fixed here, since Python's change between versions."""
_WITH_DETAILS = {400, 409, 422}
ALWAYS: list[Header] = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]


def header_lines(headers: Iterable[Header]) -> bytes:
    """Headers as they stand in the head of an answer."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


_ALWAYS_LINES = header_lines(ALWAYS)

encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Answer:
    """A complete answer. `X-Request-Id` and `Content-Length` are added as it is sent."""

    status: int
    body: bytes
    headers: list[Header] = field(default_factory=list)
    media_type: bytes = b"application/json"

    async def send(self, send: Send, request_id: str) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.all_headers(request_id)})
        await send({"type": "http.response.body", "body": self.body})

    def all_headers(self, request_id: str) -> list[Header]:
        """Its own headers, and those of every answer."""
        return [
            (b"content-type", self.media_type),
            (b"content-length", b"%d" % len(self.body)),
            (b"x-request-id", request_id.encode()),
            *ALWAYS,
            *self.headers,
        ]

    def head(self, request_id: str) -> bytes:
        """The same as they stand in its head, in a third of the time."""
        own = (self.media_type, len(self.body), request_id.encode(), _ALWAYS_LINES, header_lines(self.headers))
        return b"content-type: %b\r\ncontent-length: %d\r\nx-request-id: %b\r\n%b%b" % own


class Refused(Exception):
    """Ends the handling of a request with this answer: raised where HTTP itself, not the ledger, says no."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json_answer(document: Any, status: int = 200, headers: Iterable[Header] = ()) -> Answer:
    """A JSON document as an answer."""
    return Answer(status, encode(document), list(headers))


def error(status: int, title: str, message: str, headers: Iterable[Header] = ()) -> Answer:
    """An error of two keys."""
    return json_answer({"error": title, "message": message}, status, headers)


def refused(
    status: int, message: str, *, code: str = "", at: str = "", headers: Iterable[Header] = (), title: str = ""
) -> Refused:
    """An error of HTTP's own; 400, 409 and 422 have details, and 400 is called Invalid Request."""
    title = title or TITLE_OF[status]
    body: dict[str, Any] = {"error": title, "message": message}
    if status in _WITH_DETAILS:
        body["details"] = [{"code": code, "at": at, "message": message}]
    return Refused(json_answer(body, status, headers))


def refusal_answer(refusal: Refusal, nearest_skus: dict[tuple[int, str], str] | None = None) -> Answer:
    """The ledger's no. `nearest_skus` are suggestions, by order id and unknown sku."""
    status = STATUS_OF[refusal.reason]
    body: dict[str, Any] = {"error": refusal.reason.title, "message": _sentence(refusal)}
    if status in _WITH_DETAILS:
        body["details"] = [_shown(detail, nearest_skus or {}) for detail in refusal.details]
    return json_answer(body, status)


def fault_answer(fault: Fault) -> Answer:
    """Our own failure: 503 where nothing was applied and the same request may be sent again, 500 otherwise."""
    if isinstance(fault, Unavailable):
        message = "The server cannot take this now, and nothing was applied. Send the same request again soon."
        return error(503, "Service Unavailable", message, [(b"retry-after", b"%d" % RETRY_AFTER_SECONDS)])
    answer = server_error()
    if isinstance(fault, OutcomeUnknown):
        # The published page gives a 500 just two keys, so that its code is told beside them.
        answer.headers.append((b"x-error-code", b"outcome_unknown"))
    return answer


def server_error() -> Answer:
    """The published page's answer to an error of ours."""
    return error(500, "Server Error", "An error occurred on our server. Please try again later.")


def _sentence(refusal: Refusal) -> str:
    """An invalid request is answered with its first fault: its sender may look no further than the message."""
    if refusal.reason is not Reason.INVALID_REQUEST or not refusal.details:
        return refusal.reason.sentence
    first, *more = refusal.details
    return first.message if not more else f"{first.message} The details name {len(more)} more."


def _shown(detail: Detail, nearest_skus: dict[tuple[int, str], str]) -> dict[str, Any]:
    shown: dict[str, Any] = {"code": detail.code, "at": detail.at, "message": detail.message}
    for name in ("sku", "requested", "remaining"):
        value = getattr(detail, name)
        if value is not None:
            shown[name] = value
    if detail.order_id is not None and detail.sku is not None:
        shown["nearest_sku"] = nearest_skus.get((detail.order_id, detail.sku))
    return shown
