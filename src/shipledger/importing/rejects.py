"""The rows that were not taken, in their sender's own layout, each behind its line and the reason."""

import os
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TextIO

import msgspec

from shipledger.importing.csv_file import CsvFile, Progress
from shipledger.importing.json_file import LINES, JsonFile, as_record
from shipledger.importing.reading import Unreadable
from shipledger.importing.staging import WHOLE

LINE, REASON = "rejected_line", "rejected_reason"

Rejects = Iterator[tuple[int, int, str]]
"""Line, item and reason, in the order of the file."""


def rejects_path(file: CsvFile | JsonFile) -> Path:
    """Where the rejects of a file lie unless told otherwise: beside it."""
    return file.path.with_name(file.path.name + (".rejects.csv" if isinstance(file, CsvFile) else ".rejects.ndjson"))


def require_ours(path: Path, *sources: Path) -> None:
    """Raise Unreadable where writing the rejects would lose a file that an import did not write."""
    if any(path.resolve() == source.resolve() for source in sources):
        raise Unreadable(f"The rejects would be written over {path} itself; name another file with --rejects.")
    if not path.parent.is_dir():
        raise Unreadable(f"There is no folder {path.parent} to write the rejects into.")
    if not os.access(path.parent, os.W_OK):
        raise Unreadable(f"The rejects cannot be written to {path}; name another file with --rejects.")
    if path.exists() and not _is_ours(path):
        raise Unreadable(f"{path} is there and holds no rejects; name another file with --rejects.")


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return LINE.encode() in file.read(4_096).replace(b"\0", b"")


def write_rejects(file: CsvFile | JsonFile, rejects: Rejects, path: Path) -> None:
    """Write them whole or not at all, in place of those of an earlier import."""
    unfinished = path.with_name(path.name + ".part")
    if isinstance(file, CsvFile):
        with unfinished.open("w", encoding=file.encoding, newline="") as output:
            _write_rows(file, rejects, output)
    else:
        with unfinished.open("w", encoding="utf-8", newline="\n") as output:
            _write_objects(file, rejects, output)
    unfinished.replace(path)


def _write_rows(file: CsvFile, rejects: Rejects, output: TextIO) -> None:
    rows = file.raw_rows()
    _, header = next(rows)
    line_end = header[len(header.rstrip("\r\n")) :] or "\n"
    columns = header.rstrip("\r\n")
    output.write(f"{LINE}{file.delimiter}{REASON}{file.delimiter}{columns}{line_end}")
    rejected = next(rejects, None)
    for line, text in rows:
        if rejected is None:
            break
        if line == rejected[0]:
            row = text.rstrip("\r\n")
            output.write(f'{line}{file.delimiter}"{rejected[2]}"{file.delimiter}{row}{line_end}')
            rejected = next(rejects, None)


def _write_objects(file: JsonFile, rejects: Rejects, output: TextIO) -> None:
    values = file.values(Progress())
    for line, of_record in groupby(rejects, itemgetter(0)):
        value = next(value for at, value in values if at == line)
        by_reason: dict[str, list[int]] = {}
        for _, item, reason in of_record:
            by_reason.setdefault(reason, []).append(item)
        for reason, items in by_reason.items():
            output.write(msgspec.json.encode({LINE: line, REASON: reason, **_part(value, items)}).decode() + "\n")


def _part(value: Any, items: list[int]) -> dict[str, Any]:
    """An order with those of its lines alone that were rejected, or a row."""
    record = as_record(value)
    if record is None:
        return {"text": value.decode("utf-8", "replace") if isinstance(value, bytes) else value}
    if items == [WHOLE] or LINES not in record:
        return record
    return {**record, LINES: [record[LINES][item] for item in items]}
