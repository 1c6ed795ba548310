"""All rows of a ledger, read beside its server without writing: the proof that a refused request left no trace."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apsw
import psycopg

from tests.serving import Database, Reply, Server

TITLES = {
    400: {"Invalid Request", "Invalid SKU or Quantity"},
    401: {"Unauthorized"},
    403: {"Forbidden"},
    404: {"Order Not Found", "Not Found"},
    405: {"Method Not Allowed"},
    409: {"Key Ended", "Rule Taken", "Order Exists", "Fulfillment Exists", "Order Cancelled", "Order On Hold"}
    | {"Fulfillment Cancelled"},
    413: {"Request Entity Too Large", "Content Too Large"},
    415: {"Unsupported Media Type"},
    429: {"Too Many Requests"},
    422: {"Idempotency-Key Reused"},
}
WITH_DETAILS = {400, 409, 422}
MARK = "zq9raw"
"""Put into the input of a bad request; no answer may hold it."""

BESIDE_THE_LEDGER = {"commit_batches", "event_positions", "unnumbered_events", "partner_events"}
"""On PostgreSQL: a replay is a commit as well, and events get their place in the feed a moment later."""

COLUMNS = {
    "keys": "id, public_part, digest, name, role, partner, scopes, rate_limit, created_at, expires_at, revoked_at,"
    " replaced_by"
}
"""Of a table that not all is told of: when a key was last used is written by the way."""

Dump = dict[str, list[tuple[Any, ...]]]


def dump(database: Database) -> Dump:
    """Every row of every table, in order."""
    return _dump_of_postgres(database) if isinstance(database, str) else _dump_of_file(database)


def _dump_of_file(database: Path) -> Dump:
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        connection.execute("BEGIN")  # one moment for all tables
        return {
            table: sorted(connection.execute(f"SELECT {COLUMNS.get(table, '*')} FROM {table}"), key=repr)
            for table in tables
        }
    finally:
        connection.close()


def _dump_of_postgres(url: str) -> Dump:
    with psycopg.connect(url, options="-c default_transaction_isolation=repeatable\\ read") as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        tables = [table for (table,) in rows if table not in BESIDE_THE_LEDGER]
        return {
            table: sorted(
                connection.execute(f"SELECT {COLUMNS.get(table, '*')} FROM {table}".encode()).fetchall(), key=repr
            )
            for table in tables
        }


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
