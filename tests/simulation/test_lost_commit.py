"""The connection is cut just around COMMIT, and the node finds out what became of the batch before it answers.

And where the standby is away: nothing is acknowledged that may not be there, whoever cancels the waiting COMMIT.
"""

import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from shipledger.command import Command
from shipledger.commit.batch import commit_batch
from shipledger.http.answer import fault_answer
from shipledger.outcome import Done, Fault, Outcome, OutcomeUnknown, Unavailable
from shipledger.storage import postgres
from shipledger.storage.postgres import PostgresLedger
from tests.commit.commands import NOW, order, ship
from tests.postgres_server import Cluster, Databases, cluster_folder
from tests.serving import running
from tests.simulation.postgres_load import stored_in
from tests.simulation.postgres_pair import set_on, wait_until
from tests.simulation.postgres_proxy import ASK, COMMIT, CONFIRM, Proxy, proxied

LEAVE_SECONDS_MAX = 10
NAMES = ["N1", "N2", "N3"]
BATCH: list[Command] = [ship(1, ("A", 1), number=name, key=name) for name in NAMES]
ARRIVES, NEVER_ARRIVES = True, False


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with cluster_folder() as folder:
        cluster = Cluster.create(folder)
        try:
            yield cluster.start()
        finally:
            cluster.stop()


@pytest.fixture(scope="module")
def made(cluster: Cluster) -> Databases:
    return Databases(cluster.url())


@pytest.fixture
def name(made: Databases) -> str:
    """The name of a database with one order."""
    url = made.create()
    ledger = PostgresLedger(url)
    commit_batch(ledger, [order(1, ("A", 100))], NOW)
    ledger.close()
    return url.partition("?")[0].rpartition("/")[2]


@pytest.fixture
def proxy(cluster: Cluster, name: str) -> Iterator[Proxy]:
    with proxied(cluster, name) as proxy:
        yield proxy


def connected(url: str, kind: type[PostgresLedger] = PostgresLedger) -> PostgresLedger:
    ledger = kind(url)
    commit_batch(ledger, [ship(1, ("A", 1), number="before")], NOW)
    return ledger


def expect_told_truly(outcomes: list[Outcome | Fault], url: str) -> None:
    """Done means that it is there, once; Unavailable that it is not."""
    stored = stored_in(url).names
    told = [1 if isinstance(outcome, Done) else 0 for outcome in outcomes]
    assert [stored[name] for name in NAMES] == told, outcomes


CASES = {
    "COMMIT never arrives": ([(COMMIT, NEVER_ARRIVES)], Unavailable),
    "its answer is lost": ([(COMMIT, ARRIVES)], Done),
    "and so is the question what became of it": ([(COMMIT, ARRIVES), (ASK, NEVER_ARRIVES)], Done),
    "and so is the answer to that": ([(COMMIT, ARRIVES), (ASK, ARRIVES)], Done),
    "and so is the confirmation": ([(COMMIT, ARRIVES), (CONFIRM, ARRIVES)], Done),
    "COMMIT and the question never arrive": ([(COMMIT, NEVER_ARRIVES), (ASK, NEVER_ARRIVES)], Unavailable),
    "COMMIT never arrives, the question's answer is lost": ([(COMMIT, NEVER_ARRIVES), (ASK, ARRIVES)], Unavailable),
    "COMMIT never arrives, the confirmation is lost": ([(COMMIT, NEVER_ARRIVES), (CONFIRM, ARRIVES)], Unavailable),
    "everything is lost once": ([(COMMIT, ARRIVES), *[(ASK, False), (ASK, True), (CONFIRM, False)] * 2], Done),
}


@pytest.mark.parametrize("case", CASES)
def test_a_lost_commit_is_resolved_and_told_truly(cluster: Cluster, name: str, proxy: Proxy, case: str) -> None:
    cuts, expected = CASES[case]
    ledger = connected(proxy.url)
    happened = [proxy.cut(text, is_forwarded=is_forwarded) for text, is_forwarded in cuts]
    outcomes = commit_batch(ledger, BATCH, NOW)
    assert all(cut.has_happened.is_set() for cut in happened)
    assert [type(outcome) for outcome in outcomes] == [expected] * len(BATCH)
    expect_told_truly(outcomes, cluster.url(name))
    again = commit_batch(ledger, BATCH, NOW)
    assert [isinstance(outcome, Done) and outcome.replayed for outcome in again] == [expected is Done] * len(BATCH)
    expect_told_truly(again, cluster.url(name))
    ledger.close()


class Pessimist(PostgresLedger):
    def _is_committed(self, batch: object) -> bool:
        return False


class Optimist(PostgresLedger):
    def _is_committed(self, batch: object) -> bool:
        return True


@pytest.mark.parametrize(("kind", "is_forwarded"), [(Pessimist, ARRIVES), (Optimist, NEVER_ARRIVES)])
def test_control_a_guess_is_not_always_true(
    cluster: Cluster, name: str, proxy: Proxy, kind: type[PostgresLedger], is_forwarded: bool
) -> None:
    ledger = connected(proxy.url, kind)
    proxy.cut(COMMIT, is_forwarded=is_forwarded)
    outcomes = commit_batch(ledger, BATCH, NOW)
    with pytest.raises(AssertionError, match=r"\[1, 1, 1\]"):
        expect_told_truly(outcomes, cluster.url(name))
    ledger.close()


@pytest.mark.parametrize("is_forwarded", [ARRIVES, NEVER_ARRIVES])
def test_where_the_database_stays_away_the_outcome_is_unknown_until_the_key_is_sent_again(
    cluster: Cluster, name: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, is_forwarded: bool
) -> None:
    monkeypatch.setattr(postgres, "RESOLVE_SECONDS_MAX", 0.5)
    ledger = connected(proxy.url)
    proxy.cut(COMMIT, is_forwarded=is_forwarded, then_away=True)
    outcomes = commit_batch(ledger, BATCH, NOW)
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown] * len(BATCH)
    assert [fault_answer(outcome).status for outcome in outcomes if isinstance(outcome, Fault)] == [500] * len(BATCH)
    (unavailable, *_) = commit_batch(ledger, BATCH, NOW)
    assert isinstance(unavailable, Unavailable), "COMMIT is not sent again while nobody is there"
    proxy.is_away = False
    again = commit_batch(ledger, BATCH, NOW)
    assert [isinstance(outcome, Done) and outcome.replayed for outcome in again] == [is_forwarded] * len(BATCH)
    expect_told_truly(again, cluster.url(name))
    ledger.close()


@pytest.mark.parametrize(("is_forwarded", "status"), [(ARRIVES, 200), (NEVER_ARRIVES, 503)])
def test_a_node_answers_what_became_of_it(
    cluster: Cluster, name: str, proxy: Proxy, tmp_path: Path, is_forwarded: bool, status: int
) -> None:
    parcel = {"order_id": 1, "line_items": [{"sku": "A", "quantity": 1}], "tracking_number": "N1"}
    with running(proxy.url, log=tmp_path / "log") as node:
        cut = proxy.cut(COMMIT, is_forwarded=is_forwarded)
        reply = node.post("/v1/fulfillments", parcel, {"Idempotency-Key": "N1"})
        assert cut.has_happened.is_set()
        assert (reply.status, "retry-after" in reply.headers) == (status, status == 503)
        assert stored_in(cluster.url(name)).names["N1"] == is_forwarded
        again = node.post("/v1/fulfillments", parcel, {"Idempotency-Key": "N1"})
        assert (again.status, "idempotent-replayed" in again.headers) == (200, is_forwarded)
        assert stored_in(cluster.url(name)).names["N1"] == 1


@contextmanager
def standby_away(cluster: Cluster) -> Iterator[None]:
    """A synchronous standby is configured, and is not there; at the end, commits wait for nobody."""
    set_on(cluster, "synchronous_standby_names", "standby")
    try:
        yield
    finally:
        set_on(cluster, "synchronous_standby_names", "")


WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = '{}'"


def wait_for_commit(cluster: Cluster, name: str, *, other_than: int = 0) -> int:
    """The process that waits for the standby."""
    waiting = f"{WAITING.format(name)} AND pid <> {other_than}"
    wait_until(cluster.url(), waiting)
    ((pid,),) = cluster.execute(waiting)
    return int(pid)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.mark.parametrize("how", ["pg_cancel_backend", "pg_terminate_backend"])
def test_a_commit_that_is_kept_from_waiting_for_the_standby_is_no_acknowledgement(
    cluster: Cluster, name: str, pool: ThreadPoolExecutor, how: str
) -> None:
    ledger = connected(cluster.url(name))
    with standby_away(cluster):
        answer = pool.submit(commit_batch, ledger, BATCH, NOW)
        pid = wait_for_commit(cluster, name)
        cluster.execute(f"SELECT {how}({pid})")
        wait_for_commit(cluster, name, other_than=pid)
        assert stored_in(cluster.url(name)).names["N1"] == 1, "it is committed here, and everybody sees it"
        assert not answer.done()
    outcomes = answer.result(10)
    assert [type(outcome) for outcome in outcomes] == [Done] * len(BATCH)
    expect_told_truly(outcomes, cluster.url(name))
    ledger.close()


def test_a_batch_that_the_standby_may_not_have_is_unknown_and_its_replay_waits_for_the_standby(
    cluster: Cluster, name: str, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "RESOLVE_SECONDS_MAX", 1)
    ledger = connected(cluster.url(name))
    with standby_away(cluster):
        answer = pool.submit(commit_batch, ledger, BATCH, NOW)
        while not answer.done():
            cluster.execute(f"SELECT pg_cancel_backend(pid) FROM ({WAITING.format(name)}) AS waiting")
        assert [type(outcome) for outcome in answer.result()] == [OutcomeUnknown] * len(BATCH)
        again = pool.submit(commit_batch, ledger, BATCH, NOW)
        wait_for_commit(cluster, name)
        assert not again.done()
    assert [isinstance(outcome, Done) and outcome.replayed for outcome in again.result(10)] == [True] * len(BATCH)
    ledger.close()


@pytest.mark.parametrize("repeated", [BATCH[0], order(1, ("A", 100))], ids=["by its key", "the same order"])
def test_an_answer_given_again_waits_for_the_standby_like_a_fresh_one(
    cluster: Cluster, name: str, pool: ThreadPoolExecutor, repeated: Command
) -> None:
    ledger = connected(cluster.url(name))
    commit_batch(ledger, BATCH, NOW)
    with standby_away(cluster):
        answer = pool.submit(commit_batch, ledger, [repeated], NOW)
        wait_for_commit(cluster, name)
        assert not answer.done()
    assert isinstance(answer.result(10)[0], Done)
    ledger.close()


def test_a_node_that_is_told_to_stop_does_not_wait_for_the_standby(cluster: Cluster, name: str, tmp_path: Path) -> None:
    """Takes nine seconds: for eight the server lets its clients have their answers."""
    with running(cluster.url(name), log=tmp_path / "log") as node, ThreadPoolExecutor(1) as pool:
        with standby_away(cluster):
            answer = pool.submit(node.post, "/v1/fulfillments", {"order_id": 1, "tracking_number": "N1"})
            committing = f"{WAITING.format(name)} AND query = 'COMMIT'"
            wait_until(cluster.url(), committing)
            cluster.execute(f"SELECT pg_cancel_backend(pid) FROM ({committing}) AS waiting")
            for asking in ("UPDATE commit_batches", "WITH committed AS"):  # the resolver, and the sequencer
                wait_until(cluster.url(), f"{WAITING.format(name)} AND query LIKE '%{asking}%'")
            began = time.monotonic()
            assert node.stop() == 0
            assert time.monotonic() - began < LEAVE_SECONDS_MAX
        with suppress(OSError, http.client.HTTPException):
            assert answer.result().status != 200, "it was not acknowledged"


class Credulous(PostgresLedger):
    def _note(self, diagnostic: object) -> None:
        """Heed no warning."""


def test_control_without_heed_to_the_warning_a_batch_is_acknowledged_that_no_standby_has(
    cluster: Cluster, name: str, pool: ThreadPoolExecutor
) -> None:
    ledger = connected(cluster.url(name), Credulous)
    with standby_away(cluster):
        answer = pool.submit(commit_batch, ledger, BATCH, NOW)
        cluster.execute(f"SELECT pg_cancel_backend({wait_for_commit(cluster, name)})")
        assert [type(outcome) for outcome in answer.result(10)] == [Done] * len(BATCH)
    ledger.close()
