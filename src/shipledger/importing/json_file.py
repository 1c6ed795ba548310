"""Reads JSON: one object a line (NDJSON), or one document with orders in it. Orders, or rows of a table."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from shipledger.importing.csv_file import Progress, Row
from shipledger.importing.reading import Unreadable

LINES = "line_items"
_DELETED = "delete"
_WRAPPERS = ("orders", "create", "update", _DELETED)
"""Where a document holds its orders; the last three are the answer of WooCommerce's batch."""
_LINE_SUFFIXES = {".ndjson", ".jsonl"}

Record = tuple[int, dict[str, Any] | None]
"""The line of an object (in a document: its place, from 1), and the object; None where it is none."""


@dataclass(slots=True)
class JsonFile:
    """Objects in a file. `document` holds them where they are not one a line; `columns` where they are rows."""

    path: Path
    document: list[Any] | None = None
    columns: list[str] = field(default_factory=list)
    deleted_from: int | None = None
    """The place from which on the orders of a document are deleted ones."""

    @property
    def described(self) -> str:
        """How the file is read."""
        return "NDJSON" if self.document is None else "JSON"

    @property
    def holds_orders(self) -> bool:
        """Whether each object is an order with its lines, and not a row."""
        return not self.columns

    def records(self, progress: Progress) -> Iterator[Record]:
        """Every object."""
        for line, value in self.values(progress):
            yield line, as_record(value)

    def rows(self, progress: Progress) -> Iterator[Row]:
        """Every object as a row of texts in the order of the columns."""
        for line, record in self.records(progress):
            yield line, None if record is None else _fields(record, self.columns)

    def values(self, progress: Progress) -> Iterator[tuple[int, Any]]:
        """Every line that is not blank, as bytes, or every element of the document."""
        if self.document is not None:
            yield from enumerate(self.document, 1)
            return
        with self.path.open("rb") as file:
            progress.at = file.tell
            for line, text in enumerate(file, 1):
                stripped = text.removeprefix(b"\xef\xbb\xbf").strip() if line == 1 else text.strip()
                if stripped:
                    yield line, stripped


def as_record(value: Any) -> dict[str, Any] | None:
    """The object that a line or an element is."""
    if isinstance(value, bytes):
        try:
            value = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def open_json(path: Path) -> JsonFile | None:
    """The objects of a file, or None where it does not begin like JSON."""
    with path.open("rb") as file:
        start = file.readline().removeprefix(b"\xef\xbb\xbf").strip()
        while not start and (line := file.readline()):
            start = line.strip()
        if start[:1] not in {b"{", b"["}:
            return None
        has_more = any(line.strip() for line in file)
    if path.suffix.lower() in _LINE_SUFFIXES or (has_more and as_record(start) is not None):
        source = JsonFile(path)
    else:
        source = _open_document(path)
    first = next((record for _, record in source.records(Progress()) if record is not None), None)
    if first is not None and LINES not in first and not _is_order_without_lines(first):
        source.columns = list(first)
    return source


def _open_document(path: Path) -> JsonFile:
    try:
        value = msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except ValueError as error:
        raise Unreadable(f"{path} is not valid JSON: {error}.") from None
    except RecursionError:
        raise Unreadable(f"{path} is nested too deeply to be orders or rows.") from None
    if isinstance(value, list):
        return JsonFile(path, value)
    if LINES in value:
        return JsonFile(path, [value])
    if isinstance(value.get("order"), dict):
        return JsonFile(path, [value["order"]])
    lists = {name: value[name] for name in _WRAPPERS if isinstance(value.get(name), list)}
    if not lists:
        raise Unreadable(f"{path} holds no orders: it is an object with {', '.join(list(value)[:8]) or 'nothing'}.")
    orders = [order for orders in lists.values() for order in orders]
    deleted = len(lists.get(_DELETED, ()))
    return JsonFile(path, orders, deleted_from=len(orders) - deleted + 1 if deleted else None)


def _is_order_without_lines(record: dict[str, Any]) -> bool:
    return "financial_status" in record or "order_key" in record


def _fields(record: dict[str, Any], columns: list[str]) -> list[str] | None:
    fields = []
    for column in columns:
        value = record.get(column)
        if isinstance(value, (dict, list)):
            return None
        fields.append("" if value is None else value if isinstance(value, str) else str(value))
    return fields
