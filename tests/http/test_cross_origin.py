"""Pages of other origins: off by default; where an origin is named, its pages may read answers, and need a key."""

from collections.abc import Iterator

import pytest

from shipledger.boot.settings import SettingsError, read_settings
from tests.http.key_holders import Holder, close_server
from tests.serving import Server, running

SHOP = "https://shop.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Holder]:
    """The operator of a server that knows two origins."""
    database = tmp_path_factory.mktemp("named") / "ledger.db"
    with running(database, SHIPLEDGER_CORS_ORIGINS=f"{SHOP}, http://localhost:3000") as server:
        yield close_server(server)


def allowing(headers: dict[str, str]) -> list[str]:
    return [name for name in headers if name.startswith("access-control-")]


def test_by_default_no_answer_allows_a_page_anything(server: Server) -> None:
    operator = close_server(server)
    for headers in ({"Origin": SHOP}, {"Origin": SHOP, **PREFLIGHT}, {"Origin": "null"}):
        for method in ("GET", "OPTIONS"):
            reply = server.send(method, "/v1/orders", headers={**operator.headers, **headers})
            assert reply.status in {200, 405}
            assert allowing(reply.headers) == []


def test_a_page_of_a_named_origin_may_ask_and_read(named: Holder) -> None:
    preflight = named.server.send("OPTIONS", "/v1/fulfillments", headers={"Origin": SHOP, **PREFLIGHT})
    assert (preflight.status, preflight.body) == (204, b"")
    assert preflight.headers["access-control-allow-origin"] == SHOP
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    reply = named.server.send("GET", "/v1/orders", headers={**named.headers, "Origin": SHOP})
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (200, SHOP)
    assert "X-Request-Id" in reply.headers["access-control-expose-headers"]
    assert reply.headers["vary"] == "Origin"


def test_it_lets_nobody_in_without_a_key(named: Holder) -> None:
    reply = named.server.send("POST", "/v1/orders", "{}", {"Origin": SHOP, "Content-Type": "application/json"})
    assert reply.status == 401
    assert reply.headers["access-control-allow-origin"] == SHOP, "so that the page may read why"
    assert "access-control-allow-credentials" not in reply.headers, "there are no cookies"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://shop.example.evil.example", "http://shop.example", "null", "*"]
)
def test_other_origins_are_allowed_nothing(named: Holder, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        reply = named.server.send(method, "/v1/orders", headers={**named.headers, **PREFLIGHT, "Origin": origin})
        assert allowing(reply.headers) == []


@pytest.mark.parametrize("text", ["*", "shop.example", "https://shop.example/", "https://a.example https://b.example"])
def test_what_is_no_origin_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(SettingsError, match="SHIPLEDGER_CORS_ORIGINS"):
        read_settings({"SHIPLEDGER_CORS_ORIGINS": text})


def test_a_posted_request_of_a_named_origin_is_carried_out(named: Holder) -> None:
    """The way below ASGI, which is quicker, is not taken where answers need these headers."""
    order = {"line_items": [{"sku": "A", "quantity": 1}]}
    reply = named.post("/v1/orders", order, Origin=SHOP)
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (201, SHOP)
