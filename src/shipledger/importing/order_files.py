"""From the files that a sender names to staged orders."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

from shipledger.export_table import ORDERS, is_table
from shipledger.importing.columns import (
    FIELDS,
    LINE_FIELDS,
    export_layout,
    lay_out,
    read_mapping,
    require_columns_of_mapping,
    require_fields,
)
from shipledger.importing.csv_file import CsvFile, Progress, find_encoding
from shipledger.importing.exported_orders import EXPORT_FIELDS
from shipledger.importing.json_file import JsonFile, open_json
from shipledger.importing.json_orders import stage_orders
from shipledger.importing.reading import Told, Unreadable
from shipledger.importing.staging import Staging
from shipledger.importing.table_orders import ORDER_FIELDS, Table, stage_headers, stage_lines
from shipledger.order import OrderContent

TOLD_EVERY_ROWS = 5_000


@dataclass(slots=True)
class OrderFiles:
    """The files of an import, opened and understood: `tables` are empty where the one file holds whole orders."""

    files: list[CsvFile | JsonFile]
    tables: list[Table] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """How much there is to read."""
        return sum(file.path.stat().st_size for file in self.files)

    def described(self) -> list[str]:
        """How each file is read, and which of its columns are not."""
        texts = [f"{file.path}: {file.described}" for file in self.files]
        for place, table in enumerate(self.tables):
            unused = f"; not used: {', '.join(table.layout.unused)}" if table.layout.unused else ""
            texts[place] += f"; {table.layout.described()}{unused}"
        return texts


def open_order_files(orders: Path, lines: Path | None, maps: Sequence[str]) -> OrderFiles:
    """Open the file of orders, and that of their lines if there is one. Raises Unreadable."""
    mapping = read_mapping(maps)
    files = [open_file(path) for path in (orders, lines) if path is not None]
    if any(isinstance(file, JsonFile) and file.holds_orders for file in files):
        if len(files) > 1 or mapping:
            raise Unreadable("A file of whole orders takes neither --lines nor --map: its orders hold their lines.")
        return OrderFiles(files)
    require_columns_of_mapping(mapping, *(file.columns for file in files))
    if lines is None and not mapping and is_table(ORDERS, files[0].columns):
        tables = [Table(files[0], export_layout(files[0].columns, EXPORT_FIELDS))]
    elif lines is None:
        tables = [Table(files[0], lay_out(files[0].columns, mapping, tuple(FIELDS)))]
    else:
        wanted = (ORDER_FIELDS, ("order", *LINE_FIELDS))
        tables = [Table(file, lay_out(file.columns, mapping, names)) for file, names in zip(files, wanted, strict=True)]
        require_fields(tables[0].layout, ["order"], str(orders))
    require_fields(tables[-1].layout, ["order", "sku", "quantity"], str(tables[-1].file.path))
    return OrderFiles(files, tables)


def open_file(path: Path) -> CsvFile | JsonFile:
    """A file, as what it is. Raises Unreadable."""
    try:
        if path.is_dir():
            raise Unreadable(f"{path} is a folder; name a file.")
        if not path.exists():
            raise Unreadable(f"There is no file {path}.")
        if not path.is_file():
            raise Unreadable(f"{path} cannot be read twice; save it to a file first.")
        if path.stat().st_size == 0:
            raise Unreadable(f"{path} is empty.")
        return open_json(path) or _open_csv(path)
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}.") from None


def _open_csv(path: Path) -> CsvFile:
    file = CsvFile(path, find_encoding(path))
    file.find_columns()
    return file


def stage(source: OrderFiles, zone: tzinfo, told: Told) -> Staging[OrderContent]:
    """Read everything. `told` hears now and then how many bytes and rows were read. Raises Unreadable."""
    staging = Staging(OrderContent, lines_file=len(source.files) - 1)
    read_before = 0
    progress = Progress()

    def tell() -> None:
        if staging.rows % TOLD_EVERY_ROWS == 0:
            told(read_before + progress.at(), staging.rows)

    if not source.tables and isinstance(source.files[0], JsonFile):
        stage_orders(source.files[0], staging, zone, progress, tell)
    for table in source.tables[:-1]:
        stage_headers(table, staging, zone, progress, tell)
        read_before = table.file.path.stat().st_size
    for table in source.tables[-1:]:
        stage_lines(table, staging, zone, progress, tell)
    staging.finish_reading()
    told(source.bytes, staging.rows)
    return staging
