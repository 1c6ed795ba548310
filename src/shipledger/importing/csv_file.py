"""Reads CSV as it comes: encoding, delimiter and line ends are found by looking at the file."""

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from shipledger.importing.reading import Unreadable

DELIMITERS = ",;\t|"
_BLOCK = 1024 * 1024
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_UNASSIGNED = b"\x81\x8d\x8f\x90\x9d"
"""Bytes to which windows-1252 gives no character."""

Row = tuple[int, list[str] | None]
"""The line on which a row begins, and its fields; None where it cannot be cut into fields."""


@dataclass(slots=True)
class Progress:
    """How far reading has come: `at` tells the bytes."""

    at: Callable[[], int] = int


@dataclass(slots=True)
class CsvFile:
    """A table in a text file. Rows are numbered by the line on which they begin; the first line is 1."""

    path: Path
    encoding: str
    delimiter: str = ","
    columns: list[str] = field(default_factory=list)
    _header_line: int = 0

    @property
    def described(self) -> str:
        """How the file is read."""
        names = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
        return f"CSV, {self.encoding}, {names[self.delimiter]}"

    def rows(self, progress: Progress) -> Iterator[Row]:
        """Every row below the header. Blank lines are none."""
        with self._open() as file:
            progress.at = file.buffer.tell
            for line, fields in self._cut(file):
                if line > self._header_line:
                    yield line, fields

    def raw_rows(self) -> Iterator[tuple[int, str]]:
        """The header and every row below it, as they stand in the file."""
        with self._open() as file:
            lines: list[str] = []
            for line, _ in self._cut(_kept(file, lines)):
                if line >= self._header_line:
                    yield line, "".join(lines)
                lines.clear()

    @contextmanager
    def _open(self) -> Iterator[TextIO]:
        with self.path.open(encoding=self.encoding, newline="") as file:
            try:
                yield file
            except UnicodeError:
                raise Unreadable(f"{self.path} is damaged: it begins as {self.encoding} and is not.") from None

    def _cut(self, lines: Iterable[str]) -> Iterator[Row]:
        reader = csv.reader(lines, delimiter=self.delimiter)
        line = 1
        while True:
            try:
                fields: list[str] | None = next(reader)
            except StopIteration:
                return
            except csv.Error:
                fields = None
            if fields is None or fields:
                yield line, fields
            line = reader.line_num + 1

    def find_columns(self) -> None:
        """Find the delimiter, the one that gives the most columns, and read the header."""
        best: list[str] = []
        for delimiter in DELIMITERS:
            attempt = CsvFile(self.path, self.encoding, delimiter)
            with attempt._open() as file:
                line, fields = next(attempt._cut(file), (0, None))
            if fields is not None and len(fields) > len(best):
                best, self.delimiter, self._header_line = fields, delimiter, line
        self.columns = [column.strip() for column in best]
        if not any(self.columns):
            raise Unreadable(f"{self.path} has no line with the names of its columns.")


def _kept(file: Iterable[str], lines: list[str]) -> Iterator[str]:
    for line in file:
        lines.append(line)
        yield line


def find_encoding(path: Path) -> str:
    """The encoding of a text file: by its byte order mark, UTF-8 where all of it is, and else that of Windows."""
    with path.open("rb") as file:
        start = file.read(8_192)
        if start.startswith(b"PK\x03\x04"):
            raise Unreadable(f"{path} is a workbook or an archive: save the sheet as CSV.")
        for bom, encoding in _BOMS:
            if start.startswith(bom):
                return encoding
        if b"\0" in start:
            raise Unreadable(f"{path} is not a text file.")
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
            return "utf-8"
        except UnicodeDecodeError:
            file.seek(0)
        while block := file.read(_BLOCK):
            if any(byte in block for byte in _UNASSIGNED):
                return "latin-1"
    return "cp1252"
