"""Sends orders to a serving ledger, in bulk, until each has its answer."""

import http.client
import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import msgspec

from shipledger.importing.reading import NOT_RECORDED, ORDER_EXISTS
from shipledger.order import OrderContent
from shipledger.timestamp import MICROSECONDS_A_SECOND, Microseconds, show

CONNECTIONS = 2
"""While the server records what came on one, the other is on its way."""
TIMEOUT_SECONDS = 60
PATIENCE_SECONDS = 60
"""How long the server may be away or overloaded before the import gives up; it can be run again."""
RETRY_SECONDS_MAX = 5.0

OK, CREATED, CONFLICT, FAILED, UNAVAILABLE, TOO_MANY = 200, 201, 409, 500, 503, 429
UNKNOWN = "outcome_unknown"

Said = bool | str
"""Of an order: whether it is new, or the reason why it was not taken."""


class ServerAway(Exception):
    """The server does not take orders any more; the message says why."""


class _Line(msgspec.Struct):
    """A line of a bulk answer; the last has no index."""

    index: int | None = None
    status: int = FAILED
    code: str = ""


_decode = msgspec.json.Decoder(_Line).decode


class OrderSender:
    """A sender of orders. An order may be sent again whatever became of it before: the ledger knows it."""

    def __init__(self, url: str, token: str) -> None:
        """`url` is where the server answers."""
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._headers = {"Content-Type": "application/x-ndjson", "Authorization": f"Bearer {token}"}
        self._pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="order-sender")
        self._of_thread = threading.local()
        self._connections: list[http.client.HTTPConnection] = []

    def send(self, orders: Sequence[OrderContent]) -> list[Said]:
        """For each order whether it is new, or the reason why it was not taken. Raises ServerAway."""
        part = -(-len(orders) // CONNECTIONS)
        parts = [orders[first : first + part] for first in range(0, len(orders), part)]
        return [said for of_part in self._pool.map(self._send, parts) for said in of_part]

    def _send(self, orders: Sequence[OrderContent]) -> list[Said]:
        """One bulk request, and another with what it left open, until nothing is."""
        items = [json.dumps(as_request(content), ensure_ascii=False).encode() for content in orders]
        said: dict[int, Said] = {}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while left := [place for place in range(len(items)) if place not in said]:
            wait, why = self._ask([items[place] for place in left], left, said)
            if len(said) == len(items):
                break
            if time.monotonic() + wait > deadline:
                raise ServerAway(f"The server at {self._host}:{self._port} takes no more orders: {why}.")
            time.sleep(wait)
        return [said[place] for place in range(len(items))]

    def _ask(self, items: list[bytes], places: list[int], said: dict[int, Said]) -> tuple[float, str]:
        """Note what is said of items by their places; how long to wait before the others are sent again, and why."""
        try:
            status, headers, answer = self._post(b"\n".join(items))
        except (OSError, http.client.HTTPException) as error:
            return 0.2, f"it does not answer ({error!r})"
        if status in {UNAVAILABLE, TOO_MANY}:
            return seconds_of(headers.get("Retry-After")), f"it answers {status}"
        if status != OK:
            raise ServerAway(f"The server refuses the import ({status}): {_message(answer)}")
        for text in answer.split(b"\n")[:-1]:
            line = _decode(text)
            outcome = _outcome(line)
            if line.index is not None and outcome is not None:
                said[places[line.index]] = outcome
        return 1.0, "it does not take them now"

    def _post(self, body: bytes) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection: http.client.HTTPConnection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_SECONDS)
            self._of_thread.connection = connection
            self._connections.append(connection)
        try:
            connection.request("POST", "/v1/orders/bulk", body, self._headers)
            response = connection.getresponse()
            try:
                return response.status, response.headers, response.read()
            except http.client.IncompleteRead as broken_off:
                connection.close()
                return response.status, response.headers, broken_off.partial.rpartition(b"\n")[0] + b"\n"
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close the connections; what was not sent is not sent any more."""
        self._pool.shutdown(cancel_futures=True)
        for connection in self._connections:
            connection.close()


def as_request(content: OrderContent) -> dict[str, Any]:
    """The body of `POST /v1/orders` that means this order, with its past, if it has one."""
    values = {
        "id": content.id,
        "reference": content.reference,
        "channel": content.channel,
        "email": content.email,
        "shipping_address": content.shipping_address,
        "shipping_service": content.shipping_service,
        "ship_by": _moment(content.ship_by),
        "deliver_by": _moment(content.deliver_by),
        "metadata": content.metadata,
    }
    lines = [
        {"sku": line.sku, "quantity": line.quantity, "title": line.title, "partner": line.partner}
        for line in content.lines
    ]
    past = {"past": _past(content)} if content.has_a_past else {}
    return {name: value for name, value in values.items() if value is not None} | {"line_items": lines} | past


def _past(content: OrderContent) -> dict[str, Any]:
    return {
        "cancelled": [line.cancelled for line in content.lines],
        "hold_reason": content.hold_reason,
        "cancelled_at": _moment(content.cancelled_at),
    }


def _moment(moment: Microseconds | None) -> str | None:
    if moment is None:
        return None
    return f"{show(moment).removesuffix('Z')}.{moment % MICROSECONDS_A_SECOND:06}Z"


def _outcome(line: _Line) -> Said | None:
    """What a line says of its order; None where the order is to be sent again."""
    if line.status in {OK, CREATED}:
        return line.status == CREATED
    if line.status in {UNAVAILABLE, TOO_MANY} or line.code == UNKNOWN:
        return None
    return ORDER_EXISTS if line.status == CONFLICT else NOT_RECORDED


def _message(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, KeyError, TypeError):
        return ""


def seconds_of(retry_after: str | None) -> float:
    """How long to wait, as the server says, within reason."""
    text = retry_after or ""
    return min(RETRY_SECONDS_MAX, float(text)) if text.isascii() and text.isdigit() else 1.0
