"""About the server itself: where to go next, whether it is well, and what is the same for every answer."""

import re
from html.parser import HTMLParser

import pytest

from tests.http.orders_to_ship import parcel, record_order
from tests.serving import Server

ANYWHERE = [
    "/",
    "/healthz",
    "/readyz",
    "/docs",
    "/openapi.json",
    "/v1/orders",
    "/v1/fulfillments",
    "/none",
    "/v1/orders/1",
]


def test_the_root_says_where_to_go_next(server: Server) -> None:
    reply = server.get("/")
    assert reply.headers["content-type"] == "application/json"
    body = reply.json()
    assert (body["name"], list(body)) == ("Shipledger", ["name", "version", "links"])
    for name, path in body["links"].items():
        assert server.get(path).status == 200, name


def test_the_root_is_a_page_for_a_browser(server: Server) -> None:
    reply = server.send("GET", "/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert b"/docs" in reply.body


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_server_that_is_well_says_so(server: Server, path: str) -> None:
    assert server.get(path).json() == {"status": "ok"}


def test_the_document_is_json_and_names_every_path(server: Server) -> None:
    document = server.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert {"/v1/fulfillments", "/fulfillments", "/v1/orders", "/v1/orders/{id}", "/docs"} <= document["paths"].keys()


class Addresses(HTMLParser):
    """What a page makes a browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        wanted = named.get("src") or (named.get("href") if tag == "link" else None)
        if wanted:
            self.fetched.append(wanted)


@pytest.mark.parametrize("path", ["/docs", "/"])
def test_pages_work_without_internet(server: Server, path: str) -> None:
    page = server.send("GET", path, headers={"Accept": "text/html"})
    parser = Addresses()
    parser.feed(page.body.decode())
    for address in parser.fetched:
        assert address.startswith(("/", "#", "data:")), address
        assert not address.startswith("//"), address
    assert not re.search(rb"@import|url\(\s*['\"]?https?:", page.body)


def test_what_would_need_internet_is_caught() -> None:
    parser = Addresses()
    parser.feed('<link href="https://cdn.example/x.css"><script src="//cdn.example/x.js"></script><a href="https://x">')
    assert parser.fetched == ["https://cdn.example/x.css", "//cdn.example/x.js"]


@pytest.mark.parametrize("path", ANYWHERE)
def test_every_answer_has_an_id_of_its_own(server: Server, path: str) -> None:
    first, second = server.get(path), server.get(path)
    assert re.fullmatch(r"[0-9a-f]{8,32}", first.headers["x-request-id"])
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    sent = server.send("GET", path, headers={"X-Request-Id": "zq9raw"})
    assert sent.headers["x-request-id"] != "zq9raw"
    assert "server" not in sent.headers, "whoever asks need not know what it runs on"


@pytest.mark.parametrize("path", ANYWHERE)
def test_no_answer_is_kept_or_guessed_at(server: Server, path: str) -> None:
    headers = server.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ANYWHERE)
def test_head_is_get_without_the_body(server: Server, path: str) -> None:
    get, head = server.get(path), server.send("HEAD", path)
    assert (head.status, head.body) == (get.status, b"")
    assert head.headers["content-length"] == get.headers["content-length"]
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("path", ["/v1/orders/", "/v1/fulfillments/", "/healthz/", "/docs/", "/openapi.json/"])
def test_a_final_slash_makes_no_difference(server: Server, path: str) -> None:
    assert server.get(path).status == server.get(path[:-1]).status == 200


def test_one_order_and_one_fulfillment_are_found_with_a_final_slash(server: Server) -> None:
    order_id = record_order(server)
    made = server.post("/v1/fulfillments/", parcel(order_id)).json()["id"]
    assert server.get(f"/v1/orders/{order_id}/").json()["id"] == order_id
    assert server.get(f"/v1/fulfillments/{made}/").json()["id"] == made
