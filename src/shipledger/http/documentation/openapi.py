"""The API as an OpenAPI document, made from the route table and the structs of requests and answers."""

import copy
import re
from collections.abc import Iterable
from typing import Any

from shipledger.http import schemas
from shipledger.http.documentation.openapi_answers import HEADERS, LINES, SHARED_RESPONSES, responses_of
from shipledger.http.documentation.openapi_examples import BULK_REQUESTS, NUMBER, PATH_IDS, REQUESTS
from shipledger.http.documentation.openapi_schemas import all_schemas, schema_of
from shipledger.http.route import PUBLIC, Route
from shipledger.http.upload_request import FILE_TYPES
from shipledger.limits import (
    ID_MAX,
    IDEMPOTENCY_KEY_CHARS_MAX,
    PAGE_DEFAULT,
    PAGE_MAX,
    PARTNER_CHARS_MAX,
    TRACKING_NUMBER_CHARS_MAX,
)

Document = dict[str, Any]

_DESCRIPTION = (
    "Shipledger records what was shipped against orders, exactly once: nothing is ever fulfilled beyond what was"
    " ordered, a request is applied whole or not at all, and it is answered only after it is durable. Requests and"
    " answers are JSON in UTF-8 with names in snake_case. It is read strictly, with one leniency: a comma may"
    " trail the last entry of a list or an object. Fields that are not known are ignored and named in warnings;"
    " one that resembles a known field is refused. Times are RFC 3339, answered in UTC to the second; a bare date"
    " means the end of that day. Ids are integers. Lists are newest first, in pages: send next_cursor as cursor"
    " until it is null. Every answer carries X-Request-Id; name it when you ask for help."
)
_TAGS = {
    "fulfillments": "What was shipped, parcel by parcel.",
    "orders": "What is to be shipped, and how far each order is.",
    "tracking": "What tracking numbers tell.",
    "events": "What happened, in one order that never skips.",
    "partners": "Who ships what: where the lines of new orders go.",
    "keys": "Who may do what. A key's secret is shown once.",
    "audit": "Every change, and who made it.",
    "webhooks": "Receivers that are told what happens: signed, and tried again for three days.",
    "uploads": "Files of fulfillments: uploaded, looked through, imported.",
    "server": "The server itself. These need no key.",
}
_SECURITY_SCHEMES: Document = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, needed once one was made. It may be sent as X-Access-Token instead.",
    }
}
_OTHER_TAG = "server"


def openapi_document(routes: Iterable[Route], version: str) -> Document:
    """The OpenAPI 3.1 document of a route table."""
    routes = tuple(routes)
    tags = dict.fromkeys(_tag(route) for route in routes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Shipledger",
            "version": version,
            "summary": "The ledger of what was shipped.",
            "description": _DESCRIPTION,
        },
        "tags": [{"name": tag, **({"description": _TAGS[tag]} if tag in _TAGS else {})} for tag in tags],
        "paths": _paths(routes),
        "components": {
            "schemas": all_schemas(routes, schemas.Error),
            "headers": copy.deepcopy(HEADERS),
            "responses": copy.deepcopy(SHARED_RESPONSES),
            "securitySchemes": copy.deepcopy(_SECURITY_SCHEMES),
        },
    }


def _paths(routes: tuple[Route, ...]) -> Document:
    """Aliases are paths of their own, marked as deprecated: they stay, and new clients have no use for them."""
    paths: Document = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    for route in routes:
        for number, path in enumerate(route.aliases, start=2):
            operation = _operation(route)
            operation["operationId"] += str(number)
            operation["description"] = f"The same as {route.method} {route.path}, which new clients use."
            operation |= {"deprecated": True, "x-alias-of": route.path}
            paths.setdefault(path, {})[route.method.lower()] = operation
    return paths


def _operation(route: Route) -> Document:
    operation: Document = {"operationId": _operation_id(route), "tags": [_tag(route)], "summary": route.summary}
    if route.description:
        operation["description"] = route.description
    if route.scope != PUBLIC:
        operation["x-required-scope"] = route.scope
        operation["security"] = [{name: []} for name in _SECURITY_SCHEMES]
    parameters = _parameters(route)
    if parameters:
        operation["parameters"] = parameters
    if route.request is not None:
        operation["requestBody"] = {
            "required": not route.is_body_optional,
            "content": _request_content(route, route.request),
        }
    if route.is_file:
        content = {media_type: {"schema": {"type": "string"}} for media_type in FILE_TYPES}
        operation["requestBody"] = {"required": True, "content": content}
    operation["responses"] = responses_of(route)
    return operation


def _request_content(route: Route, request: type[Any]) -> Document:
    schema, examples = schema_of(request), REQUESTS.get(request)
    if route.is_bulk:
        schema, examples = {"type": "array", "items": schema}, BULK_REQUESTS.get(request)
    content: Document = {"schema": schema}
    if examples is not None:
        content["examples"] = copy.deepcopy(examples)
    lines = {LINES: {"schema": schema_of(request)}} if route.is_bulk else {}
    return {"application/json": content, **lines}


def _tag(route: Route) -> str:
    """The resource: the first part of the path under /v1."""
    found = re.match(r"/v1/(\w+)", route.path)
    return found[1] if found else _OTHER_TAG


def _operation_id(route: Route) -> str:
    """createFulfillment, listOrders; of the server itself, the handler's name alone."""
    verb, tag = route.handler.__name__.strip("_"), _tag(route)
    noun = "" if tag == _OTHER_TAG else f"_{tag if verb == 'list' else tag.removesuffix('s')}"
    first, *more = (verb + noun).split("_")
    return first + "".join(word.title() for word in more)


def _parameters(route: Route) -> list[Document]:
    parameters = [_path_parameter(route, name) for name in re.findall(r"\{(\w+)\}", route.path)]
    for name, meaning in route.query.items():
        schema = {"type": "boolean", "default": False}
        parameters.append({"name": name, "in": "query", "description": meaning, "schema": schema})
    for name, given in route.parameters.items():
        schema = {key: value for key, value in given.items() if key != "description"}
        parameters.append({"name": name, "in": "query", "description": given["description"], "schema": schema})
    if route.list_spec is not None:
        for name, known in route.list_spec.filters.items():
            schema = dict(known.schema)
            parameters.append({"name": name, "in": "query", "description": known.description, "schema": schema})
        parameters += copy.deepcopy(_PAGE_PARAMETERS)
    if route.takes_key:
        parameters.append(copy.deepcopy(_KEY_PARAMETER))
    return parameters


def _path_parameter(route: Route, name: str) -> Document:
    parameter: Document = {"name": name, "in": "path", "required": True}
    if name == "number":
        text = {"type": "string", "minLength": 1, "maxLength": TRACKING_NUMBER_CHARS_MAX}
        return {**parameter, "description": "As it is written, percent-encoded.", "schema": text, "example": NUMBER}
    tag = _tag(route)
    if name != "id":
        parameter["description"] = f"The {tag.removesuffix('s')}'s {name}."
        parameter["schema"] = {"type": "string", "minLength": 1, "maxLength": PARTNER_CHARS_MAX}
        return {**parameter, "example": "acme"}
    parameter["description"] = f"The {tag.removesuffix('s')}'s id."
    parameter["schema"] = {"type": "integer", "minimum": 1, "maximum": ID_MAX}
    return {**parameter, "example": PATH_IDS[tag]} if tag in PATH_IDS else parameter


_PAGE_PARAMETERS = [
    {
        "name": "limit",
        "in": "query",
        "description": "How many rows a page has at most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_DEFAULT},
    },
    {
        "name": "cursor",
        "in": "query",
        "description": "next_cursor of the page before. It holds the filters, which need not be sent again.",
        "schema": {"type": "string", "minLength": 1},
    },
]
_KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes the request safe to repeat, for ever: the first success is answered again. Bare or quoted.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": IDEMPOTENCY_KEY_CHARS_MAX,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
    },
}
