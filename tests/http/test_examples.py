"""The examples of the documents, sent to a real server over the demonstration's orders: they get the answers shown."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shipledger.boot.demonstration import record_sample_orders
from shipledger.http import schemas
from shipledger.http.documentation.openapi_examples import ANSWERS, REQUESTS


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    database = tmp_path / "ledger.db"
    record_sample_orders(database)
    flags = ["--database", f"sqlite:///{database}", "--port", "0"]
    command = [sys.executable, "-m", "shipledger", "serve", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "http://" in line)
        yield "http://" + line.partition("http://")[2].split()[0].rstrip("/.,")
        process.terminate()


def send(url: str, body: Any) -> tuple[int, Any]:
    request = urllib.request.Request(url, msgspec.json.encode(body), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, msgspec.json.decode(answer.read())


def without_moments(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_moments(part) for name, part in value.items() if name != "created_at"}
    return [without_moments(part) for part in value] if isinstance(value, list) else value


def test_requests_get_the_answers_that_are_shown(server: str) -> None:
    one, everything, several = (
        send(f"{server}/v1/fulfillments", example["value"]) for example in REQUESTS[schemas.CreateFulfillment].values()
    )
    assert (one[0], without_moments(one[1])) == (200, without_moments(ANSWERS[schemas.Fulfillment]))
    assert everything[0] == 200
    assert (several[0], without_moments(several[1])) == (200, without_moments(ANSWERS[schemas.Parcel]))
    (order,) = (send(f"{server}/v1/orders", example["value"]) for example in REQUESTS[schemas.CreateOrder].values())
    assert (order[0], without_moments(order[1])) == (201, without_moments(ANSWERS[schemas.Order]))
