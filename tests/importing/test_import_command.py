"""`shipledger import orders`: its exit statuses, its one JSON object, its dry run, and the ledger's lock."""

import http.server
import json
import os
import pty
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shipledger.boot import order_import
from shipledger.boot.order_import import import_orders
from shipledger.commit import batch
from shipledger.importing import order_sender, order_values, table_orders
from shipledger.importing.order_files import open_order_files
from shipledger.importing.order_sender import OrderSender, ServerAway, as_request
from shipledger.order import OrderContent, OrderedLine
from shipledger.outcome import Crashed
from shipledger.storage.ledger_lock import LedgerLock
from tests.importing.imports import (
    broken_invariants,
    command,
    counts,
    environment,
    import_files,
    import_text,
    ledger_orders,
    run,
    run_json,
)
from tests.serving import Server, running

GOOD = "order,sku,quantity,title\n1,A,1,One\n1,B,2,Two\n#2,A,3,\n"
MIXED = GOOD + "#3,A,0,\n"


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    file = tmp_path / "orders.csv"
    file.write_text(GOOD, encoding="utf-8")
    return file


def test_every_row_taken_is_0_and_repeated_is_taken(tmp_path: Path, orders: Path) -> None:
    assert run(tmp_path / "ledger.db", orders).returncode == 0
    status, report = run_json(tmp_path / "ledger.db", orders)
    assert status == 0
    assert report == {
        "rows": 3,
        "taken": 0,
        "repeated": 3,
        "rejected": 0,
        "orders": {"taken": 0, "repeated": 2, "rejected": 0},
        "reasons": {},
        "rejects": None,
        "more_rejects": [],
    }


def test_a_ledger_that_records_nothing_ends_the_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        order_import, "commit_batch", lambda ledger, commands, now: [Crashed("a command failed") for _ in commands]
    )
    with pytest.raises(Crashed, match="none of the orders"):
        import_text(tmp_path, GOOD)


def test_an_order_that_cannot_be_recorded_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = batch.commit_batch

    def commit_but_one(ledger: Any, commands: Any, now: int) -> Any:
        return [Crashed("a command failed"), *commit(ledger, commands[1:], now)]

    monkeypatch.setattr(order_import, "commit_batch", commit_but_one)
    assert import_text(tmp_path, GOOD).reasons == {"the ledger could not record the order": 1}


def test_one_that_said_something_else_each_time_would_be_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of running again: a build that writes into an order when it was imported."""
    times = iter(range(100))

    def order_from_values(values: dict[str, Any], zone: ZoneInfo) -> OrderContent:
        return order_values.order_from_values({**values, "metadata": {"imported_at": next(times)}}, zone)

    monkeypatch.setattr(table_orders, "order_from_values", order_from_values)
    import_text(tmp_path, GOOD)
    assert counts(import_text(tmp_path, GOOD)) == (3, 0, 0, 3)


def test_a_rejected_row_is_1_and_the_rest_is_taken(tmp_path: Path, orders: Path) -> None:
    orders.write_text(MIXED, encoding="utf-8")
    done = run(tmp_path / "ledger.db", orders)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the quantity is below 1" in done.stderr
    assert "orders.csv.rejects.csv" in done.stderr
    assert len(ledger_orders(tmp_path / "ledger.db")) == 2


def test_a_dry_run_decides_and_writes_nothing(tmp_path: Path, orders: Path) -> None:
    orders.write_text(MIXED, encoding="utf-8")
    status, report = run_json(tmp_path / "ledger.db", orders, "--dry-run")
    assert (status, report["taken"], report["rejected"], report["rejects"]) == (1, 3, 1, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["orders.csv"]


def test_a_dry_run_knows_what_the_ledger_has(tmp_path: Path) -> None:
    import_text(tmp_path, GOOD)
    before = ledger_orders(tmp_path / "ledger.db")
    imported = import_text(tmp_path, "order,sku,quantity,title\n1,A,1,One\n1,B,2,Two\n#2,A,4,\n9,C,1,\n", dry_run=True)
    assert counts(imported) == (4, 1, 2, 1)
    assert ledger_orders(tmp_path / "ledger.db") == before


def test_a_dry_run_knows_what_the_file_said_before(tmp_path: Path) -> None:
    order = {"id": 1, "reference": "A", "line_items": [{"sku": "X", "quantity": 1}]}
    file = tmp_path / "orders.json"
    file.write_text(json.dumps([order, order, {**order, "id": 2}]), encoding="utf-8")
    dry = import_files(tmp_path / "ledger.db", file, dry_run=True)
    assert counts(dry) == counts(import_files(tmp_path / "ledger.db", file)) == (3, 1, 1, 1)


def test_a_dry_run_writes_the_rejects_where_they_are_asked_for(tmp_path: Path) -> None:
    imported = import_text(tmp_path, MIXED, dry_run=True, rejects=tmp_path / "out.csv")
    assert imported.rejects == [tmp_path / "out.csv"]
    assert not (tmp_path / "ledger.db").exists()


def test_beside_a_server_the_dry_run_reads_the_ledger(tmp_path: Path, orders: Path) -> None:
    with running(tmp_path / "ledger.db"):
        run_json(tmp_path / "ledger.db", orders)
        _, report = run_json(tmp_path / "ledger.db", orders, "--dry-run")
    assert report["repeated"] == 3


def test_a_ledger_that_another_process_writes_is_not_touched(tmp_path: Path, orders: Path) -> None:
    lock = LedgerLock(tmp_path / "ledger.db")
    try:
        done = run(tmp_path / "ledger.db", orders)
    finally:
        lock.release()
    assert done.returncode == 1
    assert "is being written by another process" in done.stderr


def test_a_file_that_is_no_ledger_is_left_alone(tmp_path: Path, orders: Path) -> None:
    (tmp_path / "ledger.db").write_text("not a database, but more than a page of text " * 200, encoding="utf-8")
    done = run(tmp_path / "ledger.db", orders)
    assert done.returncode == 1
    assert "not a database" in done.stderr


def test_wrong_usage_is_2(tmp_path: Path, orders: Path) -> None:
    for arguments in (["--timezone", "Mars/Olympus"], ["--map", "nothing"], ["--unknown"]):
        assert run(tmp_path / "ledger.db", orders, *arguments).returncode == 2
    assert run(tmp_path / "ledger.db").returncode == 2


def test_help_has_examples_and_comes_quickly() -> None:
    done = run(Path("ledger.db"), "--help")
    assert done.returncode == 0
    assert "shipledger import orders orders.csv --lines order-details.csv" in done.stdout


def test_progress_is_shown_on_a_terminal_only(tmp_path: Path, orders: Path) -> None:
    assert "recording" not in run(tmp_path / "first.db", orders).stderr
    controller, terminal = pty.openpty()
    try:
        subprocess.run(
            command(tmp_path / "second.db", orders, "--json"),
            env=environment(TERM="xterm"),
            check=True,
            stdout=subprocess.PIPE,
            stderr=terminal,
            timeout=60,
        )
        os.close(terminal)
        shown = os.read(controller, 65_536).decode()
    finally:
        os.close(controller)
    assert "reading" in shown
    assert "recording" in shown
    assert "100%" in shown


def test_progress_tells_of_what_was_read_and_of_what_was_recorded(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("order,sku,quantity\n" + "".join(f"{n},A,1\n{n},B,1\n" for n in range(1, 6_001)), encoding="utf-8")
    told: list[tuple[str, int]] = []

    class Watching:
        def read(self, bytes_read: int, rows: int) -> None:
            told.append(("read", bytes_read))

        def recorded(self, rows: int) -> None:
            told.append(("recorded", rows))

    source = open_order_files(file, None, ())
    import_orders(source, tmp_path / "ledger.db", ZoneInfo("UTC"), Watching())
    read = [so_far for what, so_far in told if what == "read"]
    assert read == sorted(read)
    assert (len(read) > 2, read[-1]) == (True, file.stat().st_size)
    assert sum(rows for what, rows in told if what == "recorded") == 12_000


SAME_RULES = [
    {"sku": "x" * 255},
    {"sku": "x" * 256},
    {"sku": "A\u200bB"},
    {"sku": "  "},
    {"quantity": 10**9},
    {"quantity": 10**9 + 1},
    {"quantity": 0},
    {"title": "x" * 256},
    {"title": "👩\u200d🔧"},
    {"title": "ring\u0007"},
    {"partner": "acme-east"},
    {"partner": "Acme"},
    {"partner": "x" * 64},
]


@pytest.mark.parametrize("change", SAME_RULES, ids=lambda change: ascii(change)[:40])
def test_a_line_is_judged_as_by_the_server(server: Server, tmp_path: Path, change: dict[str, Any]) -> None:
    line = {"sku": "A", "quantity": 1} | change
    order = {"reference": f"rules-{SAME_RULES.index(change)}", "line_items": [line]}
    by_server = server.post("/v1/orders", order).status
    file = tmp_path / "orders.json"
    file.write_text(json.dumps(order), encoding="utf-8")
    assert import_files(tmp_path / "ledger.db", file).orders_taken == (1 if by_server == 201 else 0)


CONTENT = OrderContent(
    7,
    (OrderedLine("A", 1, "One", "acme"), OrderedLine("A", 2)),
    "#7",
    "web",
    "a@example.com",
    {"city": "Kiel"},
    "Standard",
    -1_000_001,
    1_714_521_599_123_456,
    {"gift": True},
)


Answer = int | list[int]
"""A status, or an answer with a line for each of these; one of 0 is torn."""


@contextmanager
def answering(*answers: Answer) -> Iterator[tuple[str, list[Any]]]:
    """A server that gives these answers, one after another; its URL, and the items that it was sent each time."""
    sent: list[Any] = []
    left = list(answers)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert (self.path, self.headers["Authorization"]) == ("/v1/orders/bulk", "Bearer secret")
            sent.append([json.loads(item) for item in body.splitlines()])
            answer = left.pop(0)
            lines = answer if isinstance(answer, list) else []
            text = "".join(f'{{"index":{at},"status":{status},"body":{{}}}}\n' for at, status in enumerate(lines))
            text = re.sub('{[^{]*"status":0,.*', '{"in', text, flags=re.DOTALL) or '{"message": "no key"}'
            self.send_response(200 if lines else int(str(answer)))
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(text) + (0 in lines)))
            self.end_headers()
            self.wfile.write(text.encode())
            self.close_connection = 0 in lines

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}", sent
        finally:
            listening.shutdown()
            thread.join()


EXISTS, NOT_TAKEN = "the ledger has another order with this number", "the ledger could not record the order"


@pytest.mark.parametrize(
    ("answers", "said", "items"),
    [
        ([[201, 200, 409, 400]], [True, False, EXISTS, NOT_TAKEN], [4]),
        ([503, 429, 503, [201]], [True], [1, 1, 1, 1]),
        ([[201, 503, 200], [201]], [True, True, False], [3, 1]),
        ([[201, 0], [200]], [True, False], [2, 1]),
    ],
    ids=["each as it is said", "the server is overloaded", "an item is to be sent again", "an answer is broken off"],
)
def test_what_has_no_answer_is_sent_again(
    monkeypatch: pytest.MonkeyPatch, answers: list[Answer], said: list[bool | str], items: list[int]
) -> None:
    monkeypatch.setattr(order_sender, "CONNECTIONS", 1)
    with answering(*answers) as (url, sent):
        sender = OrderSender(url, "secret")
        try:
            assert sender.send([CONTENT] * len(said)) == said
        finally:
            sender.close()
    assert sent == [[as_request(CONTENT)] * count for count in items]


def test_a_server_that_lets_nobody_in_ends_the_import() -> None:
    with answering(401) as (url, _):
        sender = OrderSender(url, "secret")
        try:
            with pytest.raises(ServerAway, match="401"):
                sender.send([CONTENT])
        finally:
            sender.close()


def test_moments_are_sent_to_the_microsecond() -> None:
    sent = as_request(CONTENT)
    assert (sent["ship_by"], sent["deliver_by"]) == ("1969-12-31T23:59:58.999999Z", "2024-04-30T23:59:59.123456Z")


def test_an_order_that_is_sent_is_the_order_that_is_written(tmp_path: Path) -> None:
    with running(tmp_path / "served.db") as server:
        assert server.post("/v1/orders", as_request(CONTENT)).status == 201
    file = tmp_path / "orders.json"
    file.write_text(json.dumps(as_request(CONTENT)), encoding="utf-8")
    import_files(tmp_path / "ledger.db", file)
    assert ledger_orders(tmp_path / "served.db")["#7"] == ledger_orders(tmp_path / "ledger.db")["#7"]
    assert broken_invariants(tmp_path / "ledger.db") == []
