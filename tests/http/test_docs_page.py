"""The pages: whole, safe, and in need of nothing but themselves."""

import base64
import copy
import hashlib
import re
import shlex
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from shipledger.http.documentation.docs_page import Page, docs_page, welcome_page
from shipledger.http.documentation.openapi import openapi_document
from shipledger.http.documentation.openapi_examples import REQUESTS
from shipledger.http.routes import ROUTES
from shipledger.http.strict_json import decode

DOCUMENT = openapi_document(ROUTES, "1.2.3")
PAGES = pytest.mark.parametrize("make", [docs_page, welcome_page])
MakePage = Callable[[dict[str, Any]], Page]
VOID = {"meta", "link", "br", "rect", "path"}


class Reader(HTMLParser):
    """Collects what a page refers to, what it defines, and its text; knows when its tags do not match."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.commands: list[str] = []
        self.open: list[str] = []
        self.feed(page.decode())
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.links += [
            value or "" for name, value in attrs if name in {"href", "src", "srcset", "action", "xlink:href"}
        ]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        assert "style" not in given
        assert not any(name.startswith("on") for name in given)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "pre":
            self.commands.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if "pre" in self.open:
            self.commands[-1] += data


@PAGES
def test_refers_to_nothing_outside(make: MakePage) -> None:
    page, _ = make(DOCUMENT)
    reader = Reader(page)
    assert all(link.startswith(("#", "data:image/svg+xml,")) or re.match(r"/(?!/)", link) for link in reader.links)
    assert not {"script", "img", "iframe", "object", "embed", "form", "base"} & set(reader.tags)
    style = page.partition(b"<style>")[2].partition(b"</style>")[0]
    assert b"url(" not in style
    assert b"@import" not in style
    hosts = set(re.findall(rb"https?://([^/\s'\"<]+)", page))
    # The second names the language of the icon, the others stand in examples.
    assert hosts <= {b"127.0.0.1:8000", b"www.w3.org", b"wwwapps.ups.com", b"example.com"}


@PAGES
def test_policy_allows_the_style_and_nothing_else(make: MakePage) -> None:
    page, headers = make(DOCUMENT)
    style = page.partition(b"<style>")[2].partition(b"</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    policy = dict(headers)[b"content-security-policy"].decode().split("; ")
    assert policy[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]
    assert "unsafe" not in str(policy)
    assert not any(directive.startswith("script-src") for directive in policy)


@PAGES
def test_is_made_for_everybody(make: MakePage) -> None:
    page, _ = make(DOCUMENT)
    reader = Reader(page)
    assert b'<html lang="en">' in page
    assert b'name="viewport"' in page
    assert b"prefers-color-scheme: dark" in page
    assert reader.tags.count("main") == 1
    assert reader.tags.count("h1") == 1
    assert len(set(reader.ids)) == len(reader.ids)
    assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.ids)


def test_every_operation_is_on_the_page() -> None:
    reader = Reader(docs_page(DOCUMENT)[0])
    texts = {text.strip() for text in reader.texts}
    for path, item in DOCUMENT["paths"].items():
        assert path in texts
        for method, operation in item.items():
            assert {method.upper(), operation["summary"]} <= texts
            assert {parameter["name"] for parameter in operation.get("parameters", [])} <= texts
            assert operation["responses"].keys() <= texts
            assert operation.get("x-alias-of") or operation["operationId"].lower() in reader.ids


def test_every_error_is_in_the_table() -> None:
    texts = {text.strip() for text in Reader(docs_page(DOCUMENT)[0]).texts}
    for title in ("Invalid SKU or Quantity", "Invalid Request", "Order Not Found", "Order On Hold", "Server Error"):
        assert title in texts
    assert {"403", "405", "413", "415", "422", "500", "503"} <= texts


def test_commands_can_be_pasted_as_they_are() -> None:
    commands = [
        shlex.split(text.replace("\\\n", " ")) for text in Reader(docs_page(DOCUMENT)[0]).commands if "-d '" in text
    ]
    sent = [decode(command[command.index("-d") + 1].encode()) for command in commands]
    for examples in REQUESTS.values():
        for example in examples.values():
            assert example["value"] in sent
    keys = [command[command.index("-d") - 1] for command in commands if "Idempotency-Key" in str(command)]
    assert len(set(keys)) == len(keys) - 1  # the first request stands at the top once more


def test_a_quote_in_an_example_does_not_end_the_command() -> None:
    document = copy.deepcopy(DOCUMENT)
    body = document["paths"]["/v1/fulfillments"]["post"]["requestBody"]["content"]["application/json"]
    value = {"order_id": "it's; rm -rf $HOME `id`", "tracking_number": "1"}
    body["examples"] = {"hostile": {"summary": "Hostile", "value": value}}
    command = shlex.split(Reader(welcome_page(document)[0]).commands[0].replace("\\\n", " "))
    assert decode(command[-1].encode()) == value


@PAGES
def test_what_the_document_holds_is_escaped(make: MakePage) -> None:
    hostile = "<script>alert(1)</script>`<img src=x onerror=alert(2)>` & \"'"
    document = copy.deepcopy(DOCUMENT)
    document["info"] |= {"title": hostile, "version": hostile, "summary": hostile}
    for tag in document["tags"]:
        tag["description"] = hostile
    for item in document["paths"].values():
        for operation in item.values():
            operation |= {"summary": hostile, "description": hostile, "x-required-scope": hostile}
    for schema in document["components"]["schemas"].values():
        schema["description"] = hostile
    page, _ = make(document)
    reader = Reader(page)
    assert not {"script", "img"} & set(reader.tags)
    assert b"&lt;script&gt;" in page


def test_welcome_leads_on() -> None:
    reader = Reader(welcome_page(DOCUMENT)[0])
    assert {"/docs", "/openapi.json", "/v1/orders", "/healthz"} <= set(reader.links)
    assert "450789469" in reader.commands[0]
