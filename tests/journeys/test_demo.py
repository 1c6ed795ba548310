"""`shipledger demo`, and each curl line that it prints, pasted into a shell."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Reply, send

END = "Stop with Ctrl-C."
PUBLISHED = {
    "order_id": 450789469,
    "line_items": [{"sku": "RPBF24-1941", "quantity": 1}],
    "tracking_number": "1ZE356F8YW01937117",
}


@dataclass
class Demonstration:
    port: int
    process: "subprocess.Popen[str]"
    printed: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: str | None = None) -> Reply:
        return send(self.port, method, path, body)


@contextmanager
def demonstration(*arguments: str) -> Iterator[Demonstration]:
    """A demonstration on a free port, stopped by Ctrl-C as a user does."""
    command = [sys.executable, "-m", "shipledger", "demo", "--port", str(free_port()), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    watchdog = threading.Timer(30, process.kill)
    watchdog.start()
    try:
        demo = Demonstration(int(command[5]), process)
        assert process.stdout is not None
        for line in process.stdout:
            demo.printed.append(line)
            if END in line:
                break
        assert demo.printed, "it ended before it was ready"
        assert END in demo.printed[-1], "".join(demo.printed)
        yield demo
    finally:
        watchdog.cancel()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=15)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def curl_commands(printed: list[str]) -> list[str]:
    """Each curl command as it would be copied: from `curl` to where its quotes are closed."""
    commands: list[str] = []
    for line in printed:
        if line.startswith("  curl "):
            commands.append(line)
        elif commands and commands[-1].count("'") % 2:
            commands[-1] += line
    return commands


def paste(command: str) -> tuple[int, dict[str, str], str]:
    """Run a command as a shell does; returns the status, the headers and the body of what curl shows with -i."""
    answer = subprocess.run(
        ["sh", "-c", command.replace("curl ", "curl -sS ", 1)], check=True, capture_output=True, text=True, timeout=20
    ).stdout
    if not answer.startswith("HTTP/"):
        return 200, {}, answer
    head, _, body = answer.partition("\n\n")
    status, *headers = head.splitlines()
    return int(status.split()[1]), dict(line.lower().split(": ", 1) for line in headers), body


@pytest.fixture(scope="module")
def demo() -> Iterator[Demonstration]:
    with demonstration() as started:
        yield started


def test_it_says_where_it_serves(demo: Demonstration) -> None:
    text = "".join(demo.printed)
    assert f"http://127.0.0.1:{demo.port}/docs" in text
    assert demo.ask("GET", "/docs").status == 200


def test_every_curl_line_does_what_it_says(demo: Demonstration) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is missing: the lines that the demonstration prints cannot be pasted")
    commands = curl_commands(demo.printed)
    answers = [paste(command) for command in commands]
    assert [status for status, _, _ in answers] == [200, 200, 200, 200, 200, 400, 404, 200], commands
    bodies: list[Any] = [json.loads(body) for _, _, body in answers]
    published, by_reference, integer_sku, dry_run, parcel, bad, missing, open_orders = bodies
    assert list(published)[:4] == ["order_id", "status", "tracking_number", "created_at"]
    assert published["order_id"] == 450789469
    assert by_reference["order_id"] == 1001
    assert integer_sku["line_items"] == [{"sku": "730143", "quantity": 1}]
    assert (dry_run["status"], dry_run["id"]) == ("dry_run", None)
    assert [each["order_id"] for each in parcel["fulfillments"]] == [1003, 1004]
    assert bad["error"] == "Invalid SKU or Quantity"
    assert missing == {"error": "Order Not Found", "message": "The order with the specified ID was not found."}
    assert open_orders["orders"] == [], "by now each sample order is shipped, or begun"


def test_once_more_is_what_it_says_too(demo: Demonstration) -> None:
    """Run after the lines above: the published request gets 400, the one with a key its first answer."""
    if shutil.which("curl") is None:
        pytest.skip("curl is missing: the lines that the demonstration prints cannot be pasted")
    assert "Once more: 400" in "".join(demo.printed)
    published, with_key, *_ = curl_commands(demo.printed)
    paste(published)
    status, _, body = paste(published)
    assert (status, json.loads(body)["message"]) == (
        400,
        "One or more line items have an invalid SKU or quantity specified.",
    )
    first, again = paste(with_key), paste(with_key)
    assert (again[0], again[2], again[1]["idempotent-replayed"]) == (200, first[2], "true")


def test_the_demonstration_has_orders_for_all_that_it_prints(demo: Demonstration) -> None:
    listed = demo.ask("GET", "/v1/orders").json()["orders"]
    assert {order["id"] for order in listed} >= {450789469, 1001, 1002, 1003, 1004}


def test_each_start_has_a_new_ledger() -> None:
    for _ in range(2):
        with demonstration() as started:
            assert started.ask("POST", "/v1/fulfillments", json.dumps(PUBLISHED)).status == 200


def test_keep_goes_on_with_the_ledger_of_last_time(tmp_path: Path) -> None:
    kept = tmp_path / "kept.db"
    statuses = []
    for _ in range(2):
        with demonstration("--keep", str(kept)) as started:
            statuses.append(started.ask("POST", "/v1/fulfillments", json.dumps(PUBLISHED)).status)
    assert statuses == [200, 400]
    assert kept.exists()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_leaves_nothing_behind(ending: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with demonstration() as started:
        assert list(tmp_path.iterdir()), "its ledger lies in a temporary folder"
        started.process.send_signal(ending)
        started.process.wait(15)
    assert list(tmp_path.iterdir()) == []
    assert started.process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 0}[ending]
