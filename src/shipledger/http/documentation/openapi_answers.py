"""The answers of the OpenAPI document: what each status means, its headers, its body, and the errors of any route."""

import copy
import re
from http import HTTPStatus
from typing import Any

from shipledger.http import key_schemas, schemas
from shipledger.http.documentation.openapi_examples import ANSWERS, error_examples, plain_error
from shipledger.http.documentation.openapi_schemas import arms, is_struct, schema_of
from shipledger.http.route import PUBLIC, Route

Document = dict[str, Any]

LINES = "application/x-ndjson"
"""The media type of JSON documents one a line; the schema beside it is that of each line."""

# The published page's own sentences come first.
_MEANINGS: dict[tuple[type[Any] | None, int], str] = {
    (schemas.CreateFulfillment, 200): "The fulfillment was successfully created.",
    (schemas.CreateFulfillment, 404): "The specified order ID does not exist.",
    (schemas.BulkFulfillment, 200): "Every item was answered: one line each, then the summary.",
    (schemas.BulkOrder, 200): "Every item was answered: one line each, then the summary.",
    (schemas.CreateOrder, 200): "The same order was recorded before; this is its present state.",
    (schemas.CreateOrder, 201): "The order was recorded.",
    (key_schemas.CreateKey, 201): "The key was made. Its secret is shown this once.",
    (key_schemas.RotateKey, 201): "The new key, with its secret, which is shown this once.",
    (None, 400): "The request was invalid. An accompanying message will provide details about the error.",
    (None, 401): "The request brings no valid key.",
    (None, 403): "The request may not come in.",
    (None, 404): "There is no such thing, or it is not yours.",
    (None, 409): "The present state forbids it.",
    (None, 410): "What was asked for is no longer kept.",
    (None, 413): "The body is too large.",
    (None, 415): "The body is of another media type than this takes.",
    (None, 422): "The Idempotency-Key was used for another request.",
    (None, 429): "The key's requests came too fast.",
    (None, 500): "An unexpected error occurred.",
    (None, 503): "The server cannot take this now, and nothing was applied.",
}


def _header(description: str, **schema: Any) -> Document:
    return {"description": description, "schema": {"type": "string", **schema}}


def _number(description: str) -> Document:
    return {"description": description, "schema": {"type": "integer", "minimum": 0}}


HEADERS: Document = {
    "RequestId": {**_header("The request's id in the server's log."), "required": True},
    "Location": _header("Where the new thing is. Absent for a dry run and for several orders."),
    "IdempotentReplayed": _header("true where the first answer to this key is given again.", const="true"),
    "Link": _header('The next page, with rel="next". Absent on the last.'),
    "RetryAfter": {
        "description": "Seconds to wait before the same request is sent again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWWAuthenticate": _header("How to bring a key."),
    "RateLimitLimit": _number("Requests a second that the key may send; with every answer to a key that has a limit."),
    "RateLimitRemaining": _number("How many of them may still come now."),
    "RateLimitReset": _number("Seconds until all of them may come again."),
    "Allow": _header("The methods that the path takes."),
}


def _headers(**headers: bool) -> Document:
    """References to the named headers, where they are wanted; the request's id is always there."""
    names = {
        "RequestId": "X-Request-Id",
        "IdempotentReplayed": "Idempotent-Replayed",
        "RetryAfter": "Retry-After",
        "WWWAuthenticate": "WWW-Authenticate",
        "RateLimitLimit": "RateLimit-Limit",
        "RateLimitRemaining": "RateLimit-Remaining",
        "RateLimitReset": "RateLimit-Reset",
    }
    wanted = ["RequestId", *(name for name, is_wanted in headers.items() if is_wanted)]
    return {names.get(name, name): {"$ref": f"#/components/headers/{name}"} for name in wanted}


def _shared_response(title: str, message: str, description: str, **headers: bool) -> Document:
    content = {"schema": schema_of(schemas.Error), "examples": plain_error(title, message)}
    return {"description": description, "headers": _headers(**headers), "content": {"application/json": content}}


SHARED_RESPONSES: Document = {
    "Unauthorized": _shared_response(
        "Unauthorized",
        "This needs a valid API key. Send it as Authorization: Bearer KEY, or as X-Access-Token: KEY.",
        "The request brings no key, or one that is unknown, revoked or expired.",
        WWWAuthenticate=True,
    ),
    "Forbidden": _shared_response(
        "Forbidden",
        "This needs a key that holds orders:write.",
        "The key does not hold the scope. Or no key was made yet: then the server answers only its own machine, no"
        " other Host, no proxy, and no page of another origin.",
    ),
    "TooManyRequests": _shared_response(
        "Too Many Requests",
        "This key may send 100 requests a second. Send this one again after Retry-After.",
        "The key's requests came faster than its rate limit.",
        RetryAfter=True,
        RateLimitLimit=True,
        RateLimitRemaining=True,
        RateLimitReset=True,
    ),
    "MethodNotAllowed": _shared_response(
        "Method Not Allowed", "This path takes GET or HEAD or POST.", "The path does not take this method.", Allow=True
    ),
    "ServerError": _shared_response(
        "Server Error", "An error occurred on our server. Please try again later.", _MEANINGS[None, 500]
    ),
    "ServiceUnavailable": _shared_response(
        "Service Unavailable",
        "The server cannot take this now, and nothing was applied. Send the same request again soon.",
        _MEANINGS[None, 503],
        RetryAfter=True,
    ),
}


def responses_of(route: Route) -> Document:
    """The answers of one route by status: those of the table, and those that any route may give."""
    responses = {str(status): _response(route, status, answer) for status, answer in sorted(route.answers.items())}
    shared = {"403": "Forbidden", "500": "ServerError"}
    if route.scope != PUBLIC:
        shared |= {"401": "Unauthorized", "429": "TooManyRequests"}
    if route.method != "GET":
        shared["503"] = "ServiceUnavailable"
    for status, name in shared.items():
        responses.setdefault(status, {"$ref": f"#/components/responses/{name}"})
    return dict(sorted(responses.items()))


def _response(route: Route, status: int, answer: Any) -> Document:
    is_success = status < HTTPStatus.BAD_REQUEST
    key_headers = is_success and route.takes_key
    headers = _headers(
        Location=key_headers,
        IdempotentReplayed=key_headers,
        Link=is_success and route.list_spec is not None,
        RetryAfter=status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE},
    )
    meaning = _MEANINGS.get((route.request, status)) or _MEANINGS.get((None, status)) or _first_words(answer)
    return {"description": meaning, "headers": headers, "content": _content(route, status, answer)}


def _first_words(answer: Any) -> str:
    return str(answer.__doc__) if is_struct(answer) else "What was asked for."


def _content(route: Route, status: int, answer: Any) -> Document:
    """The media types of an answer. Text is a page of HTML; an answer may be either, as its reader asks."""
    alternatives = arms(answer)
    content: Document = {}
    documents = [arm for arm in alternatives if arm not in {str, bytes}]
    if documents:
        references = [schema_of(arm) for arm in documents]
        media_type = LINES if route.is_bulk and status < HTTPStatus.BAD_REQUEST else "application/json"
        content[media_type] = {"schema": references[0] if len(references) == 1 else {"anyOf": references}}
        examples = error_examples(route, status) if status >= HTTPStatus.BAD_REQUEST else _answer_examples(documents)
        if examples:
            content[media_type]["examples"] = copy.deepcopy(examples)
    if bytes in alternatives:
        content |= {media_type: {"schema": {"type": "string"}} for media_type in (LINES, "text/csv")}
    if str in alternatives:
        content["text/html"] = {"schema": {"type": "string"}}
    return content


def _answer_examples(documents: list[Any]) -> Document:
    return {
        arm.__name__: {"summary": _spaced(arm.__name__), "value": ANSWERS[arm]} for arm in documents if arm in ANSWERS
    }


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()
