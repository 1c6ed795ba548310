"""What schemathesis is told beside the document: to name what the ledger has, and that a 4xx writes nothing.

Loaded by its process through SCHEMATHESIS_HOOKS; the server that it asks runs over the ledger that FUZZED_LEDGER names.
"""

import json
import os
import zlib
from typing import Any

import apsw
import schemathesis
from schemathesis import Case, CheckContext, DeserializationContext, HookContext, Response, SerializationContext

from tests.http.orders_to_ship import FUZZED_FULFILLMENTS, FUZZED_LEDGER, FUZZED_ORDERS, FUZZED_SKU, FUZZERS_KEY

TEXT_MAX = 255
FULFILLMENTS_CANCELLED, ORDERS_CHANGED = 3, 50
"""How many of each are changed: few, so that changes meet, and most orders stay open for fulfillments."""
MOMENT = "2026-05-01T10:00:00Z"


class Watch:
    """Tells whether a request changed the ledger since it was last asked.

    What is sent to webhooks is noted beside requests, so that a commit alone proves nothing.
    """

    _CONTENT = (
        "SELECT count(*), sum(event_count), sum(fulfilled), sum(cancelled), sum(on_hold) FROM orders",
        "SELECT count(*), max(id) FROM fulfillments",
        "SELECT count(*), max(id) FROM events",
        "SELECT count(*) FROM kept_answers",
        "SELECT count(*), count(revoked_at), count(expires_at) FROM keys",
        "SELECT count(*), max(changed_at) FROM partners",
    )

    def __init__(self, path: str) -> None:
        self._connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)
        self._version, self._content = self._read_version(), self._read_content()

    def has_changed(self) -> bool:
        version, self._version = self._version, self._read_version()
        if version == self._version:
            return False
        content, self._content = self._content, self._read_content()
        return content != self._content

    def _read_version(self) -> Any:
        return self._connection.execute("PRAGMA data_version").get

    def _read_content(self) -> list[Any]:
        return [self._connection.execute(sql).get for sql in self._CONTENT]


_watch = Watch(os.environ[FUZZED_LEDGER])


@schemathesis.check
def a_refusal_writes_nothing(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    has_changed = _watch.has_changed()
    assert not (has_changed and response.status_code >= 400), f"a {response.status_code} was committed"


@schemathesis.check
def an_answer_has_an_id_and_an_error_its_keys(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    assert response.headers.get("x-request-id"), "no X-Request-Id"
    if response.status_code >= 400 and case.method != "HEAD":
        keys = ["error", "message", "details"] if response.status_code in {400, 409, 422} else ["error", "message"]
        if response.status_code == 410:
            keys.append("oldest")
        assert list(response.json()) == keys


@schemathesis.serializer("application/x-ndjson")
def as_a_line(ctx: SerializationContext, value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass") + b"\n"


@schemathesis.deserializer("application/x-ndjson")
def first_line(ctx: DeserializationContext, response: Response) -> Any:
    """The document's schema is that of each line; that all of them can be read is looked at as well.

    An export is a file, of which the document says no more than that.
    """
    lines = [json.loads(line) for line in response.content.splitlines()]
    is_file = "attachment" in str(response.headers.get("content-disposition", ""))
    return response.content.decode() if is_file or not lines else lines[0]


@schemathesis.hook
def map_body(context: HookContext, body: Any) -> Any:
    """Let fulfillments that are in shape name an order and a sku that exist, but for one in eight."""
    for item in body if isinstance(body, list) else ():
        map_body(context, item)
    if isinstance(body, dict) and "tracking_number" in body and _pick(body, 8):
        envelope = body.get("line_items_by_fulfillment_order")
        for group in [body, *(envelope if isinstance(envelope, list) else [])]:
            if isinstance(group, dict):
                _name_what_exists(group)
    elif isinstance(body, dict) and isinstance(body.get("occurred_at"), str) and _pick(body, 8):
        body["occurred_at"] = MOMENT
    elif isinstance(body, dict) and set(body) == {"line_items"} and _pick(body, 8):
        _name_what_exists(body)
    return body


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Let changes be of what exists, but for one in eight; let the fuzzer do to keys what it likes, but to its own."""
    named, place = str(case.path_parameters.get("id", "")), case.operation.path
    if not named.isdigit():
        return
    if place.startswith("/v1/keys") and int(named) == FUZZERS_KEY:
        case.path_parameters["id"] = FUZZERS_KEY + 1
    elif place.startswith("/v1/fulfillments/") and _pick(named, 8):
        is_end = place.endswith("/cancel")
        case.path_parameters["id"] = 1 + _pick(named, FULFILLMENTS_CANCELLED if is_end else FUZZED_FULFILLMENTS)
    elif place.startswith("/v1/orders/") and _pick(named, 8):
        case.path_parameters["id"] = FUZZED_ORDERS[-1 - _pick(named, ORDERS_CHANGED)]["id"]


def _pick(value: Any, choices: int) -> int:
    """The same choice for the same value, in every process."""
    return zlib.crc32(repr(value).encode("utf-8", "surrogatepass")) % choices


def _name_what_exists(group: dict[str, Any]) -> None:
    order = FUZZED_ORDERS[_pick(group, len(FUZZED_ORDERS))]
    order_id = group.get("order_id")
    if type(order_id) is int and order_id > 0:
        group["order_id"] = order["id"]
    elif isinstance(order_id, str) and 0 < len(order_id) <= TEXT_MAX:
        group["order_id"] = order["reference"]
    lines = group.get("line_items")
    for line in lines if isinstance(lines, list) else []:
        if isinstance(line, dict) and isinstance(line.get("sku"), str) and 0 < len(line["sku"]) <= TEXT_MAX:
            line["sku"] = FUZZED_SKU
