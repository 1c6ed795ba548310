"""What tests of webhooks ask of a real server."""

import time
from collections.abc import Callable
from typing import Any

from tests.serving import Server

SETTINGS = {"SHIPLEDGER_WEBHOOK_NETWORKS": "127.0.0.0/8", "SHIPLEDGER_WEBHOOK_KEY": "k" * 32}
WAIT_SECONDS_MAX = 20


def register(server: Server, url: str, **rest: Any) -> dict[str, Any]:
    answer = server.post("/v1/webhooks", {"url": url, **rest})
    assert answer.status == 201, answer.body
    found: dict[str, Any] = answer.json()
    return found


def create_orders(server: Server, count: int, name: str = "order") -> list[int]:
    """Each is one event."""
    ids = []
    for number in range(count):
        order = {"reference": f"{name}-{number}", "line_items": [{"sku": "A", "quantity": 9}]}
        answer = server.post("/v1/orders", order)
        assert answer.status == 201, answer.body
        ids.append(answer.json()["id"])
    return ids


def wait_for(condition: Callable[[], object], seconds_max: float = WAIT_SECONDS_MAX) -> None:
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)
