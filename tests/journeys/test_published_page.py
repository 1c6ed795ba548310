"""The published page, sent as it is printed: byte for byte, by http.client and by the real curl."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import Engine, Server

pytestmark = pytest.mark.on_both_databases

EXAMPLE = b"""{
    "order_id": 450789469,
    "line_items": [
      {
        "sku": "RPBF24-1941",
        "quantity": 1,
      }
    ],
    "tracking_number": "1ZE356F8YW01937117"
}"""
BAD_REQUEST = {
    "error": "Invalid SKU or Quantity",
    "message": "One or more line items have an invalid SKU or quantity specified.",
}
NOT_FOUND = b'{"error":"Order Not Found","message":"The order with the specified ID was not found."}'
PUBLISHED_KEYS = ["order_id", "status", "tracking_number", "created_at"]


@pytest.fixture
def server(engine: Engine) -> Iterator[Server]:
    with engine.running() as started:
        order = {"id": 450789469, "line_items": [{"sku": "RPBF24-1941", "quantity": 1}]}
        assert started.post("/v1/orders", order).status == 201
        yield started


def test_the_example_here_is_the_published_one(shared_data: Path) -> None:
    page = shared_data.parent / "contract" / "create-fulfillment.md"
    assert EXAMPLE in page.read_bytes()


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", None])
def test_the_published_request_works_as_printed(server: Server, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    first = server.send("POST", "/v1/fulfillments", EXAMPLE, headers)
    assert first.status == 200
    body = first.json()
    assert list(body)[:4] == PUBLISHED_KEYS
    assert (body["order_id"], body["status"], body["tracking_number"]) == (450789469, "created", "1ZE356F8YW01937117")

    again = server.send("POST", "/v1/fulfillments", EXAMPLE, headers)
    assert again.status == 400
    error = again.json()
    assert list(error) == ["error", "message", "details"]
    assert {"error": error["error"], "message": error["message"]} == BAD_REQUEST

    unknown = server.send("POST", "/v1/fulfillments", EXAMPLE.replace(b"450789469", b"450789470"), headers)
    assert (unknown.status, unknown.body) == (404, NOT_FOUND)


def test_the_published_envelope_works(server: Server) -> None:
    reply = server.post(
        "/v1/fulfillments",
        {
            "line_items_by_fulfillment_order": [
                {"order_id": 450789469, "line_items": [{"sku": "RPBF24-1941", "quantity": 1}]}
            ],
            "tracking_number": "1ZE356F8YW01937117",
        },
    )
    assert reply.status == 200
    assert list(reply.json())[:4] == PUBLISHED_KEYS


def test_curl_with_d_and_no_header_works(server: Server) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is missing")

    def ask(body: bytes) -> tuple[bytes, bytes]:
        command = [curl, "-sS", "-o", "-", "-w", "\n%{http_code}", f"{server.url}/v1/fulfillments", "-d", body.decode()]
        answer, _, status = subprocess.run(command, check=True, capture_output=True).stdout.rpartition(b"\n")
        return status, answer

    assert ask(EXAMPLE)[0] == b"200"
    assert ask(EXAMPLE)[0] == b"400"
    assert ask(EXAMPLE.replace(b"450789469", b"1")) == (b"404", NOT_FOUND)
