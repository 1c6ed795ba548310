"""A ledger without keys answers this machine alone: no foreign host, page or proxy gets in, and none writes."""

import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.http.ledger_dump import MARK, dump, refuse
from tests.http.orders_to_ship import JSON, parcel, record_order, text
from tests.serving import Server

ORDER_ID = 7005
GOOD = text(parcel(ORDER_ID, ("MUG", 1)))


@pytest.fixture(scope="module", autouse=True)
def order(server: Server) -> None:
    record_order(server, ("MUG", 1_000), id=ORDER_ID)


FOREIGN: list[Mapping[str, str]] = [
    {"Host": "shop.example"},
    {"Host": f"{MARK}.example"},
    {"Host": "localhost.example"},
    {"Host": "localhost."},
    {"Host": "127.0.0.1.nip.io"},
    {"Host": "127.0.0.2"},
    {"Host": "0.0.0.0"},
    {"Host": "[::2]"},
    {"Host": "::1"},
    {"Host": "localhost:80:80"},
    {"Host": "localhost:port"},
    {"Host": "user@localhost"},
    {"Host": "localhost/"},
    {"Host": ""},
    {"Forwarded": "for=192.0.2.1"},
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-Host": "localhost"},
    {"X-Forwarded-Proto": MARK},
    {"x-forwarded-anything": ""},
    {"Origin": "https://shop.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost:1"},
    {"Origin": "http://localhost"},
    {"Origin": f"https://{MARK}.example"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/fulfillments"), ("POST", "/v1/orders"), ("GET", "/v1/orders"), ("GET", "/none")]
)
def test_a_request_from_elsewhere_gets_403(server: Server, method: str, path: str, headers: Mapping[str, str]) -> None:
    error = refuse(server, 403, method, path, GOOD if method == "POST" else None, {**JSON, **headers}).json()
    assert error["error"] == "Forbidden"
    assert "Without keys" in error["message"]


def test_two_hosts_get_no_answer_but_a_refusal(server: Server) -> None:
    before = dump(server.database)
    for hosts in (b"", b"Host: localhost\r\nHost: localhost\r\n", b"Host: localhost\r\nHost: shop.example\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            head = b"POST /v1/fulfillments HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n" % len(GOOD)
            client.sendall(head + hosts + b"\r\n" + GOOD.encode())
            received = client.recv(65_536)
        assert received.split(b" ")[1] in {b"400", b"403"}, hosts
    assert dump(server.database) == before


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "localhost:8000", "127.0.0.1:1", "[::1]:9"]
)
def test_a_request_of_this_machine_is_let_in(server: Server, host: str) -> None:
    """The control: by whatever name, and from a page of the server's own."""
    assert server.send("GET", "/v1/orders", headers={"Host": host}).status == 200
    assert server.send("POST", "/v1/fulfillments", GOOD, {"Host": host, "Origin": f"http://{host}"}).status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "shop.example"])
def test_a_server_without_keys_refuses_to_start_on_another_address(tmp_path: Path, host: str) -> None:
    command = [sys.executable, "-m", "shipledger", "serve", "--host", host, "--port", "0"]
    command += ["--database", f"sqlite:///{tmp_path / 'ledger.db'}"]
    result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert result.returncode == 1
    assert host in result.stderr
    assert "SHIPLEDGER_HOST=127.0.0.1" in result.stderr
    assert not (tmp_path / "ledger.db").exists(), "refused before anything is made"
