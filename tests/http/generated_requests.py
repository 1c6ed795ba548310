"""Requests made by chance from the route table, valid ones and odd ones, and what their answers prove."""

import contextlib
import http.client
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from shipledger.http.documentation.openapi_examples import REQUESTS
from shipledger.http.route import Route
from shipledger.http.routes import ROUTES
from tests.http.key_holders import UNKNOWN, Holder
from tests.http.ledger_dump import dump
from tests.serving import Server

CLIENTS = 8
CUT_OFF = 599
"""Stands for an answer that the server began and did not end."""
ORDERS = 40
IDEMPOTENCY_KEYS = 400
"""Few enough that one that was kept with an answer comes again with another request."""
KEYS_OF_OURS = 50
"""Ids of keys up to here are left alone, so that those who send go on to be let in."""

ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.0, 1.5, 2**31, 2**63 - 1, 2**63, -(2**63), 10**30, 1e300, "", " ", "0", "1", "-1",
    "null", "MUG", "mug", "MUG\u200b", "\u202eGUM", "Ünïcode", "e\u0301", "\U0001f4e6", "a\nb", "\x7f", "x" * 255,
    "x" * 256,
    "x" * 5_000, "<script>alert(1)</script>", "'; DROP TABLE orders; --", "=cmd|'/c calc'!A0", "%00",
    "../../etc/passwd",
    "javascript:alert(1)", "2024-02-30", "2024-12-31T23:59:60Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z",
    [], {}, [[]], [{}], [None], {"": ""}, {"a": {"b": [1, {"c": None}]}}, ["keys"], ["orders:read"],
)  # fmt: skip
ODD_NAMES = (
    "id",
    "status",
    "partner",
    "lineItems",
    "line_item",
    "items",
    "account",
    "warnings",
    "__proto__",
    "ключ",
    "",
)
ODD_TEXTS = (
    b"", b"null", b"[]", b"42", b'"x"', b"{", b"{}{}", b'{"a":1,"a":2}', b"{'a':1}", b"// x\n{}", b"\xff",
    b"\xef\xbb\xbf{}", b"NaN", b'{"a": 1e400}', b"[" * 500, b'{"a": "\\ud800"}', "{}".encode("utf-16"),
    b'{"order_id": 1,}', b"a=b",
)  # fmt: skip
ODD_PATHS = ("0", "-1", "1.0", "01", "9" * 19, "9" * 25, "x", "%00", "%ff", "..%2f", "%20", "ü", "a" * 300, "*", "{id}")
ODD_QUERIES = (
    "limit=0", "limit=-1", "limit=1e9", "limit=abc", "limit=1", "cursor=x", "cursor=%00", "dry_run=maybe",
    "dry_run=true", "status=lost", "sku=%00", "order_id=x", "created_at_min=soon", "limit=1&limit=2", "nothing=1",
    "%ff=%ff", "format=csv",
    "after=x", "after=1", "atomic=true", "reference=%231", "late=true",
)  # fmt: skip
ODD_HEADERS = (
    {"Content-Type": "text/plain"}, {"Content-Type": "application/json; charset=latin-1"}, {"Content-Encoding": "gzip"},
    {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "application/vnd.x+json"},
    {"Idempotency-Key": ""}, {"Idempotency-Key": "k" * 256}, {"Idempotency-Key": '"'}, {"Accept": "text/html"},
    {"Origin": "https://elsewhere.example"}, {"X-Forwarded-For": "192.0.2.1"}, {"Expect": "nothing"},
)  # fmt: skip


@dataclass(frozen=True)
class Answered:
    """A request that was answered."""

    method: str
    path: str
    status: int
    request_id: str
    key: str | None
    is_bulk: bool


@dataclass
class Found:
    """What is wrong with the answers, and how many there were of each status."""

    faults: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


class Generator:
    """Endless requests over what a house of one operator and two partners holds."""

    def __init__(self, seed: int, keys: list[str]) -> None:
        """`keys` are of those who ask; the first is chosen most of the time."""
        self._chance = random.Random(seed)
        self._keys = keys
        self._seed = seed

    def request(self) -> tuple[str, str, bytes | None, dict[str, str], Route]:
        """Method, path, body and headers, and the route that it is meant for."""
        chance = self._chance
        route = chance.choice(ROUTES)
        method = route.method if chance.random() < 0.97 else chance.choice(["GET", "POST", "PUT", "PATCH", "DELETE"])
        path = self._path(route)
        headers = self._who()
        body = None
        if route.request is not None:
            body = self._body(route)
            headers["Content-Type"] = "application/json"
        if route.takes_key and chance.random() < 0.5:
            headers["Idempotency-Key"] = f"{self._seed}-{chance.randrange(IDEMPOTENCY_KEYS)}"
        if chance.random() < 0.05:
            headers |= chance.choice(ODD_HEADERS)
        return method, path, body, headers, route

    def _who(self) -> dict[str, str]:
        chance = self._chance
        key = self._keys[0] if chance.random() < 0.7 else chance.choice([*self._keys, UNKNOWN, ""])
        return {} if not key else {"Authorization": f"Bearer {key}"}

    def _path(self, route: Route) -> str:
        chance = self._chance
        of_keys = route.path.startswith("/v1/keys")

        def filled(_: re.Match[str]) -> str:
            if chance.random() < 0.1:
                odd = chance.choice(ODD_PATHS)
                return "x" if of_keys else quote(odd, safe="%")
            return str(KEYS_OF_OURS + chance.randrange(100)) if of_keys else str(chance.randint(1, ORDERS))

        path = re.sub(r"\{\w+\}", filled, chance.choice([route.path, *route.aliases]))
        if chance.random() < 0.15:
            path += "?" + chance.choice(ODD_QUERIES)
        return path

    def _body(self, route: Route) -> bytes:
        chance = self._chance
        if chance.random() < 0.05:
            return chance.choice(ODD_TEXTS)
        value = self._valid(route)
        while chance.random() < 0.4:
            self._bend(value)
        text = json.dumps(value).encode()
        return text[: chance.randrange(len(text))] if chance.random() < 0.02 else text

    def _valid(self, route: Route) -> Any:
        chance = self._chance
        if route.path == "/v1/webhooks":  # one that is taken would be called
            return {"url": "https://127.0.0.1/", "event_types": ["order.created"]}
        if route.path.startswith("/v1/fulfillments") and "{" not in route.path:
            lines = [{"sku": chance.choice(["MUG", "TEE"]), "quantity": chance.randint(1, 3)}]
            order: Any = chance.randint(1, ORDERS)
            request = {"order_id": order, "line_items": lines, "tracking_number": f"T{chance.randrange(500)}"}
            return [request] if route.is_bulk else request
        if route.path.startswith("/v1/orders") and "{" not in route.path:
            lines = [{"sku": "CAP", "quantity": chance.randint(1, 9)}]
            request = {"id": 10_000 + chance.randrange(3_000), "line_items": lines}
            return [request] if route.is_bulk else request
        examples = [] if route.request is None else list(REQUESTS.get(route.request, {}).values())
        return json.loads(json.dumps(chance.choice(examples)["value"])) if examples else {}

    def _bend(self, value: Any) -> None:
        """Make one thing odd, at any depth."""
        chance = self._chance
        while isinstance(value, list) and value and isinstance(value[0], (dict, list)):
            value = value[0]
        if not isinstance(value, dict):
            return
        inner = [part for part in value.values() if isinstance(part, (dict, list)) and part]
        if inner and chance.random() < 0.4:
            self._bend(chance.choice(inner))
        elif value and chance.random() < 0.7:
            value[chance.choice(list(value))] = deepcopy(
                chance.choice(ODD)
            )  # what is bent again holds no part of itself
        elif value and chance.random() < 0.5:
            del value[chance.choice(list(value))]
        else:
            value[chance.choice(ODD_NAMES)] = deepcopy(chance.choice(ODD))


def house_of(operator: Holder) -> list[str]:
    """Orders that generated requests name, and the keys of those who send them, the operator's first."""
    lines = [{"sku": "MUG", "quantity": 10**6}, {"sku": "TEE", "quantity": 10**6, "partner": "east"}]
    for order_id in range(1, ORDERS + 1):
        assert (
            operator.post("/v1/orders", {"id": order_id, "reference": f"#{order_id}", "line_items": lines}).status
            == 201
        )
    reader = operator.make("reader", scopes=["orders:read", "fulfillments:read"])
    return [operator.key, operator.partner("east").key, operator.partner("west").key, reader.key]


def send_generated(server: Server, keys: list[str], count: int, seed: int) -> list[Answered]:
    """Send as many requests by several clients at once."""

    def client(number: int) -> list[Answered]:
        generator = Generator(seed * 1_000 + number, keys)
        return list(_answers(server.port, generator, count // CLIENTS))

    with ThreadPoolExecutor(CLIENTS) as pool:
        return [answered for part in pool.map(client, range(CLIENTS)) for answered in part]


def _answers(port: int, generator: Generator, count: int) -> Iterator[Answered]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        for _ in range(count):
            method, path, body, headers, route = generator.request()
            connection.request(method, quote(path, safe="/?&=%{}*"), body, headers)
            response = connection.getresponse()
            status = response.status
            try:
                response.read()
            except http.client.IncompleteRead:
                status = CUT_OFF
                connection.close()
            yield Answered(
                method,
                path,
                status,
                response.getheader("X-Request-Id") or "",
                headers.get("Idempotency-Key"),
                route.is_bulk,
            )


def judge(server: Server, answers: list[Answered], known: set[str]) -> Found:
    """What the answers and the ledger say of each other. `known` are ids of requests that came before.

    Each change of the ledger is told by an event, and each event names the request that made it.
    """
    found = Found(statuses=Counter(answered.status for answered in answers))
    for answered in answers:
        if answered.status >= 500:
            found.faults.append(f"{answered.status}: {answered.method} {answered.path}")
        if not answered.request_id:
            found.faults.append(f"no request id: {answered.method} {answered.path}")
    taken = {answered.request_id for answered in answers if answered.status < 400}
    for request_id in events_of(server) - taken - known:
        found.faults.append(f"request {request_id} was refused, or never was, and changed the ledger")
    kept_for = {answered.key for answered in answers if answered.status < 400}
    for row in dump(server.database)["kept_answers"]:
        if row[1] not in kept_for:
            found.faults.append(f"the answer to {row[1]} was kept, and was no success")
    return found


def events_of(server: Server) -> set[str]:
    """The ids of the requests that changed the ledger."""
    return {row[7] for row in dump(server.database)["events"]}
