"""The schemas of the OpenAPI document: the structs of requests and answers, with what their fields mean."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, get_args

import msgspec

from shipledger.http.documentation.field_notes import FIELD_NOTES
from shipledger.http.route import Route

Schema = dict[str, Any]

_PLACE = "#/components/schemas/{name}"


@dataclass(frozen=True, slots=True)
class _Shape:
    """One of the shapes of a request that a struct alone cannot say: what it needs, and what it may not hold."""

    title: str
    needs: tuple[str, ...]
    without: tuple[str, ...]


_PARCEL = (
    _Shape("One order", ("order_id", "tracking_number"), ("line_items_by_fulfillment_order",)),
    _Shape(
        "One order or several, in groups",
        ("line_items_by_fulfillment_order", "tracking_number"),
        ("order_id", "line_items"),
    ),
)
_SHAPES = {"CreateFulfillment": _PARCEL, "BulkFulfillment": _PARCEL}


def all_schemas(routes: Iterable[Route], *more: type[Any]) -> Schema:
    """Every struct that a route takes or answers, by its name, and those that they hold."""
    structs: dict[Any, None] = dict.fromkeys(more)
    for route in routes:
        for arm in (route.request, *(arm for answer in route.answers.values() for arm in arms(answer))):
            if is_struct(arm):
                structs[arm] = None
    _, found = msgspec.json.schema_components(structs, ref_template=_PLACE)
    for name, schema in found.items():
        for field, note in FIELD_NOTES.get(name, {}).items():
            schema["properties"][field].setdefault("description", note)
    return {name: _with_shapes(schema, _SHAPES[name]) if name in _SHAPES else schema for name, schema in found.items()}


def is_struct(schema: Any) -> bool:
    """Whether it is a struct, and so has a schema with a name."""
    return isinstance(schema, type) and issubclass(schema, msgspec.Struct)


def arms(answer: Any) -> tuple[Any, ...]:
    """The alternatives of a union; of anything else, the thing itself."""
    return get_args(answer) if isinstance(answer, UnionType) else (answer,)


def schema_of(schema: Any) -> Schema:
    """A reference to a struct's schema; the schema itself of anything else."""
    if is_struct(schema):
        return {"$ref": _PLACE.format(name=schema.__name__)}
    return msgspec.json.schema(schema, schema_hook=_anything)


def _anything(kind: type[Any]) -> Schema:
    if kind is object:
        return {"description": "Any JSON."}  # msgspec takes an empty schema for none
    raise NotImplementedError


def _with_shapes(schema: Schema, shapes: tuple[_Shape, ...]) -> Schema:
    """The schema as one of several, each complete, so that a generator or a reader needs to look at one alone."""
    properties: Mapping[str, Schema] = schema.pop("properties")
    schema.pop("required")
    schema["oneOf"] = [
        {
            "title": shape.title,
            "type": "object",
            "properties": {
                name: {"type": "null"} if name in shape.without else _required(field) if name in shape.needs else field
                for name, field in properties.items()
            },
            "required": list(shape.needs),
        }
        for shape in shapes
    ]
    return schema


def _required(field: Schema) -> Schema:
    """A field that may be absent or null in one shape, in a shape that needs it."""
    field = {name: value for name, value in field.items() if name != "default"}
    field["anyOf"] = [arm for arm in field["anyOf"] if arm != {"type": "null"}] if "anyOf" in field else []
    if len(field["anyOf"]) < 2:  # noqa: PLR2004 - one alternative is none
        (only,) = field.pop("anyOf") or ({},)
        field |= only
    return field
