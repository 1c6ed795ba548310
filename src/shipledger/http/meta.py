"""About the server itself: where to go next, whether it is well, and what its API is."""

from importlib import metadata

from shipledger.http.answer import Answer, error, json_answer
from shipledger.http.call import Call

VERSION = metadata.version("shipledger")

_HTML = b"text/html; charset=utf-8"


async def welcome(call: Call) -> Answer:
    """Where to go next: a page for a browser, JSON for anyone else."""
    if "text/html" in call.request.headers.get("accept", ""):
        page, headers = call.services.welcome
        return Answer(200, page, list(headers), _HTML)
    links = {
        "docs": "/docs",
        "openapi": "/openapi.json",
        "orders": "/v1/orders",
        "fulfillments": "/v1/fulfillments",
        "events": "/v1/events",
        "webhooks": "/v1/webhooks",
        "health": "/healthz",
        "readiness": "/readyz",
    }
    return json_answer({"name": "Shipledger", "version": VERSION, "links": links})


async def alive(call: Call) -> Answer:
    """The process answers."""
    return json_answer({"status": "ok"})


async def ready(call: Call) -> Answer:
    """The ledger can be read."""
    try:
        await call.read(call.services.reading.order, 0, None)
    except Exception:
        return error(503, "Service Unavailable", "The ledger cannot be read.", [(b"retry-after", b"1")])
    return json_answer({"status": "ok"})


async def openapi(call: Call) -> Answer:
    """The OpenAPI document."""
    return json_answer(call.services.openapi)


async def docs(call: Call) -> Answer:
    """The API as a page to read."""
    page, headers = call.services.docs
    return Answer(200, page, list(headers), _HTML)
