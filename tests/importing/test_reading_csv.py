"""Encoding, delimiter and line ends are found in the file; what is no table is said to be none."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from shipledger.importing.order_files import open_order_files
from shipledger.importing.reading import Unreadable
from tests.importing.imports import counts, import_files, import_text, order_lines, run

TEXT = "order;sku;quantity;title\n1001;ÄRZTE-1;2;Größe M\n1001;B;1;naïve\n"


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("cp1252", "cp1252"),
        ("latin-1", "cp1252"),
    ],
)
def test_the_encoding_is_found(tmp_path: Path, encoding: str, found: str) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes(TEXT.encode(encoding))
    assert f"CSV, {found}, semicolon" in open_order_files(file, None, ()).described()[0]
    assert counts(import_files(tmp_path / "ledger.db", file)) == (2, 2, 0, 0)
    assert order_lines(tmp_path / "ledger.db", "1001") == [("ÄRZTE-1", 2, "Größe M"), ("B", 1, "naïve")]


def test_utf_16_of_either_byte_order_is_read(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes(b"\xfe\xff" + TEXT.encode("utf-16-be"))
    import_files(tmp_path / "ledger.db", file)
    assert order_lines(tmp_path / "ledger.db", "1001")[0] == ("ÄRZTE-1", 2, "Größe M")


def test_bytes_without_a_character_in_windows_1252_are_read_as_latin_1(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes(b"order,sku,quantity,title\n1,A,1,caf\xe9\n2,B,1,odd \x81\n")
    imported = import_files(tmp_path / "ledger.db", file)
    assert imported.reasons == {"the title must not hold control, zero-width or direction characters": 1}
    assert order_lines(tmp_path / "ledger.db", "1") == [("A", 1, "café")]


def test_one_wrong_byte_far_into_the_file_decides_for_windows(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    rows = "".join(f"{n},SKU,1,plain\n" for n in range(1, 100_000))
    file.write_bytes(b"order,sku,quantity,title\n" + rows.encode() + b"100000,SKU,1,caf\xe9\n")
    assert "CSV, cp1252" in open_order_files(file, None, ()).described()[0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_delimiter_and_line_ends_are_found(tmp_path: Path, delimiter: str, line_end: str) -> None:
    rows = [["order", "sku", "quantity", "title"], ["#1", "A-1", "2", "One"], ["#1", "A-2", "3", "Two"]]
    text = line_end.join(delimiter.join(row) for row in rows) + line_end
    assert counts(import_text(tmp_path, text)) == (2, 2, 0, 0)
    assert order_lines(tmp_path / "ledger.db", "#1") == [("A-1", 2, "One"), ("A-2", 3, "Two")]


def test_quoted_texts_may_hold_delimiters_quotes_and_line_ends(tmp_path: Path) -> None:
    text = 'order,sku,quantity,title\n7,A,1,"Tea, green"\n7,B,1,"A ""fine"" mug"\n7,"C\nD",1,x\n7,E,1,last'
    imported = import_text(tmp_path, text)
    assert imported.reasons == {"the sku must not hold control, zero-width or direction characters": 1}
    assert order_lines(tmp_path / "ledger.db", "7") == [
        ("A", 1, "Tea, green"),
        ("B", 1, 'A "fine" mug'),
        ("E", 1, "last"),
    ]


def test_texts_like_formulas_are_texts(tmp_path: Path) -> None:
    import_text(tmp_path, "order,sku,quantity,title\n7,=1+1,1,=cmd|' /C calc'!A0\n7,@SUM(A1),2,+49 tea\n")
    assert order_lines(tmp_path / "ledger.db", "7") == [("=1+1", 1, "=cmd|' /C calc'!A0"), ("@SUM(A1)", 2, "+49 tea")]


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    assert counts(import_text(tmp_path, "\n\norder,sku,quantity\n\n1,A,1\n\n\n2,B,1\n\n")) == (2, 2, 0, 0)


def test_a_header_alone_is_an_import_of_nothing(tmp_path: Path) -> None:
    assert counts(import_text(tmp_path, "order,sku,quantity\n")) == (0, 0, 0, 0)
    assert run(tmp_path / "ledger.db", tmp_path / "orders.csv").returncode == 0


def workbook() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n\n \n", "no line with the names of its columns"),
        (bytes(range(256)) * 40, "is not a text file"),
        (workbook(), "save the sheet as CSV"),
        ("order,sku,quantity\n1,A,1\n".encode("utf-16-le"), "is not a text file"),
        (b"\xff\xfeo\x00r", "damaged"),
        (b'{"order": ', "is not valid JSON"),
        (b'{"order": NaN}', "is not valid JSON"),
        (b'{"customers": []}', "holds no orders: it is an object with customers"),
        (b"just a text\n", "Its columns are: just a text"),
    ],
)
def test_what_is_no_file_of_orders_is_said_to_be_none(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes(content)
    done = run(tmp_path / "ledger.db", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert not (tmp_path / "ledger.db").exists()


def test_a_missing_file_a_folder_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, says in (("missing.csv", "There is no file"), (".", "is a folder"), ("pipe", "cannot be read twice")):
        with pytest.raises(Unreadable, match=says):
            open_order_files(tmp_path / name, None, ())


def test_a_quote_that_is_never_closed_takes_no_row_along_unseen(tmp_path: Path) -> None:
    """It swallows what follows, up to the longest field there may be: all of that is in the rejects."""
    swallowed = "".join(f"{n},SKU-{n},1,row {n}\n" for n in range(3, 12_000))
    imported = import_text(tmp_path, f'order,sku,quantity,title\n1,A,1,fine\n2,B,1,"never closed\n{swallowed}')
    assert imported.reasons["a field is too long to be read (is a quote not closed?)"] >= 1
    rejects = imported.rejects[0].read_text(encoding="utf-8")
    taken = set(range(1, 12_000)) - {n for n in range(2, 12_000) if f"\n{n},SKU-{n}," in rejects or n == 2}
    assert imported.orders_taken == len(taken)
