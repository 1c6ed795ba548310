"""A receiver's first hour: the listener tells what is ours, and the snippets of the documents verify real messages."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shipledger.outbox.signature import shown_secret, signature_fault, signature_headers
from tests.outbox.webhook_server import SETTINGS, create_orders, register
from tests.serving import REPOSITORY, running, send

KEY = b"0123456789abcdef0123456789abcdef"
BODY = '{"id":42,"type":"order.created","data":{"sku":"☃"}}'.encode()
DOCUMENT = (REPOSITORY / "docs" / "webhooks.md").read_text(encoding="utf-8")
ALTERATIONS: dict[str, dict[str, Any]] = {
    "as it was sent": {},
    "another body": {"body": BODY + b" "},
    "another id": {"webhook-id": "43"},
    "another moment": {"webhook-timestamp": str(int(time.time()) - 1)},
    "an old one": {"age": 600},
    "another secret": {"secret": shown_secret(b"x" * 32)},
    "no version": {"webhook-signature": "v2,AAAA"},
}


@contextmanager
def listening(secret: str, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-m", "shipledger", "webhooks", "listen", "--port", "0", "--secret", secret, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", process.stderr.readline())
        assert found
        try:
            yield process, int(found[1])
        finally:
            process.kill()


def message(case: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    """A secret, headers and a body, of which the case alters something."""
    now = int(time.time()) - case.get("age", 0)
    headers = signature_headers("42", now, BODY, [b"y" * 32, KEY])
    headers |= {name: value for name, value in case.items() if name.startswith("webhook-")}
    return case.get("secret", shown_secret(KEY)), headers, case.get("body", BODY)


def snippet(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found
    return found[1]


def test_the_listener_prints_what_a_server_sends_verified(tmp_path: Path) -> None:
    with running(tmp_path / "ledger.db", **SETTINGS) as server:
        with listening("whsec_" + "A" * 43 + "=") as (_, port):
            unused = port
        endpoint = register(server, f"http://127.0.0.1:{unused}/")
        server.send("PATCH", f"/v1/webhooks/{endpoint['id']}", '{"enabled": false}')
        with listening(endpoint["secret"], "--json", "--count", "2") as (process, port):
            changes = {"url": f"http://127.0.0.1:{port}/", "enabled": True}
            assert server.send("PATCH", f"/v1/webhooks/{endpoint['id']}", json.dumps(changes)).status == 200
            ids = create_orders(server, 2)
            assert process.stdout is not None
            heard = [json.loads(line) for line in process.stdout]
            assert process.wait(10) == 0
    assert [one["verified"] for one in heard] == [True, True]
    assert sorted(one["event"]["order_id"] for one in heard) == ids


def test_the_listener_says_what_is_not_ours() -> None:
    with listening(shown_secret(KEY), "--count", "1") as (process, port):
        assert send(port, "POST", "/", b'{"evil": "\x1b[2J"}', {"webhook-id": "1"}).status == 401
        output, _ = process.communicate(timeout=10)
    assert process.returncode == 1
    assert output.startswith("NOT VERIFIED")
    assert "\x1b" not in output, "nothing that arrives reaches the terminal as it is"


@pytest.mark.parametrize("case", ALTERATIONS)
def test_our_own_verification_takes_what_is_ours_and_nothing_else(case: str) -> None:
    secret, headers, body = message(ALTERATIONS[case])
    assert (signature_fault(secret, headers, body, time.time()) is None) is (case == "as it was sent")


@pytest.mark.parametrize("case", ALTERATIONS)
def test_the_python_of_the_documents_verifies(case: str) -> None:
    found: dict[str, Any] = {}
    exec(snippet("python"), found)
    assert found["verify"](*message(ALTERATIONS[case])) is (case == "as it was sent")


def test_the_javascript_of_the_documents_verifies() -> None:
    cases = [message(case) for case in ALTERATIONS.values()]
    given = json.dumps([[secret, headers, body.decode()] for secret, headers, body in cases])
    program = f"""{snippet("javascript")}
        for (const [secret, headers, body] of {given}) console.log(verify(secret, headers, Buffer.from(body)));
    """
    result = subprocess.run(["node", "-e", program], check=True, capture_output=True, text=True)
    assert result.stdout.split() == ["true" if name == "as it was sent" else "false" for name in ALTERATIONS]


def test_every_promised_language_has_its_snippet() -> None:
    for language in ("python", "javascript", "php", "go"):
        assert "webhook-timestamp" in snippet(language)
