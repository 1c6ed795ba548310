"""Sends orders to a serving ledger, on several connections that are kept, until each has its answer."""

import http.client
import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from shipledger.importing.reading import NOT_RECORDED, ORDER_EXISTS
from shipledger.order import OrderContent
from shipledger.timestamp import MICROSECONDS_A_SECOND, Microseconds, show

CONNECTIONS = 32
TIMEOUT_SECONDS = 60
PATIENCE_SECONDS = 60
"""How long the server may be away or overloaded before the import gives up; it can be run again."""
RETRY_SECONDS_MAX = 5.0

OK, CREATED, CONFLICT, UNAVAILABLE, TOO_MANY = 200, 201, 409, 503, 429
_REFUSED_ALL = (401, 403, 404, 405)


class ServerAway(Exception):
    """The server does not take orders any more; the message says why."""


class OrderSender:
    """A sender of orders. An order may be sent again whatever became of it before: the ledger knows it."""

    def __init__(self, url: str, token: str) -> None:
        """`url` is where the server answers."""
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        self._pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="order-sender")
        self._of_thread = threading.local()
        self._connections: list[http.client.HTTPConnection] = []

    def send(self, orders: Sequence[OrderContent]) -> list[bool | str]:
        """For each order whether it is new, or the reason why it was not taken. Raises ServerAway."""
        return list(self._pool.map(self._send, orders))

    def _send(self, content: OrderContent) -> bool | str:
        body = json.dumps(as_request(content), ensure_ascii=False).encode()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                status, headers, answer = self._post(body)
            except (OSError, http.client.HTTPException) as error:
                wait, why = 0.2, f"it does not answer ({error!r})"
            else:
                if status not in {UNAVAILABLE, TOO_MANY}:
                    return _outcome(status, answer)
                wait, why = seconds_of(headers.get("Retry-After")), f"it answers {status}"
            if time.monotonic() + wait > deadline:
                raise ServerAway(f"The server at {self._host}:{self._port} takes no more orders: {why}.")
            time.sleep(wait)

    def _post(self, body: bytes) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection: http.client.HTTPConnection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_SECONDS)
            self._of_thread.connection = connection
            self._connections.append(connection)
        try:
            connection.request("POST", "/v1/orders", body, self._headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close the connections; what was not sent is not sent any more."""
        self._pool.shutdown(cancel_futures=True)
        for connection in self._connections:
            connection.close()


def as_request(content: OrderContent) -> dict[str, Any]:
    """The body of `POST /v1/orders` that means this order."""
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
    return {name: value for name, value in values.items() if value is not None} | {"line_items": lines}


def _moment(moment: Microseconds | None) -> str | None:
    if moment is None:
        return None
    return f"{show(moment).removesuffix('Z')}.{moment % MICROSECONDS_A_SECOND:06}Z"


def _outcome(status: int, answer: bytes) -> bool | str:
    if status in {OK, CREATED}:
        return status == CREATED
    if status == CONFLICT:
        return ORDER_EXISTS
    try:
        said = json.loads(answer)["message"]
    except (ValueError, KeyError, TypeError):
        said = ""
    if status in _REFUSED_ALL:
        raise ServerAway(f"The server refuses the import ({status}): {said}")
    return NOT_RECORDED


def seconds_of(retry_after: str | None) -> float:
    """How long to wait, as the server says, within reason."""
    text = retry_after or ""
    return min(RETRY_SECONDS_MAX, float(text)) if text.isascii() and text.isdigit() else 1.0
