"""An import that is killed and run again leaves the ledger that an undisturbed one does, alone and through a server."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import apsw
import pytest

from shipledger.importing.staging import Staging, TakenOrder
from shipledger.order import OrderContent
from shipledger.storage.sqlite_reading import open_to_read
from tests.importing.imports import (
    broken_invariants,
    command,
    counts,
    environment,
    import_files,
    ledger_orders,
    run,
    run_json,
)
from tests.importing.real_files import REAL_FILES, RealFile
from tests.serving import running

KILLED_AFTER_BATCHES = """
import os, signal, sys
from shipledger.boot import order_import
from shipledger.cli.main import main

batches, order_import.ORDERS_A_BATCH = int(sys.argv.pop(1)), int(sys.argv.pop(1))
commit_batch = order_import.commit_batch

def commit_and_die(*arguments):
    global batches
    outcomes = commit_batch(*arguments)
    batches -= 1
    if batches == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return outcomes

order_import.commit_batch = commit_and_die
main()
"""
MANY = 6_000


def run_killed(database: Path, arguments: list[str | Path], *, batches: int, of_orders: int) -> None:
    """The import kills itself, for real, when so many batches are in the ledger."""
    started = [sys.executable, "-c", KILLED_AFTER_BATCHES, str(batches), str(of_orders)]
    import_arguments = command(database, *arguments)[3:]
    done = subprocess.run(started + import_arguments, env=environment(), check=False, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def many_orders(folder: Path) -> Path:
    file = folder / "many.csv"
    rows = (f"{n},SKU-{n % 97},{n % 5 + 1}\n{n},SKU-{n % 89},1\n" for n in range(1, MANY + 1))
    file.write_text("order,sku,quantity\n" + "".join(rows), encoding="utf-8")
    return file


def orders_in(database: Path) -> int:
    try:
        with closing(open_to_read(database)) as connection:
            count: int = connection.execute("SELECT count(*) FROM orders").get
            return count
    except apsw.Error:
        return 0


def start_and_signal(database: Path, file: Path, signal_number: int) -> tuple[int, str]:
    """Signal the import as soon as it has recorded something; its exit status and what it said."""
    with subprocess.Popen(command(database, file), env=environment(), stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30
        while orders_in(database) == 0 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal_number)
        _, said = process.communicate(timeout=30)
    return process.returncode, said.decode()


@pytest.mark.parametrize("said", [said for said in REAL_FILES if said.orders > 1], ids=str)
def test_killed_half_way_and_run_again_the_ledger_is_the_same(
    shared_data: Path, tmp_path: Path, said: RealFile
) -> None:
    arguments = said.copied(shared_data, tmp_path)
    run_json(tmp_path / "undisturbed.db", *arguments)
    killed = tmp_path / "killed.db"
    run_killed(killed, arguments, batches=2, of_orders=max(1, said.orders // 4))
    half = orders_in(killed)
    assert 0 < half < said.orders
    _, report = run_json(killed, *arguments)
    assert report["orders"] == {
        "taken": said.orders - half,
        "repeated": half,
        "rejected": said.orders_rejected,
    }
    assert ledger_orders(killed) == ledger_orders(tmp_path / "undisturbed.db")
    assert broken_invariants(killed) == []
    assert not list(tmp_path.rglob("*.part")), "half a rejects file"


def test_one_that_resumed_by_a_wrong_count_would_be_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above: a resumption that counts orders, and is off by one."""
    file, killed = many_orders(tmp_path), tmp_path / "killed.db"
    run_killed(killed, [file], batches=2, of_orders=100)
    orders, half = Staging.orders, orders_in(killed)

    def orders_from_there(staging: Staging[OrderContent]) -> Iterator[TakenOrder[OrderContent]]:
        return islice(orders(staging), half + 1, None)

    monkeypatch.setattr(Staging, "orders", orders_from_there)
    import_files(killed, file)
    monkeypatch.undo()
    import_files(tmp_path / "undisturbed.db", file)
    assert ledger_orders(killed) != ledger_orders(tmp_path / "undisturbed.db")


def test_killed_from_outside_at_any_moment(tmp_path: Path) -> None:
    file, ledger = many_orders(tmp_path), tmp_path / "ledger.db"
    status, _ = start_and_signal(ledger, file, signal.SIGKILL)
    half = orders_in(ledger)
    assert status == -signal.SIGKILL
    imported = import_files(ledger, file)
    assert counts(imported) == (2 * MANY, 2 * (MANY - half), 2 * half, 0)
    assert orders_in(ledger) == MANY
    assert broken_invariants(ledger) == []


def test_interrupted_it_says_how_to_go_on(tmp_path: Path) -> None:
    file, ledger = many_orders(tmp_path), tmp_path / "ledger.db"
    status, said = start_and_signal(ledger, file, signal.SIGINT)
    assert status == 130
    assert "Run the same command again to go on" in said
    assert run(ledger, file).returncode == 0
    assert orders_in(ledger) == MANY


def test_killed_while_it_goes_through_a_server(tmp_path: Path) -> None:
    file = many_orders(tmp_path)
    ledger = tmp_path / "served.db"
    with running(ledger):
        status, _ = start_and_signal(ledger, file, signal.SIGKILL)
        assert status == -signal.SIGKILL
        code, report = run_json(ledger, file)
    assert (code, report["rows"], report["rejected"]) == (0, 2 * MANY, 0)
    assert 0 < report["taken"] < 2 * MANY
    import_files(tmp_path / "alone.db", file)
    assert ledger_orders(tmp_path / "served.db") == ledger_orders(tmp_path / "alone.db")
    assert broken_invariants(tmp_path / "served.db") == []


def test_a_server_that_dies_meanwhile_ends_the_import_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process, lest the test wait for as long as an import waits for a server that restarts."""
    from shipledger.importing import order_sender

    monkeypatch.setattr(order_sender, "PATIENCE_SECONDS", 0.5)
    file, ledger = many_orders(tmp_path), tmp_path / "ledger.db"
    with running(ledger) as server:
        send = order_sender.OrderSender.send

        def send_and_kill(sender: order_sender.OrderSender, orders: list[object]) -> list[bool | str]:
            if orders_in(ledger):
                server.kill()
            return send(sender, orders)  # type: ignore[arg-type]

        monkeypatch.setattr(order_sender.OrderSender, "send", send_and_kill)
        with pytest.raises(order_sender.ServerAway, match="takes no more orders"):
            import_files(ledger, file)
    monkeypatch.undo()
    half = orders_in(ledger)
    imported = import_files(ledger, file)
    assert (imported.orders_repeated, imported.orders_taken) == (half, MANY - half)
    assert broken_invariants(ledger) == []
