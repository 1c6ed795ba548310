"""API keys over HTTP: who comes in by which header, how a key begins and ends, and that its secret is shown once."""

import re
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import apsw
import pytest

from shipledger.http.gate import Gate
from shipledger.key import PUBLIC_BYTES, SECRET_BYTES, Key, Role, Scope, mint
from shipledger.storage.ledger_lock import serving_process
from tests.http.key_holders import UNKNOWN, Holder, close_server
from tests.http.ledger_dump import MARK, codes, dump, refuse
from tests.http.orders_to_ship import unique
from tests.postgres_server import Databases, execute
from tests.serving import Engine, Reply, Server, running

pytestmark = pytest.mark.on_both_databases

SECONDS_MAX = 1.0
"""Within which every node knows of a change."""


@pytest.fixture(scope="module")
def operator(server: Server) -> Holder:
    return close_server(server)


def unauthorized(server: Server, headers: Mapping[str, str]) -> bytes:
    reply = refuse(server, 401, "GET", "/v1/orders", headers=headers)
    assert reply.headers["www-authenticate"] == 'Bearer realm="shipledger"'
    return reply.body


def test_the_first_key_is_an_operator_s_and_closes_the_server_for_good(engine: Engine) -> None:
    with engine.running() as server:
        assert server.get("/v1/orders").status == 200
        refused = refuse(server, 400, "POST", "/v1/keys", '{"name": "x", "role": "partner", "partner": "acme"}')
        assert codes(refused) == [("first_key_not_operators", "role")]
        assert server.get("/v1/orders").status == 200
        operator = close_server(server)
        assert server.get("/v1/orders").status == 401
        assert operator.delete(f"/v1/keys/{operator.id}").status == 200
        assert operator.get("/v1/orders").status == 401
        assert server.get("/v1/orders").status == 401, "without any valid key it stays closed"
        assert server.get("/healthz").status == 200
        server.stop()
    with engine.running(server.database) as again:
        assert again.get("/v1/orders").status == 401


def spellings(key: str) -> list[dict[str, str]]:
    return [
        {"Authorization": f"Bearer {key}"},
        {"authorization": f"bearer {key}"},
        {"AUTHORIZATION": f"BEARER   {key} "},
        {"X-Access-Token": key},
        {"x-access-token": f" {key}"},
        {"Authorization": f"Bearer {key}", "X-Access-Token": key},
    ]


@pytest.mark.parametrize("spelling", range(6))
def test_a_key_comes_in_by_either_header(server: Server, operator: Holder, spelling: int) -> None:
    assert server.send("GET", "/v1/orders", headers=spellings(operator.key)[spelling]).status == 200


def mangled(key: str) -> list[str]:
    flipped = "1" if key[-1] == "0" else "0"
    return [
        "",
        UNKNOWN,
        key[:-1],
        key[:-1] + flipped,
        key + "0",
        key.swapcase(),
        key.replace("_", "-"),
        key.replace("sl_", "SL_"),
        key[:14] + UNKNOWN[14:],
        UNKNOWN[:14] + key[14:],
        key[3:],
        "sl_",
        "sl__",
        "x" * 10_000,
        "кл".encode().decode("latin-1"),
        "\xff\xfe",
        f"{MARK}' OR 1=1 --",
        "null",
    ]


@pytest.mark.parametrize("number", range(18))
def test_what_is_no_valid_key_gets_the_same_401(server: Server, operator: Holder, number: int) -> None:
    text = mangled(operator.key)[number]
    told = unauthorized(server, {})
    for headers in ({"Authorization": f"Bearer {text}"}, {"X-Access-Token": text}, {"Authorization": text}):
        assert unauthorized(server, headers) == told


@pytest.mark.parametrize("scheme", ["Basic", "Token", "Bearer,", "Bearer:", "Bear"])
def test_another_scheme_brings_no_key(server: Server, operator: Holder, scheme: str) -> None:
    unauthorized(server, {"Authorization": f"{scheme} {operator.key}"})


def test_both_headers_must_bring_the_same_key(server: Server, operator: Holder) -> None:
    other = operator.make("another")
    headers = {**operator.headers, "X-Access-Token": other.key}
    assert codes(refuse(server, 400, "GET", "/v1/orders", headers=headers)) == [("two_keys", "X-Access-Token")]


@pytest.mark.parametrize("name", ["Authorization: Bearer ", "X-Access-Token: "])
def test_a_header_that_is_sent_twice_is_refused(server: Server, operator: Holder, name: str) -> None:
    line = f"{name}{operator.key}\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(f"GET /v1/orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{line}{line}\r\n".encode())
        received = b"".join(iter(lambda: client.recv(65_536), b""))
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b'"given_twice"' in received


def test_once_there_are_keys_a_proxy_may_pass_requests_on(server: Server, operator: Holder) -> None:
    headers = {
        **operator.headers,
        "Host": "ledger.example",
        "X-Forwarded-For": "192.0.2.1",
        "Origin": "https://a.example",
    }
    assert server.send("GET", "/v1/orders", headers=headers).status == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/docs", "/openapi.json"])
def test_what_is_public_needs_no_key(server: Server, operator: Holder, path: str) -> None:
    assert operator.key
    for headers in ({}, {"Authorization": "Bearer x"}, {"Host": "ledger.example"}):
        assert server.send("GET", path, headers=headers).status == 200


def test_an_unknown_path_and_method_are_told_to_those_who_may_come_in(server: Server, operator: Holder) -> None:
    for method, path in (
        ("GET", "/none"),
        ("GET", "/v1/orders/1/none"),
        ("PUT", "/v1/orders"),
        ("OPTIONS", "/v1/keys"),
    ):
        refuse(server, 401, method, path)
        refuse(server, 404 if "none" in path else 405, method, path, headers=operator.headers)


@pytest.mark.parametrize(
    ("asked", "faults"),
    [
        ({}, [("required", "name"), ("required", "role")]),
        ({"name": "", "role": None}, [("required", "name"), ("required", "role")]),
        ({"name": "x" * 101, "role": "operator"}, [("too_long", "name")]),
        ({"name": "a\nb", "role": "operator"}, [("hidden_characters", "name")]),
        ({"name": "x", "role": "admin"}, [("not_a_role", "role")]),
        ({"name": "x", "role": ["operator"]}, [("not_a_role", "role")]),
        ({"name": "x", "role": "partner"}, [("required", "partner")]),
        ({"name": "x", "role": "partner", "partner": "Acme!"}, [("not_a_partner", "partner")]),
        ({"name": "x", "role": "operator", "partner": "acme"}, [("not_for_operators", "partner")]),
        ({"name": "x", "role": "operator", "scopes": []}, [("not_scopes", "scopes")]),
        ({"name": "x", "role": "operator", "scopes": "keys"}, [("not_scopes", "scopes")]),
        ({"name": "x", "role": "operator", "scopes": ["keys", "all"]}, [("not_a_scope", "scopes[1]")]),
        ({"name": "x", "role": "operator", "scopes": [["keys"]]}, [("not_a_scope", "scopes[0]")]),
        ({"name": "x", "role": "partner", "partner": "a", "scopes": ["keys"]}, [("scope_not_allowed", "scopes")]),
        (
            {"name": "x", "role": "partner", "partner": "a", "scopes": ["orders:write"]},
            [("scope_not_allowed", "scopes")],
        ),
        ({"name": "x", "role": "operator", "expires_at": "2020-01-01"}, [("in_the_past", "expires_at")]),
        ({"name": "x", "role": "operator", "expires_at": "soon"}, [("not_a_moment", "expires_at")]),
        ({"name": "x", "role": "operator", "rate_limit": 0}, [("rate_limit_invalid", "rate_limit")]),
        ({"name": "x", "role": "operator", "rate_limit": 10**7}, [("rate_limit_invalid", "rate_limit")]),
        ({"name": "x", "role": "operator", "rate_limit": "9"}, [("rate_limit_invalid", "rate_limit")]),
        ({"name": "x", "role": "operator", "scope": "keys"}, [("unknown_field", "scope")]),
        ({"name": "x", "role": "operator", "expires": "2030-01-01"}, [("unknown_field", "expires")]),
    ],
)
def test_what_a_key_may_not_be(
    server: Server, operator: Holder, asked: dict[str, object], faults: list[tuple[str, str]]
) -> None:
    before = dump(server.database)
    reply = operator.post("/v1/keys", asked)
    assert (reply.status, codes(reply)) == (400, faults)
    assert dump(server.database) == before


def test_a_key_is_shown_once_and_then_without_its_secret(server: Server, operator: Holder) -> None:
    reply = operator.post(
        "/v1/keys", {"name": "shown", "role": "operator", "rate_limit": 50, "expires_at": "2099-01-31"}
    )
    made = reply.json()
    secret = made.pop("secret")
    assert re.fullmatch(r"sl_[0-9A-Za-z]{11}_[0-9A-Za-z]{43}", secret)
    assert secret.startswith(made["starts_with"])
    assert made["expires_at"] == "2099-01-31T23:59:59Z"
    assert reply.headers["location"] == f"/v1/keys/{made['id']}"
    read = operator.get(reply.headers["location"]).json()
    assert read == made
    assert operator.get("/v1/keys?limit=1").json()["keys"] == [made]
    assert secret.rpartition("_")[2] not in repr(dump(server.database))


def test_a_repeated_request_makes_no_second_key_and_shows_no_secret(operator: Holder) -> None:
    asked, key = {"name": unique("again"), "role": "operator"}, unique("key")
    first = operator.post("/v1/keys", asked, Idempotency_Key=key)
    again = operator.post("/v1/keys", asked, Idempotency_Key=key)
    assert (first.status, again.status) == (201, 201)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["secret"] is None
    assert [warning["code"] for warning in again.json()["warnings"]] == ["secret_not_shown"]


def test_keys_are_listed_by_role_and_partner(operator: Holder) -> None:
    name = unique("listed")
    made = [operator.partner(name).id for _ in range(3)]
    page = operator.get(f"/v1/keys?partner={name}&limit=2").json()
    assert [key["id"] for key in page["keys"]] == made[:0:-1]
    rest = operator.get(f"/v1/keys?cursor={page['next_cursor']}").json()
    assert ([key["id"] for key in rest["keys"]], rest["next_cursor"]) == (made[:1], None)
    assert operator.get(f"/v1/keys?partner={name}&role=operator").json()["keys"] == []


def test_a_revoked_key_is_out_when_that_is_answered(server: Server, operator: Holder) -> None:
    """On PostgreSQL there are two workers: a dozen connections reach both."""
    other = operator.make("to be revoked")
    assert {other.get("/v1/orders").status for _ in range(12)} == {200}
    first = operator.delete(f"/v1/keys/{other.id}")
    assert {other.get("/v1/orders").status for _ in range(12)} == {401}
    assert first.json()["revoked_at"] is not None
    assert operator.delete(f"/v1/keys/{other.id}").body == first.body
    assert other.get("/v1/orders").body == server.get("/v1/orders").body


def within(seconds: float, is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_what_another_node_does_is_known_within_a_second(databases: Databases, tmp_path: Path) -> None:
    with (
        databases.dropped_at_the_end(databases.create_empty) as create,
        running(database := create(), log=tmp_path / "1.log") as one,
        running(database, log=tmp_path / "2.log") as two,
    ):
        operator = close_server(one)
        there = Holder(two, operator.key, operator.id)
        assert within(SECONDS_MAX, lambda: all(there.get("/v1/orders").status == 200 for _ in range(6)))
        other = operator.make("of one node")
        elsewhere = Holder(two, other.key, other.id)
        assert elsewhere.get("/v1/orders").status == 200, "it is answered when every node knows"
        operator.delete(f"/v1/keys/{other.id}")
        assert {elsewhere.get("/v1/orders").status for _ in range(6)} == {401}
        last = operator.make("by hand")
        execute(database, f"UPDATE keys SET revoked_at = 1 WHERE id = {last.id}")
        assert within(SECONDS_MAX, lambda: all(last.get("/v1/orders").status == 401 for _ in range(6)))


def test_a_key_ends_when_it_expires(server: Server, operator: Holder) -> None:
    soon = time.time() + 2.5
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(soon)) + f".{int(soon % 1 * 1e6):06}Z"
    short = operator.make("short", expires_at=moment)
    assert short.get("/v1/orders").status == 200
    assert within(5, lambda: short.get("/v1/orders").status == 401)
    assert time.time() >= soon
    assert short.get("/v1/orders").body == server.get("/v1/orders").body


def test_rotation_lets_both_keys_in_until_the_overlap_is_over(operator: Holder) -> None:
    old = operator.make("rotated", scopes=["orders:read"])
    reply = operator.post(f"/v1/keys/{old.id}/rotate", {"overlap_seconds": 2})
    new = Holder(old.server, reply.json()["secret"], reply.json()["id"])
    assert reply.status == 201
    assert reply.json()["scopes"] == ["orders:read"]
    assert (old.get("/v1/orders").status, new.get("/v1/orders").status) == (200, 200)
    assert operator.post(f"/v1/keys/{old.id}/rotate", {}).status == 409
    assert within(5, lambda: old.get("/v1/orders").status == 401)
    assert new.get("/v1/orders").status == 200


def test_rotation_needs_no_body_and_breaks_no_retry(operator: Holder) -> None:
    order_id = record_order_with(operator)
    old = operator.make("before")
    parcel = {"order_id": order_id, "tracking_number": unique("T")}
    key = unique("retry")
    first = old.post("/v1/fulfillments", parcel, Idempotency_Key=key)
    reply = operator.server.send("POST", f"/v1/keys/{old.id}/rotate", headers=operator.headers)
    assert reply.status == 201, reply
    new = Holder(old.server, reply.json()["secret"], reply.json()["id"])
    again = new.post("/v1/fulfillments", parcel, Idempotency_Key=key)
    assert (again.status, again.body) == (200, first.body)
    assert again.headers["idempotent-replayed"] == "true"


def record_order_with(holder: Holder) -> int:
    reply = holder.post("/v1/orders", {"line_items": [{"sku": "MUG", "quantity": 5}]})
    assert reply.status == 201, reply
    order_id: int = reply.json()["id"]
    return order_id


@pytest.mark.parametrize(
    "asked", [{"overlap_seconds": -1}, {"overlap_seconds": 10**9}, {"overlap": 5}, {"expires_at": "x"}]
)
def test_a_rotation_that_cannot_be_is_refused(server: Server, operator: Holder, asked: dict[str, object]) -> None:
    before = dump(server.database)
    assert operator.post(f"/v1/keys/{operator.id}/rotate", asked).status == 400
    assert dump(server.database) == before


@pytest.mark.parametrize("path", ["/v1/keys/999", "/v1/keys/0", "/v1/keys/x", f"/v1/keys/{2**63}"])
def test_a_key_that_never_was_is_404(server: Server, operator: Holder, path: str) -> None:
    refuse(server, 404, "GET", path, headers=operator.headers)
    refuse(server, 404, "DELETE", path, headers=operator.headers)
    refuse(server, 404, "POST", f"{path}/rotate", headers=operator.headers)


def test_when_a_key_was_last_used_is_written_when_the_server_ends(engine: Engine) -> None:
    database = engine.new_database()
    with engine.running(database) as server:
        operator = close_server(server)
        operator.get("/v1/orders")
        assert operator.get(f"/v1/keys/{operator.id}").json()["last_used_at"] is None, "off the hot path"
    with engine.running(database) as server:
        assert Holder(server, operator.key, operator.id).get("/v1/keys/1").json()["last_used_at"] is not None


def test_a_command_of_this_host_comes_in_by_the_token_of_the_lock_file(tmp_path: Path) -> None:
    database = tmp_path / "ledger.db"
    with running(database) as server:
        operator = close_server(server)
        process = serving_process(database)
        assert process is not None
        host = Holder(server, process.token, 0)
        assert host.get("/v1/audit").status == 200
        assert host.make("of the host").get("/v1/orders").status == 200
        changes = operator.get("/v1/audit").json()["audit"]
        assert [change["actor"] for change in changes] == ["host", "open"]
        assert Holder(server, process.token[:-1], 0).get("/v1/orders").status == 401


def test_no_log_and_no_dump_holds_a_usable_key(tmp_path: Path) -> None:
    """Keys, secrets and bodies of requests that went well, ill, and wrong."""
    database = tmp_path / "ledger.db"
    with running(database, SHIPLEDGER_LOG_LEVEL="debug") as server:
        operator = close_server(server)
        partner = operator.partner("acme")
        order_id = record_order_with(operator)
        operator.post("/v1/fulfillments", {"order_id": order_id, "tracking_number": f"T-{MARK}"})
        operator.post("/v1/fulfillments", {"order_id": order_id, "tracking_number": f"T-{MARK}"})
        server.send("POST", "/v1/fulfillments", f'{{"{MARK}', operator.headers)
        for wrong in (UNKNOWN, MARK):
            server.send("GET", "/v1/orders", headers={"Authorization": f"Bearer {wrong}"})
        process = serving_process(database)
        assert process is not None
    log = database.with_suffix(".log").read_text()
    assert "Shipledger serves" in log, "or it is not the log"
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("ledger.db"))
    for text in (operator.key, partner.key, process.token):
        secret = text.rpartition("_")[2]
        assert secret not in log
        assert secret.encode() not in files
    assert UNKNOWN not in log
    assert MARK not in log
    connection = apsw.Connection(str(database))
    assert connection.execute("SELECT count(*), min(length(digest)) FROM keys").get == (2, 32)
    connection.close()


def requests_within(limited: Holder, seconds: float) -> tuple[int, int, list[Reply]]:
    """How many requests of a limited key were let in and refused, sent as fast as they are answered."""
    refused: list[Reply] = []
    let_in = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        reply = limited.get("/v1/orders?limit=1")
        if reply.status == 429:
            refused.append(reply)
        else:
            assert reply.status == 200
            let_in += 1
    return let_in, len(refused), refused


def test_a_limited_key_is_let_in_at_its_rate_and_told_so(engine: Engine) -> None:
    with running(engine.folder / f"{unique('rate')}.db") as server:
        operator = close_server(server)
        limited = operator.make("limited", rate_limit=20)
        let_in, refused, replies = requests_within(limited, 2.0)
        assert 20 <= let_in <= 20 + 20 * 2 + 5, "a second's worth at once, and then the rate"
        assert refused > 0
        first = replies[0]
        assert first.headers["retry-after"] == "1"
        assert first.headers["ratelimit-limit"] == "20"
        assert first.headers["ratelimit-remaining"] == "0"
        assert first.headers["ratelimit-reset"] == "1"
        assert first.json()["error"] == "Too Many Requests"
        assert operator.get("/v1/orders").status == 200, "another key is not held up"
        assert "ratelimit-limit" not in operator.get("/v1/orders").headers
        time.sleep(1.1)
        assert limited.get("/v1/orders").headers["ratelimit-remaining"] == "19"


def test_the_server_s_own_limit_holds_for_keys_without_one(engine: Engine) -> None:
    with running(engine.folder / f"{unique('rate')}.db", SHIPLEDGER_RATE_LIMIT="5") as server:
        operator = close_server(server)
        faster = operator.make("faster", rate_limit=1_000)
        statuses = [operator.get("/healthz").status for _ in range(20)]
        assert statuses == [200] * 20, "what is public is not counted"
        assert 429 in [operator.get("/v1/orders").status for _ in range(30)]
        assert [faster.get("/v1/orders").status for _ in range(30)] == [200] * 30


def test_a_refused_request_writes_nothing(engine: Engine) -> None:
    with running(engine.folder / f"{unique('rate')}.db") as server:
        operator = close_server(server)
        limited = operator.make("limited", rate_limit=1)
        limited.get("/v1/orders")
        body = '{"line_items": [{"sku": "A", "quantity": 1}]}'
        refuse(server, 429, "POST", "/v1/orders", body, limited.headers)


def test_keys_that_vanish_from_the_table_open_nothing() -> None:
    _, credential = mint(bytes(PUBLIC_BYTES + SECRET_BYTES))
    gate = Gate(lambda: 0)
    gate.replace([])
    assert gate.is_open
    gate.replace([Key(1, credential, "only", Role.OPERATOR, None, frozenset(Scope), None, 0)])
    gate.replace([])
    assert not gate.is_open
