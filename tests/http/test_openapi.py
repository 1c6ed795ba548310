"""The OpenAPI document: valid, complete against the route table, and with examples that hold."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import schemathesis

from shipledger.http import schemas
from shipledger.http.answer import server_error
from shipledger.http.documentation.field_notes import FIELD_NOTES
from shipledger.http.documentation.openapi import openapi_document
from shipledger.http.route import Route
from shipledger.http.routes import ROUTES

DOCUMENT = openapi_document(ROUTES, "1.2.3")
PUBLISHED = {
    "order_id": 450789469,
    "line_items": [{"sku": "RPBF24-1941", "quantity": 1}],
    "tracking_number": "1ZE356F8YW01937117",
}
ENVELOPE = {
    "line_items_by_fulfillment_order": [{"order_id": 450789469, "line_items": [{"sku": 7, "quantity": 1}]}],
    "tracking_number": "X",
}


def resolve(document: dict[str, Any], value: Any) -> Any:
    while "$ref" in value:
        place: Any = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        value = place
    return value


def operation_of(route: Route, path: str = "") -> dict[str, Any]:
    operation: dict[str, Any] = DOCUMENT["paths"][path or route.path][route.method.lower()]
    return operation


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects_in(part)


def validator(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def accepts(name: str, value: Any) -> bool:
    return validator({"$ref": f"#/components/schemas/{name}"}).is_valid(value)


def test_is_valid_and_can_be_loaded() -> None:
    schema = schemathesis.openapi.from_dict(json.loads(msgspec.json.encode(DOCUMENT)))
    schema.validate()
    assert len(list(schema.get_all_operations())) == sum(1 + len(route.aliases) for route in ROUTES)


def test_an_invalid_document_is_caught() -> None:
    with pytest.raises(Exception, match="required"):
        schemathesis.openapi.from_dict({**DOCUMENT, "info": {"invalid_info": 1}}).validate()


def test_every_reference_leads_somewhere() -> None:
    for found in objects_in(DOCUMENT):
        if "$ref" in found:
            assert resolve(DOCUMENT, found)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_told_completely(route: Route) -> None:
    for path in (route.path, *route.aliases):
        operation = operation_of(route, path)
        assert operation["summary"] == route.summary
        assert operation.get("x-required-scope", "") == route.scope
        assert {str(status) for status in route.answers} | {"403", "500"} <= operation["responses"].keys()
        assert ("503" in operation["responses"]) or route.method == "GET"
        assert ("requestBody" in operation) is (route.request is not None or route.is_file)
        wanted = {*route.query, *route.parameters, *(route.list_spec.parameters if route.list_spec else ())}
        wanted |= {"Idempotency-Key"} if route.takes_key else set()
        wanted |= set(re.findall(r"\{(\w+)\}", route.path))
        assert {parameter["name"] for parameter in operation.get("parameters", [])} == wanted
        for answer in operation["responses"].values():
            response = resolve(DOCUMENT, answer)
            assert response["description"]
            assert "X-Request-Id" in response["headers"]


def test_nothing_is_told_that_is_no_route() -> None:
    told = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert told == {(route.method, path) for route in ROUTES for path in (route.path, *route.aliases)}


def test_aliases_are_marked() -> None:
    aliases = {path for path, item in DOCUMENT["paths"].items() for found in item.values() if "x-alias-of" in found}
    assert aliases == {alias for route in ROUTES for alias in route.aliases}
    for route in ROUTES:
        assert all(operation_of(route, alias)["deprecated"] for alias in route.aliases)


def test_filters_keep_their_schema_and_description() -> None:
    for route in ROUTES:
        for name, known in (route.list_spec.filters if route.list_spec else {}).items():
            (parameter,) = [found for found in operation_of(route)["parameters"] if found["name"] == name]
            assert (parameter["schema"], parameter["description"]) == (known.schema, known.description)


def test_names_are_unique() -> None:
    ids = [found["operationId"] for item in DOCUMENT["paths"].values() for found in item.values()]
    assert len(set(ids)) == len(ids)
    structs = [kind for kind in vars(schemas).values() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
    assert len({kind.__name__ for kind in structs}) == len(structs)
    titles = [schema.get("title", name) for name, schema in DOCUMENT["components"]["schemas"].items()]
    assert sorted(titles) == sorted(DOCUMENT["components"]["schemas"])


@pytest.mark.parametrize(
    "value",
    [
        PUBLISHED,
        ENVELOPE,
        {**PUBLISHED, "order_id": "#1001", "line_items": None},
        {**PUBLISHED, "line_items_by_fulfillment_order": None, "note": "an unknown field"},
        {**ENVELOPE, "order_id": None, "carrier": "UPS"},
    ],
)
def test_both_shapes_of_the_request_are_valid(value: Any) -> None:
    assert accepts("CreateFulfillment", value)


@pytest.mark.parametrize(
    "value",
    [
        {**PUBLISHED, **ENVELOPE},
        {**ENVELOPE, "line_items": [{"sku": "A", "quantity": 1}]},
        {"tracking_number": "X"},
        {"order_id": 1},
        {**PUBLISHED, "line_items": []},
        {**PUBLISHED, "line_items": [{"sku": "A", "quantity": 0}]},
        {**ENVELOPE, "line_items_by_fulfillment_order": []},
        {**PUBLISHED, "order_id": None},
    ],
)
def test_what_is_neither_shape_is_invalid(value: Any) -> None:
    assert not accepts("CreateFulfillment", value)


def test_every_example_is_valid() -> None:
    contents = [
        (content["schema"], example["value"])
        for found in objects_in(DOCUMENT)
        for content in found.get("content", {}).values()
        for example in content.get("examples", {}).values()
    ]
    assert len(contents) > len(ROUTES)
    for schema, value in contents:
        validator(schema).validate(value)


def test_published_errors_are_kept_to_the_letter() -> None:
    create = operation_of(ROUTES[0])["responses"]
    bad, missing, broken = (
        [
            found["value"]
            for found in resolve(DOCUMENT, create[code])["content"]["application/json"]["examples"].values()
        ]
        for code in ("400", "404", "500")
    )
    assert (bad[0]["error"], bad[0]["message"]) == (
        "Invalid SKU or Quantity",
        "One or more line items have an invalid SKU or quantity specified.",
    )
    assert missing == [{"error": "Order Not Found", "message": "The order with the specified ID was not found."}]
    assert broken == [msgspec.json.decode(server_error().body)]
    assert broken[0]["message"] == "An error occurred on our server. Please try again later."


def test_every_note_is_about_a_field_and_every_field_of_a_request_has_one() -> None:
    for name, notes in FIELD_NOTES.items():
        known = [found.get("properties", {}) for found in objects_in(DOCUMENT["components"]["schemas"][name])]
        assert notes.keys() <= {field for properties in known for field in properties}, name
    requests = {route.request.__name__ for route in ROUTES if route.request is not None}
    for name in (*requests, "RequestedLine", "RequestedGroup", "OrderedLine"):
        for found in objects_in(DOCUMENT["components"]["schemas"][name]):
            for field, schema in found.get("properties", {}).items():
                assert schema == {"type": "null"} or schema.get("description"), f"{name}.{field}"
