"""All rows of a ledger, read beside its server without writing: the proof that a refused request left no trace."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apsw

from tests.serving import Reply, Server

TITLES = {
    400: {"Invalid Request", "Invalid SKU or Quantity"},
    403: {"Forbidden"},
    404: {"Order Not Found", "Not Found"},
    405: {"Method Not Allowed"},
    409: {"Order Exists", "Fulfillment Exists", "Order Cancelled", "Order On Hold"},
    413: {"Request Entity Too Large", "Content Too Large"},
    415: {"Unsupported Media Type"},
    422: {"Idempotency-Key Reused"},
}
WITH_DETAILS = {400, 409, 422}
MARK = "zq9raw"
"""Put into the input of a bad request; no answer may hold it."""

Dump = dict[str, list[tuple[Any, ...]]]


def dump(database: Path) -> Dump:
    """Every row of every table, in order."""
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        connection.execute("BEGIN")  # one moment for all tables
        return {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}
    finally:
        connection.close()


def refuse(
    server: Server,
    status: int,
    method: str,
    path: str,
    body: bytes | str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Send a request and prove that it is refused as it should be: with this status, in shape, without a trace."""
    before = dump(server.database)
    reply = server.send(method, path, body, headers)
    assert dump(server.database) == before, f"a {reply.status} wrote something"
    assert reply.status == status, reply
    if method != "HEAD":
        assert_refusal_in_shape(reply)
    return reply


def assert_refusal_in_shape(reply: Reply) -> None:
    """Titles and keys as the contract has them, a request id, and nothing of the request."""
    assert reply.headers["x-request-id"]
    assert reply.headers["content-type"] == "application/json"
    error = reply.json()
    assert error["error"] in TITLES[reply.status]
    assert error["message"].endswith((".", "?")), "a message is a sentence"
    if reply.status in WITH_DETAILS:
        assert list(error) == ["error", "message", "details"]
        assert error["details"], "a refusal with details names at least one fault"
        for detail in error["details"]:
            assert list(detail)[:3] == ["code", "at", "message"]
            assert detail["message"].endswith((".", "?")), "a message is a sentence"
    else:
        assert list(error) == ["error", "message"]
    assert MARK not in reply.body.decode()
    assert "Traceback" not in reply.body.decode()


def codes(reply: Reply) -> list[tuple[str, str]]:
    """The faults that an answer names: code and place."""
    return [(detail["code"], detail["at"]) for detail in reply.json()["details"]]
