"""A disk that takes nothing any more: writing is refused, reading goes on, and all is well once there is space."""

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipledger.boot.ledgers import check_ledger
from tests.commit.altered_server import altered
from tests.serving import Reply, Server, running
from tests.simulation.load import Load, Stored

SKU = "SOAP-3"


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which files name what is wrong with the disk."""
    return tmp_path_factory.mktemp("disk")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory, disk: Path) -> Iterator[Server]:
    with altered(tmp_path_factory.mktemp("faulty") / "ledger.db", ("faulty_disk", str(disk))) as server:
        create_order(server)
        yield server


def create_order(server: Server) -> None:
    order = {"id": 1, "line_items": [{"sku": SKU, "quantity": 10**9}]}
    assert server.post("/v1/orders", order).status == 201


def ship(server: Server, key: str) -> Reply:
    lines = [{"sku": SKU, "quantity": 1}]
    parcel = {"order_id": 1, "line_items": lines, "tracking_number": key}
    return server.post("/v1/fulfillments", parcel, {"Idempotency-Key": key})


def numbers(server: Server, key: str) -> list[str]:
    reply = server.get(f"/v1/fulfillments?tracking_number={key}")
    assert reply.status == 200
    return [fulfillment["tracking_number"] for fulfillment in reply.json()["fulfillments"]]


def expect_unavailable(reply: Reply) -> None:
    assert (reply.status, reply.json()["error"]) == (503, "Service Unavailable")
    assert int(reply.headers["retry-after"]) >= 1


@pytest.mark.parametrize("fault", ["full", "broken"])
def test_a_disk_that_takes_no_write_is_answered_503_until_it_does(faulty: Server, disk: Path, fault: str) -> None:
    assert ship(faulty, f"{fault}-before").status == 200
    (disk / fault).touch()
    for _ in range(3):
        expect_unavailable(ship(faulty, f"{fault}-during"))
        assert numbers(faulty, f"{fault}-during") == []
        assert numbers(faulty, f"{fault}-before") == [f"{fault}-before"]
    assert ship(faulty, f"{fault}-before").headers["idempotent-replayed"] == "true", "a replay writes nothing"
    assert [faulty.get(path).status for path in ("/healthz", "/readyz", "/v1/orders/1")] == [200, 200, 200]
    (disk / fault).unlink()
    assert ship(faulty, f"{fault}-during").status == 200
    assert numbers(faulty, f"{fault}-during") == [f"{fault}-during"]
    assert [finding for finding in check_ledger(faulty.database) if finding.broken] == []


def test_a_disk_that_fails_to_sync_leaves_the_outcome_open_and_a_retry_settles_it(faulty: Server, disk: Path) -> None:
    (disk / "unsynced").touch()
    reply = ship(faulty, "open")
    assert (reply.status, reply.json()["error"]) == (500, "Server Error")
    assert reply.json().keys() == {"error", "message"}
    (disk / "unsynced").unlink()
    for _ in range(2):
        assert ship(faulty, "open").status == 200
    assert numbers(faulty, "open") == ["open"]
    assert [finding for finding in check_ledger(faulty.database) if finding.broken] == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can limit the files of another process")
def test_a_ledger_that_may_not_grow_recovers_by_itself_when_it_may(tmp_path: Path) -> None:
    """The limit is the operating system's own, met by a running server in the middle of a load."""
    with running(tmp_path / "ledger.db") as server:
        create_order(server)
        load = Load("load", server.port, [1], SKU, clients=16)
        with load.running():
            load.wait_for_answers(50)
            committing = server.committing()
            limits = resource.prlimit(committing.pid, resource.RLIMIT_FSIZE)
            largest = max(path.stat().st_size for path in tmp_path.glob("ledger.db*"))
            resource.prlimit(committing.pid, resource.RLIMIT_FSIZE, (largest + 100_000, limits[1]))
            wait_for_refusals(load, 50)
            assert server.get("/v1/orders/1").json()["line_items"][0]["fulfilled"] > 0
            resource.prlimit(committing.pid, resource.RLIMIT_FSIZE, limits)
            done = len(load.acknowledged)
            load.wait_for_answers(len(load.answers) + 200)
        assert load.refused.keys() == {503}
        assert len(load.acknowledged) > done, "it takes again what it is sent"
        stored = Stored.of(server.database)
        assert (load.lost(stored), load.unanswered & stored.keys) == (set(), set()), "503 is: not applied"
        again = load.repeat(server.port, list(load.sent))
        assert {reply.status for reply in again.values()} <= {200, 201}
        assert [key for key, first in load.acknowledged.items() if again[key].body != first.body] == []
        assert [finding for finding in check_ledger(server.database) if finding.broken] == []


def wait_for_refusals(load: Load, count: int) -> None:
    while load.refused.total() < count:
        load.wait_for_answers(len(load.answers) + 1)


def test_a_server_that_starts_on_a_full_disk_shows_its_ledger_and_leaves_it_as_it_is(tmp_path: Path) -> None:
    database = tmp_path / "ledger.db"
    with running(database) as server:
        create_order(server)
    before = database.read_bytes()
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "full").touch()
    with altered(database, ("faulty_disk", str(tmp_path / "disk"))) as full:
        expect_unavailable(ship(full, "full"))
        assert full.get("/v1/orders/1").status == 200
    assert database.read_bytes() == before
