"""Two ledgers that differ in nothing but what partner zenith and the operator have in them beside partner acme's.

Where the one has something of zenith's, the other has something unrelated of the operator's, so that ids, which are
counted over the whole ledger, are the same in both. Whatever acme asks is to be answered alike.
"""

import asyncio
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from shipledger.boot.ledgers import migrate, open_ledger, open_reading
from shipledger.command import AllOrNone, Command, CreateOrder, RepeatedTracking
from shipledger.commit.all_or_none import commit_all_or_none
from shipledger.commit.batch import commit_batch
from shipledger.http.application import Application
from shipledger.http.call import Services
from shipledger.http.documentation.openapi_examples import REQUESTS
from shipledger.http.gate import Gate
from shipledger.http.route import Route
from shipledger.http.routes import ROUTES
from shipledger.key import ALLOWED_TO, PUBLIC_BYTES, SECRET_BYTES, Key, Role, mint
from shipledger.order import OrderContent, OrderedLine
from shipledger.origin import Origin, account_of
from shipledger.outbox.feed_watch import FeedWatch
from shipledger.outcome import Done, Fault, Outcome
from shipledger.refusal import Refusal
from shipledger.storage.port import Ledger
from shipledger.storage.postgres_connection import Connection, connect
from shipledger.storage.postgres_sequencer import number_events
from shipledger.storage.reading import LedgerReading
from shipledger.timestamp import MICROSECONDS_A_SECOND
from shipledger.webhook import Attempt, CreateEndpoint, Endpoint, Sealed
from tests.rules.asking import Parcel
from tests.serving import Database

MARKERS = (b"zenith", b"7777", b"4242", b"333", b"operator's own", b"ada@example.com")
"""What only zenith's and the operator's data hold; compared in lower case."""

SHARED, ZENITHS, OWN, ABSENT = 1001, 2002, 3003, 9999
NUMBER = "SHARED-NUMBER"
_START = 1_800_000_000 * MICROSECONDS_A_SECOND

KEYS: list[str | None] = [None, "acme", "zenith"]
"""Whose keys there are."""

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
"""A status, headers but for the request's id, and a body."""


@dataclass
class World:
    """A ledger, and the application over it as a partner's key sees it."""

    ledger: Ledger
    reading: LedgerReading
    sequencing: Connection | None
    """On PostgreSQL: where events get their places from."""
    executor: ThreadPoolExecutor
    _moments: Iterator[int] = field(default_factory=lambda: itertools.count(_START, MICROSECONDS_A_SECOND))

    async def submit(self, command: Command) -> Outcome:
        (outcome,) = await self.submit_many([command])
        if isinstance(outcome, Fault):
            raise outcome
        return outcome

    async def submit_many(self, commands: Sequence[Command] | AllOrNone) -> list[Outcome | Fault]:
        now = next(self._moments)
        if isinstance(commands, AllOrNone):
            outcomes = commit_all_or_none(self.ledger, commands, now)
        else:
            outcomes = commit_batch(self.ledger, commands, now)
        if self.sequencing is not None:
            number_events(self.sequencing)
        return outcomes

    def application(self) -> Application:
        """The application, which lets each partner and the operator in by a key."""
        given: dict[str, Any] = {
            "submit": self.submit,
            "submit_many": self.submit_many,
            "reading": self.reading,
            "readers": self.executor,
            "zone": UTC,
            "repeated": RepeatedTracking.ACCEPT,
            "watch": FeedWatch(None),
            "webhooks": Desk(),
            "webhook_reading": self.reading.webhooks,
            "openapi": {},
            "docs": (b"", []),
            "welcome": (b"", []),
        }
        # What services may come is for routes that no partner reaches, or is added here when it is missed.
        services: Any = Services
        gate = Gate(lambda: _START)
        gate.replace(_key(number, partner) for number, partner in enumerate(KEYS, 1))
        return Application(ROUTES, services(**{name: given.get(name) for name in Services.__dataclass_fields__}), gate)


class Desk:
    """Stands in for what webhooks do beside the ledger: it sends nothing."""

    async def url_fault(self, _: str) -> None:
        return None

    def new_secret(self) -> tuple[Sealed, str]:
        return Sealed(b"salt", b"check"), "whsec_x"

    async def ping(self, _: Endpoint) -> Attempt:
        return Attempt(_START, 1, 204)

    async def replay(self, _: int, event_ids: list[int]) -> int:
        return len(event_ids)


def _key(number: int, partner: str | None) -> Key:
    role = Role.OPERATOR if partner is None else Role.PARTNER
    _, credential = mint(_chance(partner))
    return Key(number, credential, "a key", role, partner, ALLOWED_TO[role], None, _START)


def _chance(partner: str | None) -> bytes:
    return bytes([KEYS.index(partner)]) * (PUBLIC_BYTES + SECRET_BYTES)


@contextmanager
def world(database: Database) -> Iterator[World]:
    """A new ledger without any row."""
    migrate(database)
    ledger, reading = open_ledger(database), open_reading(database)
    executor = ThreadPoolExecutor(1)
    sequencing = connect(database, is_writer=True) if isinstance(database, str) else None
    try:
        yield World(ledger, reading, sequencing, executor)
    finally:
        if sequencing is not None:
            sequencing.close()
        ledger.close()
        executor.shutdown()
        reading.close()


def _order(order_id: int, lines: Iterable[OrderedLine], **fields: Any) -> CreateOrder:
    operator = Origin(account_of(None), None, "operator", None, "request")
    return CreateOrder(operator, OrderContent(order_id, tuple(lines), **fields))


def _line(sku: str, quantity: int, partner: str | None, title: str | None = None) -> OrderedLine:
    return OrderedLine(sku, quantity, title, partner)


def _endpoint(partner: str | None, name: str) -> CreateEndpoint:
    origin = Origin(account_of(partner), partner, "a key", None, "request")
    return CreateEndpoint(origin, f"https://example.com/{name}", name, ("*",), False, Sealed(b"salt", b"check"))


def history(*, with_others: bool) -> list[CreateOrder | CreateEndpoint | Parcel]:
    """What was recorded: with zenith's things, or with others of the operator's in their place."""
    mine = [_line("A", 11, "acme", "Acme's"), _line("B", 5, "acme")]
    others = [_line("A", 7777, "zenith", "Zenith's"), _line("ZENITH-SKU", 4242, "zenith"), _line("A", 333, None)]
    shared = [mine[0], *others, mine[1]] if with_others else mine
    address = {"city": "London"}
    hidden = {"email": "ada@example.com", "metadata": {"note": "operator's own"}}
    zeniths = [_line("A", 50, "zenith" if with_others else None), _line("C", 50, "zenith" if with_others else None)]

    def of_others(*lines: tuple[str, int], number: str, key: str | None = None) -> Parcel:
        """Zenith's parcel of the shared order, or an unrelated one."""
        if with_others:
            return Parcel(((SHARED, lines),), number, "zenith", key)
        return Parcel(((ZENITHS, (("A", 1),)),), "UNRELATED", None, key and "another")

    return [
        _order(SHARED, shared, reference="#1001", channel="web", shipping_address=address, deliver_by=_START, **hidden),
        _order(ZENITHS, zeniths, reference="#2002"),
        of_others(("A", 70), number=NUMBER, key="k1"),
        Parcel(((SHARED, (("A", 3),)),), NUMBER, "acme", "k1"),
        _order(OWN, [_line("A", 2, "acme")], reference="#3003"),
        of_others(("ZENITH-SKU", 9), number="ZENITH-NUMBER"),
        # The operator ships what remains of acme's A, and, where there is some, 100 of zenith's with it.
        Parcel(((SHARED, (("A", 108 if with_others else 8),)),), "MIXED", None),
        Parcel(((ZENITHS, (("C", 1),)),), NUMBER, "zenith" if with_others else None),
        Parcel(((OWN, None),), "ACME-2", "acme"),
        _endpoint("acme", "own"),
        _endpoint("zenith" if with_others else None, "zenith"),
        of_others(("A", 5), number="ZENITH-LAST"),
    ]


async def record(place: World, *, with_others: bool) -> None:
    """Record the history."""
    for request in history(with_others=with_others):
        command = request.command() if isinstance(request, Parcel) else request
        assert not isinstance(command, Refusal)
        assert isinstance(await place.submit(command), Done), request


# What acme asks


_ORDER_IDS = [str(order_id) for order_id in (SHARED, ZENITHS, OWN, ABSENT)]
_SMALL_IDS = [str(id_) for id_ in range(1, 12)]
_IN_PATHS = {"id": [*_ORDER_IDS, *_SMALL_IDS], "name": ["acme", "zenith"], "number": [NUMBER, "ZENITH-NUMBER"]}
_QUERIES = {
    "status": ["unfulfilled", "partially_fulfilled", "fulfilled", "cancelled", "created"],
    "sku": ["A", "B", "C", "ZENITH-SKU"],
    "reference": ["%231001", "%232002", "%233003", "%239999"],
    "tracking_number": [NUMBER, "MIXED", "ZENITH-NUMBER", "ACME-2"],
    "order_id": _ORDER_IDS,
    "late": ["true", "false"],
    "created_at_min": ["2027-01-15"],
    "deliver_by_min": ["2027-01-01"],
    "after": ["0", *_SMALL_IDS, "15", "99"],
    "limit": ["1", "2"],
    "format": ["csv", "ndjson"],
}


def _groups(*names: int | str, lines: Any = None) -> dict[str, Any]:
    groups = [{"order_id": name, **({"line_items": lines} if lines else {})} for name in names]
    return {"line_items_by_fulfillment_order": groups, "tracking_number": NUMBER}


def _lines(sku: str, quantity: int) -> list[dict[str, Any]]:
    return [{"sku": sku, "quantity": quantity}]


_PARCELS = [
    _groups(SHARED, lines=_lines("A", 1)),
    _groups(SHARED, lines=_lines("A", 71)),
    _groups(SHARED, lines=_lines("B", 6)),
    _groups(SHARED, lines=_lines("ZENIHT-SKU", 1)),
    _groups("#1001", lines=_lines("C", 1)),
    _groups(ZENITHS),
    _groups("#2002", lines=_lines("A", 1)),
    _groups(ABSENT),
    _groups("#9999", lines=_lines("A", 1)),
    _groups(SHARED, ZENITHS),
    _groups(SHARED, ABSENT),
    _groups(OWN),
    _groups(SHARED, lines=_lines("B", 1)),
]
_RANGES = [{"after": 0}, *({"after": id_} for id_ in range(1, 14)), {"after": 0, "before": 7}, {"event_ids": [1]}]
_BODIES: dict[tuple[str, str], list[Any]] = {
    ("POST", "/v1/fulfillments"): _PARCELS,
    ("POST", "/v1/fulfillments/bulk"): _PARCELS,
    ("POST", "/v1/webhooks/{id}/replay"): _RANGES,
}


def requests_of(route: Route) -> Iterator[tuple[str, str, Any]]:
    """Method, URL and body of what is asked of a route: every id, every filter, and, of what is created, a table."""
    paths = [route.path, *route.aliases[:1]]
    for name, values in _IN_PATHS.items():
        paths = [
            path.replace(f"{{{name}}}", value)
            for path in paths
            for value in (values if f"{{{name}}}" in path else [""])
        ]
    known = {*route.query, *route.parameters, *(route.list_spec.parameters if route.list_spec else ())}
    queries = ["", *(f"?{name}={value}" for name in _QUERIES if name in known for value in _QUERIES[name])]
    queries += [f"?{name}=true" for name in ("dry_run", "atomic") if name in known]
    bodies: list[Any] = [None]
    if route.request is not None:
        examples = [example["value"] for example in REQUESTS.get(route.request, {}).values()]
        bodies = _BODIES.get((route.method, route.path), [*examples, {}])
        bodies = [bodies] if route.is_bulk else bodies
    # Dry runs first: what they are told is not what an earlier request has left.
    return ((route.method, path + query, body) for path in paths for query in queries[::-1] for body in bodies)


async def ask(
    application: Application, partner: str | None, method: str, url: str, body: Any = None, key: str | None = None
) -> Answer:
    """One request with a partner's key, or the operator's, without a socket in between."""
    parts = urlsplit(url)
    sent = b"" if body is None else json.dumps(body).encode()
    text, _ = mint(_chance(partner))
    headers = [(b"authorization", f"Bearer {text}".encode()), (b"content-length", b"%d" % len(sent))]
    headers += [(b"content-type", b"application/json")] if body is not None else []
    headers += [(b"idempotency-key", key.encode())] if key else []
    scope = {
        "type": "http", "http_version": "1.1", "scheme": "http", "method": method, "path": parts.path,
        "raw_path": parts.path.encode(), "root_path": "", "query_string": parts.query.encode(), "headers": headers,
        "server": ("localhost", 80), "client": ("127.0.0.1", 9),
    }  # fmt: skip
    messages: list[dict[str, Any]] = []
    to_receive = [{"type": "http.request", "body": sent, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not to_receive:
            await asyncio.Event().wait()
        return to_receive.pop()

    async def send(message: Any) -> None:
        messages.append(message)

    await application(scope, receive, send)
    shown = sorted((name, value) for name, value in messages[0]["headers"] if name != b"x-request-id")
    return messages[0]["status"], shown, b"".join(message.get("body", b"") for message in messages[1:])


async def walk(application: Application, partner: str, url: str) -> list[Answer]:
    """Every page of a list, one row a page."""
    answers = []
    while True:
        answers.append(await ask(application, partner, "GET", url))
        cursor = json.loads(answers[-1][2]).get("next_cursor")
        parts = urlsplit(url)
        following = f"{parts.path}?limit=1&{'after' if 'after' in parts.query else 'cursor'}={cursor}"
        if cursor is None or following == url:
            return answers
        url = following


async def all_answers(place: World, partner: str) -> dict[str, Answer]:
    """Each request, as text, with its answer."""
    application = place.application()
    answers: dict[str, Answer] = {}
    for route in ROUTES:
        for method, url, body in requests_of(route):
            answers[f"{method} {url} {json.dumps(body)}"] = await ask(application, partner, method, url, body)
        first = answers.get(f"GET {route.path} null")
        if route.list_spec is not None and first is not None and first[0] == HTTPStatus.OK:
            for number, page in enumerate(await walk(application, partner, f"{route.path}?limit=1")):
                answers[f"page {number} of {route.path}"] = page
    for number, page in enumerate(await walk(application, partner, "/v1/events?limit=1&after=0")):
        answers[f"page {number} of the feed"] = page
    # Zenith used this key for its own parcel: here it holds acme's.
    asked = {"order_id": SHARED, "line_items": _lines("A", 3), "tracking_number": NUMBER}
    answers["a replay"] = await ask(application, partner, "POST", "/v1/fulfillments", asked, key="k1")
    return answers
