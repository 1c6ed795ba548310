"""A PostgreSQL that goes away and comes back: nothing is answered that was not applied, and soon all is well again."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipledger.boot.ledgers import check_ledger
from tests.postgres_server import Cluster, cluster_folder
from tests.serving import Reply, Server, running

BACK_SECONDS_MAX = 5


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with cluster_folder() as folder:
        cluster = Cluster.create(folder)
        try:
            yield cluster.start()
        finally:
            cluster.stop()


@pytest.fixture(scope="module")
def server(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers, which begin with a connection that works."""
    log: Path = tmp_path_factory.mktemp("server") / "log"
    with running(cluster.url(), "--workers", "2", log=log) as started:
        order = {"id": 1, "line_items": [{"sku": "A", "quantity": 1_000}]}
        assert started.post("/v1/orders", order).status == 201
        yield started


def ship(server: Server, key: str) -> Reply:
    parcel = {"order_id": 1, "line_items": [{"sku": "A", "quantity": 1}], "tracking_number": key}
    return server.post("/v1/fulfillments", parcel, {"Idempotency-Key": key})


def shipped(server: Server, key: str) -> int:
    return len(server.get(f"/v1/fulfillments?tracking_number={key}").json()["fulfillments"])


def expect_unavailable(reply: Reply) -> None:
    assert (reply.status, reply.json()["error"]) == (503, "Service Unavailable")
    assert int(reply.headers["retry-after"]) >= 1


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_server_whose_database_is_away_says_so_and_works_within_5_seconds_of_its_return(
    cluster: Cluster, server: Server, how: str
) -> None:
    before = [ship(server, f"{how}-before-{at}") for at in range(4)]
    assert [reply.status for reply in before] == [200] * 4
    getattr(cluster, how)()
    for at in range(4):
        expect_unavailable(ship(server, f"{how}-during-{at}"))
    expect_unavailable(server.get("/v1/orders/1"))
    assert server.get("/healthz").status == 200
    cluster.start()
    back = time.monotonic()
    while (reply := ship(server, f"{how}-after")).status != 200:
        expect_unavailable(reply)
        assert time.monotonic() < back + BACK_SECONDS_MAX
        time.sleep(0.05)
    print(f"\nwrites again {time.monotonic() - back:.2f} s after a {how} ended")
    assert [shipped(server, f"{how}-during-{at}") for at in range(4)] == [0] * 4, "503 is: not applied"
    again = [ship(server, f"{how}-before-{at}") for at in range(4)]
    assert [reply.body for reply in again] == [reply.body for reply in before]
    assert [finding for finding in check_ledger(cluster.url()) if finding.broken] == []


def test_events_are_numbered_again_after_a_restart(cluster: Cluster, server: Server) -> None:
    cluster.stop()
    cluster.start()
    deadline = time.monotonic() + BACK_SECONDS_MAX
    while ship(server, "numbered").status != 200 or cluster.execute("SELECT * FROM unnumbered_events"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
