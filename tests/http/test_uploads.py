"""Files of fulfillments over HTTP: looked through, confirmed, watched to their end, undone; and what is none."""

import http.client
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from shipledger.importing.parcel_files import open_parcel_file
from shipledger.limits import (
    UPLOAD_BYTES_MAX,
    UPLOAD_SECONDS_MAX,
    UPLOAD_VERDICTS_MAX,
    UPLOADS_AT_ONCE_MAX,
    UPLOADS_KEPT_MAX,
)
from tests.http.key_holders import close_server
from tests.http.ledger_dump import dump
from tests.http.orders_to_ship import record_order
from tests.importing.shipments import HEADER, import_shipments
from tests.serving import Engine, Reply, Server, running

pytestmark = pytest.mark.on_both_databases

ORDERS = 40
END_SECONDS_MAX = 20
CSV = {"Content-Type": "text/csv"}
SOME_BAD = HEADER + '2,A,1,"T ""2""",UPS\n99,A,1,T3,\n3,A,600,T4,\n3,B,1,T4,\n\n4,A\n'


@pytest.fixture(scope="module")
def server(engine: Engine) -> Iterator[Server]:
    with engine.running() as server:
        for number in range(1, ORDERS + 1):
            record_order(server, ("A", 500), ("B", 500), id=number, reference=f"#{number}")
        yield server


def upload(server: Server, text: str | bytes, query: str = "", **headers: str) -> Reply:
    body = text.encode() if isinstance(text, str) else text
    return server.send("POST", f"/v1/uploads{query}", body, headers or CSV)


def previewed(server: Server, text: str | bytes, query: str = "", **headers: str) -> dict[str, Any]:
    reply = upload(server, text, query, **headers)
    assert reply.status == 201, reply
    found: dict[str, Any] = reply.json()
    assert found["status"] == "previewed"
    return found


def ended(server: Server, upload_id: int) -> dict[str, Any]:
    """Confirm an upload, and wait for the end of its import."""
    assert server.send("POST", f"/v1/uploads/{upload_id}/confirm").status == 202
    return awaited(server, upload_id)


def awaited(server: Server, upload_id: int) -> dict[str, Any]:
    deadline = time.monotonic() + END_SECONDS_MAX
    while (found := server.get(f"/v1/uploads/{upload_id}").json())["status"] == "running":
        assert 0 <= found["rows_done"] <= found["rows"]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return dict(found)


def counts(found: dict[str, Any]) -> tuple[int, ...]:
    return tuple(found[name] for name in ("rows", "taken", "repeated", "rejected"))


def of_order(server: Server, order_id: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.get(f"/v1/fulfillments?order_id={order_id}").json()["fulfillments"]
    return found


def test_a_preview_says_what_would_become_of_each_row_and_writes_nothing(server: Server) -> None:
    before = dump(server.database)
    found = previewed(server, SOME_BAD, "?filename=shipped.csv")
    assert (found["file"], found["read_as"]) == ("shipped.csv", "CSV, utf-8, comma")
    assert {"field": "tracking_number", "column": "tracking number"} in found["columns"]
    assert counts(found) == (5, 1, 0, 4)
    assert [(row["line"], row["verdict"]) for row in found["verdicts"]] == [
        *((2, "taken"), (3, "rejected"), (4, "rejected"), (5, "rejected"), (7, "rejected"))
    ]
    assert sum(reason["rows"] for reason in found["reasons"]) == 4
    assert server.get(f"/v1/uploads/{found['id']}").json() == found
    assert dump(server.database) == before


def test_a_confirmed_file_is_recorded_and_again_it_is_a_no_op(server: Server, engine: Engine, tmp_path: Path) -> None:
    text = HEADER + "".join(f"{n},A,2,API-{n},UPS\n#{n},B,1,API-B{n},\n" for n in range(5, 35))
    first = ended(server, previewed(server, text)["id"])
    assert (first["status"], counts(first), first["rows_done"]) == ("done", (60, 60, 0, 0), 60)
    assert [one["tracking_number"] for one in of_order(server, 5)] == ["API-B5", "API-5"]
    (known,) = [one for one in server.get("/v1/imports").json()["imports"] if one["id"] == first["import_id"]]
    assert known["taken"] == 60
    fulfilled = dump(server.database)["fulfillments"]
    # Confirmed again, uploaded again, and by the command, through the server or beside it.
    assert ended(server, first["id"])["import_id"] == first["import_id"]
    again = previewed(server, text)
    assert counts(again) == (60, 0, 60, 0)
    assert ended(server, again["id"])["import_id"] == first["import_id"]
    by_command = import_shipments(tmp_path, text, server.database)
    assert (by_command.import_id, by_command.taken, by_command.repeated) == (first["import_id"], 0, 60)
    assert dump(server.database)["fulfillments"] == fulfilled


@pytest.mark.parametrize("is_confirmed", [False, True], ids=["previewed", "confirmed"])
@pytest.mark.parametrize(
    ("text", "headers"),
    [
        (SOME_BAD, CSV),
        (SOME_BAD.replace(",", ";").replace("\n", "\r\n").encode("utf-16"), CSV),
        (
            (
                '{"order_id": 6, "tracking_number": "N1", "line_items": [{"sku": "A", "quantity": 1}]}\n'
                '{"order_id": 7, "line_items": [{"sku": "A", "quantity": 1}]}\nnot JSON\n'
            ),
            {"Content-Type": "application/x-ndjson"},
        ),
        ('[{"order": 99, "sku": "A", "qty": 1, "awb": "X"}]', {"Content-Type": "application/json"}),
    ],
    ids=["csv", "utf-16", "ndjson", "json"],
)
def test_rejects_are_those_of_the_command_to_the_byte(
    server: Server, tmp_path: Path, text: str | bytes, headers: dict[str, str], *, is_confirmed: bool
) -> None:
    found = previewed(server, text, **headers)
    if is_confirmed:
        ended(server, found["id"])
    suffix = {"text/csv": "csv", "application/x-ndjson": "ndjson", "application/json": "json"}[headers["Content-Type"]]
    (tmp_path / f"file.{suffix}").write_bytes(text.encode() if isinstance(text, str) else text)
    by_command = run_command(tmp_path / f"file.{suffix}", server)
    reply = server.get(f"/v1/uploads/{found['id']}/rejects")
    assert reply.status == 200
    assert reply.headers["content-type"] == ("text/csv" if suffix == "csv" else "application/x-ndjson")
    assert reply.body == by_command
    assert b"rejected_line" in reply.body.replace(b"\0", b"")


def run_command(file: Path, server: Server) -> bytes:
    """What the command rejects of a file, looking only."""
    from zoneinfo import ZoneInfo

    from shipledger.boot.fulfillment_import import import_fulfillments
    from tests.importing.imports import Unwatched

    out = file.with_name("out")
    source = open_parcel_file(file, ())
    import_fulfillments(source, server.database, ZoneInfo("UTC"), Unwatched(), rejects=out, dry_run=True)
    return out.read_bytes()


def test_a_file_without_rejects_has_none(server: Server) -> None:
    found = previewed(server, HEADER + "8,A,1,ALL-GOOD,\n")
    reply = server.get(f"/v1/uploads/{found['id']}/rejects")
    assert (reply.status, reply.body) == (200, b"")


def test_an_import_is_undone_and_its_file_imported_anew(server: Server) -> None:
    text = HEADER + "37,A,3,UNDO-1,\n"
    first = ended(server, previewed(server, text)["id"])
    assert server.post(f"/v1/imports/{first['import_id']}/undo", {}).json()["is_undone"]
    assert server.get(f"/v1/uploads/{first['id']}").json()["status"] == "undone"
    assert [one["status"] for one in of_order(server, 37)] == ["cancelled"]
    anew = ended(server, previewed(server, text)["id"])
    assert counts(anew) == (1, 1, 0, 0)
    assert anew["import_id"] != first["import_id"]


def test_columns_are_mapped_by_repeated_or_joined_parameters(server: Server) -> None:
    text = '"Auftrag, Nr",Ware,Stück,Sendung\n10,A,1,MAP-1\n'
    maps = ["order=Auftrag, Nr", "sku=Ware", "quantity=Stück", "tracking_number=Sendung"]
    repeated = "?" + "&".join(f"map={quote(each)}" for each in maps)
    joined = f"?map={quote(','.join(maps))}"
    for query in (repeated, joined):
        found = previewed(server, text, query)
        assert {row["field"]: row["column"] for row in found["columns"]} == {
            "order": "Auftrag, Nr",
            "sku": "Ware",
            "quantity": "Stück",
            "tracking_number": "Sendung",
        }
        assert found["taken"] == 1


@pytest.mark.parametrize(
    ("text", "query", "status", "message"),
    [
        ("", "", 400, "file.csv is empty."),
        (b"\x7fELF\0\0\0", "", 400, "file.csv is not a text file."),
        (b"PK\x03\x04zip", "", 400, "file.csv is a workbook or an archive: save the sheet as CSV."),
        ("name,colour\nA,red\n", "", 400, "no column was recognised as order or sku or quantity or tracking_number"),
        (HEADER, "&map=sku%3DNone", 400, "map sku=None: no file has a column None"),
        (HEADER, "&map=colour%3Dsku", 400, "map takes field=column"),
        ("[" * 100_000, "", 400, "file.csv is nested too deeply"),
        (HEADER, "&timezone=Mars/Base", 400, "timezone must be a time zone's name"),
        (HEADER, "&timezone=../../etc/passwd", 400, "timezone must be a time zone's name"),
        (HEADER, "&maps=sku%3DA", 400, "did you mean map?"),
        (HEADER, "&timezone=UTC&timezone=UTC", 400, "timezone is given twice"),
    ],
)
def test_what_is_no_such_file_is_refused_clearly(
    server: Server, text: str | bytes, query: str, status: int, message: str
) -> None:
    before = dump(server.database)
    reply = upload(server, text, f"?filename=file.csv{query}")
    assert reply.status == status, reply
    assert message in reply.json()["message"]
    assert "/tmp" not in reply.json()["message"]
    assert dump(server.database) == before


@pytest.mark.parametrize("name", ["", "%00.csv", "a%0Ab.csv", "x" * 256])
def test_a_file_s_name_is_a_line_of_text(server: Server, name: str) -> None:
    reply = upload(server, HEADER, f"?filename={name}")
    assert (reply.status, reply.json()["details"][0]["at"]) == (400, "query.filename")


def test_a_file_s_name_never_becomes_a_path(server: Server) -> None:
    found = previewed(server, HEADER + "11,A,1,NAME-1,\n", "?filename=../../../evil.csv")
    assert found["file"] == "../../../evil.csv"
    assert ended(server, found["id"])["status"] == "done"


@pytest.mark.parametrize("headers", [{"Content-Type": "image/png"}, {**CSV, "Content-Encoding": "gzip"}])
def test_another_media_type_is_415(server: Server, headers: dict[str, str]) -> None:
    reply = upload(server, HEADER, **headers)
    assert reply.status == 415
    assert "text/csv" in reply.json()["message"]


def test_a_file_without_a_length_is_refused_when_it_becomes_too_large(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        chunks = [b"x" * 1024 * 1024] * (UPLOAD_BYTES_MAX // 1024 // 1024) + [b"x"]
        connection.request("POST", "/v1/uploads", iter(chunks), CSV, encode_chunked=True)
        assert connection.getresponse().status == 413
    finally:
        connection.close()


def test_a_preview_names_only_the_first_rows(server: Server) -> None:
    found = previewed(server, HEADER + "12,A,1,FIRST,\n" * (UPLOAD_VERDICTS_MAX + 5))
    assert (found["rows"], len(found["verdicts"])) == (UPLOAD_VERDICTS_MAX + 5, UPLOAD_VERDICTS_MAX)


@pytest.mark.parametrize("path", ["", "/confirm", "/rejects"])
def test_an_upload_that_is_not_here_says_to_upload_again(server: Server, path: str) -> None:
    reply = server.send("POST" if path == "/confirm" else "GET", f"/v1/uploads/1{path}")
    assert reply.status == 404
    assert "upload it again" in reply.json()["message"]


def test_a_file_that_says_that_it_is_too_large_is_refused_at_once(server: Server) -> None:
    reply = half_sent(server, UPLOAD_BYTES_MAX + 1).getresponse()
    assert reply.status == 413
    assert b"shipledger import fulfillments takes larger ones" in reply.read()


def half_sent(server: Server, size: int = 1_000) -> http.client.HTTPConnection:
    """An upload of which more is to come."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest("POST", "/v1/uploads")
    connection.putheader("Content-Type", "text/csv")
    connection.putheader("Content-Length", str(size))
    connection.endheaders(HEADER.encode())
    return connection


def test_few_are_at_work_at_once_and_who_leaves_makes_room(server: Server) -> None:
    coming = [half_sent(server) for _ in range(UPLOADS_AT_ONCE_MAX)]
    deadline = time.monotonic() + END_SECONDS_MAX
    while (reply := upload(server, HEADER + "13,A,1,ROOM,\n")).status == 201:
        assert time.monotonic() < deadline
        coming.append(half_sent(server))  # on PostgreSQL there are two processes, each with room of its own
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    for connection in coming:
        connection.close()
    while upload(server, HEADER + "13,A,1,ROOM,\n").status != 201:
        assert time.monotonic() < deadline


def test_the_oldest_makes_room_for_a_new_one(server: Server) -> None:
    oldest = previewed(server, HEADER + "14,A,1,OLD,\n")["id"]
    newer = [previewed(server, HEADER + "14,A,1,OLD,\n")["id"] for _ in range(UPLOADS_KEPT_MAX)]
    assert server.get(f"/v1/uploads/{oldest}").status == 404
    assert server.get(f"/v1/uploads/{newer[0]}").status == 200


def test_a_file_confirmed_twice_at_once_is_recorded_once(server: Server) -> None:
    text = HEADER + "".join(f"36,A,1,TWICE-{n},\n" for n in range(200))
    upload_id = previewed(server, text)["id"]
    with ThreadPoolExecutor(8) as threads:
        confirm = [
            threads.submit(server.send, "POST", f"/v1/uploads/{upload_id}/confirm", headers={}) for _ in range(8)
        ]
        assert {each.result().status for each in confirm} == {202}
    done = awaited(server, upload_id)  # on PostgreSQL two processes may have begun it, and each has its own counts
    assert (done["rows"], done["taken"] + done["repeated"]) == (200, 200)
    order = server.get("/v1/orders/36").json()
    assert [line["fulfilled"] for line in order["line_items"]] == [200, 0]


def test_an_import_that_the_server_s_end_broke_off_goes_on_with_the_same_file(engine: Engine, tmp_path: Path) -> None:
    text = HEADER + "".join(f"1,A,1,BROKEN-{n},\n" for n in range(5_000))
    database = engine.new_database()
    with engine.running(database) as server:
        record_order(server, ("A", 5_000), id=1)
        upload_id = previewed(server, text)["id"]
        server.send("POST", f"/v1/uploads/{upload_id}/confirm")
        assert server.stop() == 0
    with engine.running(database) as server:
        assert server.get(f"/v1/uploads/{upload_id}").status == 404
        done = ended(server, previewed(server, text)["id"])
        assert (done["status"], done["rejected"]) == ("done", 0)
        assert server.get("/v1/orders/1").json()["line_items"][0]["fulfilled"] == 5_000


def folders(temporary: Path) -> list[Path]:
    """Where the server whose temporary directory this is keeps its files."""
    return list(temporary.glob("shipledger-uploads-*/*"))


def test_a_file_is_kept_for_a_while_and_goes_with_the_server(engine: Engine, tmp_path: Path) -> None:
    with engine.running(TMPDIR=str(tmp_path)) as server:
        old = previewed(server, HEADER + "1,A,1,KEPT,\n")["id"]
        (folder,) = folders(tmp_path)
        os.utime(folder, (0, time.time() - UPLOAD_SECONDS_MAX - 1))
        assert server.get(f"/v1/uploads/{old}").status == 404
        new = previewed(server, HEADER + "1,A,1,KEPT,\n")["id"]
        assert [folder.name for folder in folders(tmp_path)] == [str(new)]
        assert upload(server, "").status == 400
        assert [folder.name for folder in folders(tmp_path)] == [str(new)]
    assert not list(tmp_path.glob("shipledger-uploads-*"))


def test_an_import_whose_process_was_lost_is_confirmed_again(engine: Engine, tmp_path: Path) -> None:
    with engine.running(TMPDIR=str(tmp_path)) as server:
        record_order(server, ("A", 5), id=1)
        upload_id = previewed(server, HEADER + "1,A,1,LOST,\n")["id"]
        (folder,) = folders(tmp_path)
        state = json.loads((folder / "state.json").read_bytes())
        state |= {"process": 2**22 + 1}  # above what Linux gives a process
        state["shown"] |= {"status": "running"}
        (folder / "state.json").write_text(json.dumps(state))
        found = server.get(f"/v1/uploads/{upload_id}").json()
        assert (found["status"], "confirm it again" in found["message"]) == ("failed", True)
        assert ended(server, upload_id)["status"] == "done"
        assert len(of_order(server, 1)) == 1


@pytest.mark.parametrize(
    ("role", "asked"),
    [("operator", {"scopes": ["fulfillments:read", "orders:write"]}), ("partner", {"partner": "east"})],
)
def test_files_need_an_operator_s_key_that_may_record_fulfillments(
    engine: Engine, role: str, asked: dict[str, Any]
) -> None:
    with engine.running() as server:
        operator = close_server(server)
        holder = operator.make("other", role, **asked)
        for path in ("/v1/uploads", "/v1/uploads/1/confirm", "/v1/imports", "/v1/imports/1/undo"):
            assert server.send("POST", path, HEADER, CSV | holder.headers).status == 403
        assert server.send("POST", "/v1/uploads", HEADER, CSV | operator.headers).status == 201


def test_a_server_that_has_no_place_for_files_serves_all_the_same(tmp_path: Path) -> None:
    nowhere = "import tempfile; tempfile.tempdir = '/nonexistent'; from shipledger.cli.main import main; main()"
    with running(tmp_path / "ledger.db", command=(sys.executable, "-c", nowhere, "serve")) as server:
        reply = upload(server, HEADER + "1,A,1,NOWHERE,\n")
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert server.get("/v1/uploads/1").status == 404
        assert server.get("/readyz").status == 200
