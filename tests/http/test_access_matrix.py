"""Every route of the table against everyone who may not use it: the right status, the same bytes, nothing written."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from shipledger.http import key_schemas, schemas
from shipledger.http.documentation.openapi_examples import REQUESTS
from shipledger.http.route import OPERATORS_ONLY, PUBLIC, Route
from shipledger.http.routes import ROUTES
from shipledger.key import ALLOWED_TO, Role, Scope
from tests.http.key_holders import UNKNOWN, Holder, close_server
from tests.http.ledger_dump import Dump, assert_refusal_in_shape, dump
from tests.serving import Reply, Server

pytestmark = pytest.mark.on_both_databases

OPEN_TO_ALL = {"GET /", "GET /healthz", "GET /readyz", "GET /openapi.json", "GET /docs"}
NOWHERE = 999_999_999
"""An id that nothing has."""


@dataclass
class House:
    """A server with an order and a fulfillment of two partners each, and keys."""

    server: Server
    operator: Holder
    east: Holder
    west: Holder
    orders: dict[str, int]
    fulfillments: dict[str, int]
    keys_id: int

    def path(self, route: Route, path: str, partner: str = "east") -> str:
        """The path with the id of what is this partner's."""
        tag = path.removeprefix("/v1/").partition("/")[0]
        ids = {"orders": self.orders[partner], "fulfillments": self.fulfillments[partner], "keys": self.keys_id}
        return re.sub(r"\{(\w+)\}", lambda found: "east" if found[1] == "name" else str(ids.get(tag, 1)), path)

    def send(self, route: Route, path: str, headers: dict[str, str]) -> Reply:
        return self.server.send(route.method, path, body_of(route), {**headers, "Content-Type": "application/json"})


def body_of(route: Route) -> str | None:
    """A body that the route takes, where it takes one."""
    if route.request is None:
        return None
    examples = list(REQUESTS.get(route.request, {}).values())
    return json.dumps(examples[0]["value"] if examples else {})


@pytest.fixture(scope="module")
def house(server: Server) -> House:
    operator = close_server(server)
    orders, fulfillments = {}, {}
    east, west = operator.partner("east"), operator.partner("west")
    for holder, name in ((east, "east"), (west, "west")):
        lines = [{"sku": "MUG", "quantity": 900, "partner": name}]
        orders[name] = operator.post("/v1/orders", {"line_items": lines, "reference": f"#{name}"}).json()["id"]
        parcel = {
            "order_id": orders[name],
            "tracking_number": f"T-{name}",
            "line_items": [{"sku": "MUG", "quantity": 1}],
        }
        fulfillments[name] = holder.post("/v1/fulfillments", parcel).json()["id"]
    return House(server, operator, east, west, orders, fulfillments, operator.make("a key to look at").id)


def everywhere(house: House, *, public: bool = False) -> Iterable[tuple[Route, str]]:
    """Each route at each of its paths, also with a final slash."""
    for route in ROUTES:
        if public or route.scope != PUBLIC:
            for path in (route.path, *route.aliases):
                yield route, house.path(route, path)
                yield route, house.path(route, path) + ("/" if path != "/" else "")


def strangers(house: House) -> dict[str, dict[str, str]]:
    """Those who have no valid key."""
    revoked, expired = house.operator.make("revoked"), house.operator.make("expired")
    house.operator.delete(f"/v1/keys/{revoked.id}")
    house.operator.post(f"/v1/keys/{expired.id}/rotate", {"overlap_seconds": 0})
    return {
        "no key": {},
        "unknown key": {"Authorization": f"Bearer {UNKNOWN}"},
        "revoked key": revoked.headers,
        "expired key": expired.headers,
        "another's secret": {"X-Access-Token": house.east.key[:15] + house.west.key[15:]},
    }


def test_without_a_valid_key_every_url_gives_the_same_401(house: House) -> None:
    told = set()
    who = strangers(house)
    before = dump(house.server.database)
    for headers in who.values():
        for route, path in everywhere(house):
            reply = house.send(route, path, headers)
            assert reply.status == 401, f"{route.method} {path}"
            assert reply.headers["www-authenticate"]
            told.add(reply.body)
    assert len(told) == 1
    assert dump(house.server.database) == before


def lacking(route: Route) -> tuple[frozenset[str], Role]:
    """All that a key may hold, but for what the route needs; and whose it is."""
    if route.scope == OPERATORS_ONLY:
        return frozenset(ALLOWED_TO[Role.PARTNER]), Role.PARTNER
    return frozenset(Scope) - set(route.scope.split()[:1]), Role.OPERATOR


def holders_of(house: House, wanted: Iterable[tuple[frozenset[str], Role]]) -> dict[Any, Holder]:
    made: dict[Any, Holder] = {}
    for scopes, role in wanted:
        if (scopes, role) not in made:
            asked: dict[str, Any] = {"scopes": sorted(scopes)}
            if role is Role.PARTNER:
                asked["partner"] = "east"
            made[scopes, role] = house.operator.make("lacks one", str(role), **asked)
    return made


def test_without_the_scope_a_key_gets_403(house: House) -> None:
    made = holders_of(house, (lacking(route) for route in ROUTES if route.scope != PUBLIC))
    before = dump(house.server.database)
    for route, path in everywhere(house):
        reply = house.send(route, path, made[lacking(route)].headers)
        assert reply.status == 403, f"{route.method} {path}"
        assert_refusal_in_shape(reply)
        assert route.scope == OPERATORS_ONLY or all(scope in reply.json()["message"] for scope in route.scope.split())
    assert dump(house.server.database) == before


def test_a_partner_s_key_gets_403_where_its_role_may_not_go(house: House) -> None:
    before = dump(house.server.database)
    for route, path in everywhere(house):
        is_barred = not set(route.scope.split()) <= ALLOWED_TO[Role.PARTNER]
        if is_barred:
            assert house.send(route, path, house.east.headers).status == 403, f"{route.method} {path}"
    assert dump(house.server.database) == before


def test_with_the_scope_a_key_is_let_in(house: House) -> None:
    """The control: what is refused above is refused for the key alone."""
    for route in ROUTES:
        if route.method == "GET":
            reply = house.send(route, house.path(route, route.path), house.operator.headers)
            assert reply.status in {200, 404}, f"{route.method} {route.path}: {reply}"


def test_what_is_public_is_open_to_all_and_writes_nothing(house: House) -> None:
    before = dump(house.server.database)
    for route in ROUTES:
        if route.scope == PUBLIC:
            assert house.send(route, route.path, {}).status == 200
    assert dump(house.server.database) == before


def of_another(house: House) -> Iterable[tuple[Route, str, str]]:
    """Each route about one thing that a partner's scopes let it use: the path of another's, and of none."""
    for route in ROUTES:
        is_allowed = route.scope != PUBLIC and set(route.scope.split()) <= ALLOWED_TO[Role.PARTNER]
        if is_allowed and "{id}" in route.path and re.match(r"/v1/(orders|fulfillments)/", route.path):
            yield route, house.path(route, route.path, "west"), route.path.replace("{id}", str(NOWHERE))


def test_another_partner_s_thing_is_one_that_never_was(house: House) -> None:
    before, seen = dump(house.server.database), 0
    for route, path, nowhere in of_another(house):
        reply, control = house.send(route, path, house.east.headers), house.send(route, nowhere, house.east.headers)
        assert (reply.status, reply.body) == (404, control.body), f"{route.method} {path}: {reply}"
        assert names_of(reply) == names_of(control)
        seen += 1
    for order in (house.orders["west"], "#west", str(house.orders["west"])):
        parcel = {"order_id": order, "tracking_number": "T"}
        replies = [house.east.post("/v1/fulfillments", {**parcel, "order_id": key}) for key in (order, NOWHERE)]
        assert replies[0].status == 404
        assert replies[0].body == replies[1].body
    assert seen >= 2
    assert dump(house.server.database) == before


def test_another_partner_s_webhook_is_one_that_never_was(house: House) -> None:
    asked = {"url": "https://hooks.example/", "event_types": ["order.held"]}
    made = house.west.post("/v1/webhooks", asked)
    assert made.status == 201, made
    webhook_id, seen = made.json()["id"], 0
    for route in ROUTES:
        if route.path.startswith("/v1/webhooks/{id}"):
            paths = [route.path.replace("{id}", str(id_)) for id_ in (webhook_id, NOWHERE)]
            reply, control = (house.send(route, path, house.east.headers) for path in paths)
            assert (reply.status, reply.body) == (404, control.body), f"{route.method} {route.path}"
            seen += 1
    assert seen >= 7
    assert house.west.get(f"/v1/webhooks/{webhook_id}").json() == {
        name: value for name, value in made.json().items() if name != "secret"
    }
    assert house.east.get("/v1/webhooks").json()["webhooks"] == []
    assert house.west.delete(f"/v1/webhooks/{webhook_id}").status in {200, 204}


def names_of(reply: Reply) -> set[str]:
    return set(reply.headers)


def find_without_scope(routes: Iterable[Route]) -> list[str]:
    """Routes that whoever likes may use, though they are not meant to be, and those whose scope no key can hold."""
    known = {*Scope, OPERATORS_ONLY}
    return [
        f"{route.method} {route.path}"
        for route in routes
        if (f"{route.method} {route.path}" not in OPEN_TO_ALL if route.scope == PUBLIC else False)
        or not set(route.scope.split()) <= known
    ]


def test_every_route_names_a_scope() -> None:
    assert find_without_scope(ROUTES) == []
    assert {f"{route.method} {route.path}" for route in ROUTES if route.scope == PUBLIC} == OPEN_TO_ALL


@pytest.mark.parametrize("scope", ["", "orders", "orders:read everything", "public"])
def test_a_route_without_a_scope_is_found(scope: str) -> None:
    added = replace(ROUTES[0], path="/v1/secrets", aliases=(), scope=scope)
    assert find_without_scope([*ROUTES, added]) == ["POST /v1/secrets"]


def test_the_audit_trail_and_reports_are_the_operator_s_alone() -> None:
    for route in ROUTES:
        if route.path.startswith(("/v1/audit", "/v1/reports")):
            assert route.scope == OPERATORS_ONLY


NUMBER, TEXT = 987_654_321_987, "zqforged"
"""What no answer gives by itself."""


def forged(value: Any) -> Any:
    """A value of the same kind that only its sender can have brought in."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return NUMBER
    if isinstance(value, list):
        return [forged(part) for part in value] or [TEXT]
    if isinstance(value, dict):
        return {name: forged(part) for name, part in value.items()} | {TEXT: TEXT}
    return TEXT


def fields_of(*structs: type[Any]) -> set[str]:
    return {field for struct in structs for field in struct.__struct_fields__}


INNER = {"account", "actor", "key_id", "partner_id", "origin", "event_count", "content", "digest", "public_part"}
"""What rows have and no answer shows."""


def posted_back(house: House) -> dict[str, tuple[dict[str, Any], set[str], str]]:
    """A request that is taken, the names that answers of its kind have and it does not, and where it goes."""
    parcel = {"order_id": house.orders["east"], "line_items": [{"sku": "MUG", "quantity": 1}], "tracking_number": "P"}
    order = {"line_items": [{"sku": "P", "quantity": 1}]}
    key = {"name": "posted", "role": "operator", "scopes": ["orders:read"]}
    return {
        "a fulfillment": (
            parcel,
            (fields_of(schemas.Fulfillment, schemas.Parcel) | INNER) - fields_of(schemas.CreateFulfillment),
            "/v1/fulfillments",
        ),
        "an order": (
            order,
            (fields_of(schemas.Order, schemas.ListedOrder) | INNER) - fields_of(schemas.CreateOrder),
            "/v1/orders",
        ),
        "a key": (key, (fields_of(key_schemas.NewKey) | INNER) - fields_of(key_schemas.CreateKey), "/v1/keys"),
    }


@pytest.mark.parametrize("what", ["a fulfillment", "an order", "a key"])
def test_no_field_that_is_answered_can_be_posted_back(house: House, what: str) -> None:
    request, names, path = posted_back(house)[what]
    answer = house.operator.post(path, request).json()
    for name in sorted(names):
        value = forged(answer.get(name))
        reply = house.operator.post(path, {**request, name: value})
        assert reply.status in {200, 201, 400}, f"{name}: {reply}"
        if name in answer or name == "warnings":
            assert reply.status != 400, f"{name} is answered, and may be sent back"
        if reply.status != 400:
            told = [warning for warning in reply.json()["warnings"] if warning["at"] == name]
            assert [warning["code"] for warning in told] == ["unknown_field"]
    everything = {name: forged(answer.get(name)) for name in names & answer.keys()}
    assert house.operator.post(path, {**request, **everything}).status in {200, 201}
    assert_not_bound(dump(house.server.database))


def test_no_field_of_a_line_can_be_posted_back(house: House) -> None:
    names = {"ordered", "fulfilled", "cancelled", "remaining"}
    line = {"sku": "Q", "quantity": 1, **dict.fromkeys(names, NUMBER)}
    order = house.operator.post("/v1/orders", {"line_items": [line]}).json()
    (shown,) = order["line_items"]
    assert {name: shown[name] for name in names} == {"ordered": 1, "fulfilled": 0, "cancelled": 0, "remaining": 1}
    parcel = {"order_id": order["id"], "tracking_number": "Q", "line_items": [{**line, "partner": "west"}]}
    assert house.operator.post("/v1/fulfillments", parcel).status == 200
    assert_not_bound(dump(house.server.database))


def assert_not_bound(found: Dump) -> None:
    """Nothing that was forged is in the ledger, but in what names the fields that were ignored."""
    for table, rows in found.items():
        assert str(NUMBER) not in repr(rows), table
        assert TEXT not in repr(rows), table


def test_a_field_that_is_bound_is_caught(house: House) -> None:
    """The control."""
    house.operator.post("/v1/orders", {"reference": TEXT, "line_items": [{"sku": "R", "quantity": 1}]})
    with pytest.raises(AssertionError):
        assert_not_bound(dump(house.server.database))
