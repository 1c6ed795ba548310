"""An OpenAPI document as the pages show it: operations with their fields, commands to paste, and the errors."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from shipledger.http.documentation.openapi_answers import LINES

Document = dict[str, Any]

BASE_URL = "http://127.0.0.1:8000"
_SHORT_OBJECT = re.compile(r"\{\n\s+([^{}\[\]]{1,48})\n\s+\}")
_LINE_BREAK = re.compile(r"\s*\n\s*")
_RANGES = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " entries"),
)
_MOST = {2**63 - 1: "2\u2076\u00b3-1"}
_WORDS = {"string": "string", "integer": "integer", "boolean": "true or false", "object": "object", "number": "number"}


@dataclass(frozen=True, slots=True)
class Field:
    """A field or a parameter: what it is called, its type in words, whether it must be there, and its own fields."""

    name: str
    kind: str
    is_required: bool
    description: str
    limits: str
    fields: tuple["Field", ...] = ()
    object: str = ""
    """The schema that its fields are listed under, elsewhere on the page."""


@dataclass(frozen=True, slots=True)
class Example:
    """A body, with what it shows."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class AnswerView:
    """One status: what it means, its headers, the schemas of its body, and examples of it."""

    status: str
    phrase: str
    description: str
    headers: tuple[str, ...]
    objects: tuple[str, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class OperationView:
    """One method of one path."""

    id: str
    method: str
    path: str
    aliases: tuple[str, ...]
    summary: str
    description: str
    scope: str
    parameters: tuple[Field, ...]
    shapes: tuple[tuple[str, tuple[Field, ...]], ...]
    commands: tuple[Example, ...]
    answers: tuple[AnswerView, ...]


class DocumentView:
    """Reads one OpenAPI document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.base_url: str = (document.get("servers") or [{"url": BASE_URL}])[0]["url"].rstrip("/")

    def groups(self) -> list[tuple[Document, list[OperationView]]]:
        """The operations by tag, in the order of the document."""
        found: dict[str, list[OperationView]] = {}
        for path, method, operation in self._operations():
            found.setdefault(operation["tags"][0], []).append(self._operation(path, method, operation))
        return [(tag, found.get(tag["name"], [])) for tag in self._document["tags"]]

    def objects(self) -> list[tuple[str, str, tuple[Field, ...]]]:
        """The schemas that answers hold, by name: description and fields."""
        schemas: Document = self._document["components"]["schemas"]
        answered = dict.fromkeys(name for path in self._operations() for name in self._answered(path[2]))
        waiting, names = list(answered), []
        while waiting:
            name = waiting.pop(0)
            if name not in names:
                names.append(name)
                waiting += _references(schemas[name])
        return [
            (name, schemas[name].get("description", ""), self._fields(schemas[name], is_answer=True))
            for name in schemas
            if name in names
        ]

    def errors(self) -> list[tuple[str, str, str]]:
        """Status, title and message of every error that the document has an example of."""
        found: dict[tuple[str, str], str] = {}
        for status, response in self._faults():
            for content in response["content"].values():
                for example in content.get("examples", {}).values():
                    found.setdefault((status, example["value"]["error"]), example["value"]["message"])
        return [(status, title, message) for (status, title), message in sorted(found.items())]

    def _faults(self) -> Iterator[tuple[str, Document]]:
        """Status and response. Shared ones that no operation names are known by their key, the status' name."""
        for _, _, operation in self._operations():
            for status, response in operation["responses"].items():
                if int(status) >= HTTPStatus.BAD_REQUEST:
                    yield status, self._resolve(response)
        status_of = {status.phrase.title().replace(" ", ""): str(int(status)) for status in HTTPStatus}
        for name, response in self._document["components"]["responses"].items():
            if name in status_of:
                yield status_of[name], response

    def _operations(self) -> Iterator[tuple[str, str, Document]]:
        for path, item in self._document["paths"].items():
            for method, operation in item.items():
                if "x-alias-of" not in operation:
                    yield path, method, operation

    def _operation(self, path: str, method: str, operation: Document) -> OperationView:
        aliases = tuple(
            other for other, item in self._document["paths"].items() if item.get(method, {}).get("x-alias-of") == path
        )
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        return OperationView(
            id=operation["operationId"],
            method=method.upper(),
            path=path,
            aliases=aliases,
            summary=operation["summary"],
            description=operation.get("description", ""),
            scope=operation.get("x-required-scope", ""),
            parameters=tuple(self._parameter(parameter) for parameter in operation.get("parameters", [])),
            shapes=self._shapes(body["schema"]) if body else (),
            commands=tuple(self._commands(path, method, operation)),
            answers=tuple(self._answer(status, answer) for status, answer in operation["responses"].items()),
        )

    def _parameter(self, parameter: Document) -> Field:
        place = {"path": "in the path", "query": "in the query", "header": "header"}[parameter["in"]]
        field = self._field(parameter["name"], parameter["schema"], is_required=parameter.get("required", False))
        return Field(
            field.name, f"{field.kind}, {place}", field.is_required, parameter.get("description", ""), field.limits
        )

    def _shapes(self, schema: Document) -> tuple[tuple[str, tuple[Field, ...]], ...]:
        schema = self._resolve(schema)
        if schema.get("type") == "array":
            schema = self._resolve(schema["items"])
        return tuple(
            (shape.get("title", ""), self._fields(shape)) for shape in schema.get("oneOf", [{**schema, "title": ""}])
        )

    def _fields(self, schema: Document, *, is_answer: bool = False) -> tuple[Field, ...]:
        """The fields of a schema; those that it forbids (null alone) are left out."""
        required = schema.get("required", [])
        return tuple(
            self._field(name, field, is_required=name in required, is_answer=is_answer)
            for name, field in sorted(schema.get("properties", {}).items(), key=lambda item: item[0] not in required)
            if field != {"type": "null"}
        )

    def _field(self, name: str, schema: Document, *, is_required: bool, is_answer: bool = False) -> Field:
        arms = [arm for arm in schema.get("anyOf", [schema]) if arm != {"type": "null"}]
        kinds = [self._kind(arm) for arm in arms]
        if is_answer and {"type": "null"} in schema.get("anyOf", []):
            kinds.append("null")
        target = next((target for arm in arms for target in _references(arm)), "")
        fields = self._fields(self._resolve({"$ref": f"#/components/schemas/{target}"})) if target else ()
        return Field(
            name,
            " or ".join(kinds),
            is_required,
            schema.get("description", ""),
            "; ".join(_limits({**schema, **arm}) for arm in arms if _limits({**schema, **arm})),
            () if is_answer else fields,
            target if is_answer else "",
        )

    def _kind(self, schema: Document) -> str:
        if "$ref" in schema:
            return "object"
        if schema.get("type") == "array":
            return f"list of {self._kind(schema['items'])}s"
        return _WORDS.get(schema.get("type", ""), "anything")

    def _commands(self, path: str, method: str, operation: Document) -> Iterator[Example]:
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", str(parameter.get("example", 1)))
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        takes_key = any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", []))
        for number, example in enumerate(body.get("examples", {}).values(), start=1):
            key = f"{operation['operationId']}-{number}" if takes_key else ""
            text = curl(self.base_url + path, method.upper(), example["value"], key)
            yield Example(example.get("summary", ""), text)
        if not body:
            yield Example("", curl(self.base_url + path, method.upper()))

    def _answer(self, status: str, response: Document) -> AnswerView:
        response = self._resolve(response)
        contents = response.get("content", {})
        content = contents.get("application/json", contents.get(LINES, {}))
        examples = content.get("examples", {}).values()
        return AnswerView(
            status,
            HTTPStatus(int(status)).phrase,
            response["description"],
            tuple(name for name in response.get("headers", {}) if name != "X-Request-Id"),
            tuple(_references(content.get("schema", {}))),
            tuple(Example(example.get("summary", ""), pretty(example["value"])) for example in examples),
        )

    def _answered(self, operation: Document) -> Iterator[str]:
        for response in operation["responses"].values():
            for content in self._resolve(response).get("content", {}).values():
                yield from _references(content.get("schema", {}))

    def _resolve(self, value: Document) -> Document:
        while "$ref" in value:
            place: Any = self._document
            for part in value["$ref"].removeprefix("#/").split("/"):
                place = place[part]
            value = place
        return value


def curl(url: str, method: str = "GET", body: Any = None, key: str = "") -> str:
    """A command to paste into a shell."""
    lines = [f"curl {url}" if method in {"GET", "POST"} else f"curl -X {method} {url}"]
    if body is not None:
        lines.append("-H 'Content-Type: application/json'")
        if key:
            lines.append(f"-H 'Idempotency-Key: {key}'")
        quoted = pretty(body).replace("'", "'\\''")
        lines.append(f"-d '{quoted}'")
    return " \\\n  ".join(lines)


def pretty(value: Any) -> str:
    """JSON for people: objects that fit on a line stay on one."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _SHORT_OBJECT.sub(lambda flat: f"{{ {_LINE_BREAK.sub(' ', flat[1])} }}", text)


def _references(schema: Any) -> list[str]:
    """The names of the schemas that a schema refers to, anywhere in it."""
    if isinstance(schema, dict):
        own = [schema["$ref"].rpartition("/")[2]] if "$ref" in schema else []
        return own + [name for value in schema.values() for name in _references(value)]
    return [name for value in schema for name in _references(value)] if isinstance(schema, list) else []


def _limits(schema: Document) -> str:
    """What a schema demands beyond its type, in words."""
    said = ["one of " + ", ".join(schema["enum"])] if "enum" in schema else []
    for low, high, unit in _RANGES:
        if high in schema:
            most = _MOST.get(schema[high], f"{schema[high]:,}")
            said.append(f"{schema[low]:,} to {most}{unit}" if low in schema else f"at most {most}{unit}")
    if schema.get("default") not in (None, [], False):
        said.append(f"default {schema['default']}")
    return ", ".join(said)
