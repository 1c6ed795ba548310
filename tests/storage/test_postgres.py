"""What PostgreSQL adds: several writers that wait for each other, and a server that goes away in the middle."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg
import pytest

from shipledger.boot.ledgers import check_ledger
from shipledger.command import Command, CreateFulfillment
from shipledger.commit.batch import ATTEMPTS_MAX, commit_batch
from shipledger.needs import needs_of
from shipledger.outcome import Done, Fault, Outcome, Unavailable
from shipledger.refusal import Reason, Refusal
from shipledger.storage import postgres
from shipledger.storage.port import Contention, Errand, FulfillmentFilter, Step
from shipledger.storage.postgres import PostgresLedger
from shipledger.storage.postgres_connection import STATEMENTS
from shipledger.storage.postgres_reading import postgres_reading
from tests.commit.commands import NOW, order, ship
from tests.postgres_server import execute

NODES = 4
ROUNDS = 25
SECONDS_MAX = 20


@pytest.fixture
def url(postgres_url: str) -> Iterator[str]:
    """A ledger with two orders of many As each, which must be sound at the end."""
    with closing(PostgresLedger(postgres_url)) as ledger:
        commit_batch(ledger, [order(1, ("A", 10_000)), order(2, ("A", 10_000))], NOW)
    yield postgres_url
    assert [finding for finding in check_ledger(postgres_url) if finding.broken] == []


@pytest.fixture
def ledger(url: str) -> Iterator[PostgresLedger]:
    with closing(PostgresLedger(url)) as opened:
        yield opened


def rows(url: str, sql: str) -> list[Any]:
    return [row[0] if len(row) == 1 else row for row in execute(url, sql)]


def batches(url: str) -> int:
    return len(rows(url, "SELECT id FROM commit_batches"))


def both(one: int, other: int, number: str = "1Z", key: str | None = None) -> CreateFulfillment:
    """A parcel of one A of each of two orders."""
    first, second = ship(one, ("A", 1), number=number, key=key), ship(other, ("A", 1))
    return replace(first, orders=(*first.orders, *second.orders))


# Several nodes


def race(url: str, commands_of: Callable[[int, int], Sequence[Command]]) -> list[list[Outcome | Fault]]:
    """The outcomes of each round, of all nodes together: in each round they all commit a batch at the same moment."""
    begin = threading.Barrier(NODES)

    def run(node: int) -> list[list[Outcome | Fault]]:
        with closing(PostgresLedger(url)) as ledger:
            found = []
            for number in range(ROUNDS):
                begin.wait(SECONDS_MAX)
                found.append(commit_batch(ledger, commands_of(node, number), NOW + number))
            return found

    with ThreadPoolExecutor(NODES) as nodes:
        found = list(nodes.map(run, range(NODES)))
    return [[outcome for outcomes in at_once for outcome in outcomes] for at_once in zip(*found, strict=True)]


def turned(node: int, commands: list[Command]) -> list[Command]:
    return commands if node % 2 else commands[::-1]


def deadlocks(url: str) -> int:
    return int(rows(url, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0])


def test_one_key_on_all_nodes_is_applied_once(url: str) -> None:
    for outcomes in race(url, lambda _, number: [ship(1, ("A", 1), number=f"T{number}", key=f"k{number}")]):
        done = [outcome for outcome in outcomes if isinstance(outcome, Done)]
        assert len(done) == NODES, outcomes
        assert [outcome.replayed for outcome in done].count(False) == 1
        assert len({str(outcome.body) for outcome in done}) == 1
    assert Counter(rows(url, "SELECT tracking_number FROM fulfillments")) == {f"T{at}": 1 for at in range(ROUNDS)}


def test_keys_in_opposite_order_never_wait_for_each_other(url: str) -> None:
    before = deadlocks(url)

    def commands(node: int, number: int) -> list[Command]:
        return turned(node, [ship(1, ("A", 1), key=f"{number}-{at}") for at in range(8)])

    for outcomes in race(url, commands):
        assert [type(outcome) for outcome in outcomes] == [Done] * NODES * 8
    assert rows(url, "SELECT count(*) FROM fulfillments") == [ROUNDS * 8]
    assert deadlocks(url) == before


def test_orders_in_opposite_order_never_wait_for_each_other(url: str) -> None:
    before = deadlocks(url)
    for outcomes in race(url, lambda node, _: [both(1, 2) if node % 2 else both(2, 1)]):
        assert [type(outcome) for outcome in outcomes] == [Done] * NODES
    assert rows(url, "SELECT fulfilled FROM orders") == [NODES * ROUNDS] * 2
    assert deadlocks(url) == before


def test_one_new_order_sent_to_all_nodes_is_recorded_once(url: str) -> None:
    def commands(node: int, number: int) -> list[Command]:
        return turned(node, [order(100 + number, ("A", 1)), order(None, ("A", 1), reference=f"#{number}")])

    for outcomes in race(url, commands):
        done = [outcome for outcome in outcomes if isinstance(outcome, Done)]
        assert len(done) == NODES * 2, outcomes
        assert [outcome.is_new for outcome in done].count(True) == 2
        assert len({outcome.made_id for outcome in done}) == 2
    assert rows(url, "SELECT count(*) FROM orders") == [2 + 2 * ROUNDS]


def test_of_different_orders_under_one_id_one_is_recorded(url: str) -> None:
    for outcomes in race(url, lambda node, number: [order(100 + number, ("A", 1 + node))]):
        refused = [outcome.reason for outcome in outcomes if isinstance(outcome, Refusal)]
        assert refused == [Reason.ORDER_EXISTS] * (NODES - 1), outcomes


def test_the_last_piece_is_given_to_one_node(url: str, ledger: PostgresLedger) -> None:
    commit_batch(ledger, [order(100 + number, ("A", 2)) for number in range(ROUNDS)], NOW)
    for outcomes in race(url, lambda _, number: [ship(100 + number, ("A", 1))]):
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Done"] * 2 + ["Refusal"] * (NODES - 2)


def test_control_without_claims_the_same_new_order_is_refused_by_the_database(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(postgres, "_claims", lambda _: [])
    race(url, lambda _, number: [order(100 + number, ("A", 1))])
    assert "orders_pkey" in caplog.text


def test_control_with_claims_as_they_come_nodes_wait_for_each_other(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadlock is seen after a second: one round of two nodes in opposite order is enough."""
    at = iter([[1, 2], [2, 1]])
    monkeypatch.setattr(postgres, "_claims", lambda _: next(at))
    monkeypatch.setitem(
        STATEMENTS,
        "claim_names",
        "SELECT count(pg_advisory_xact_lock(name)) FROM (SELECT name, pg_sleep(0.3) FROM unnest(%b::bigint[]) AS name)",
    )
    before = deadlocks(url)
    with ThreadPoolExecutor(2) as nodes:
        waiting = [nodes.submit(claim, url) for _ in range(2)]
    assert [waited.exception() is None for waited in waiting].count(False) == 1
    until(lambda: deadlocks(url) == before + 1)


def claim(url: str) -> None:
    with closing(PostgresLedger(url)) as ledger, ledger.transaction():
        ledger.load(needs_of([ship(1, key="k")]))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# The batch's own row


@pytest.mark.parametrize(
    ("commands", "commits"),
    [
        ([ship(1, ("A", 1))], 1),
        ([ship(1, ("A", 1), key="new")], 1),
        ([ship(1, ("A", 1)), ship(404)], 1),
        ([ship(1, ("A", 1), key="used")], 1),
        ([order(1, ("A", 10_000))], 1),
        ([ship(404), ship(1, ("A", 99_999))], 0),
        ([ship(1, ("A", 2), key="used")], 0),
        ([replace(ship(1, ("A", 1)), dry_run=True)], 0),
    ],
    ids=["fresh", "keyed", "partly", "replayed", "known order", "refused", "key reused", "dry run"],
)
def test_a_batch_that_gives_an_answer_commits_its_own_row(
    url: str, ledger: PostgresLedger, commands: list[Command], commits: int
) -> None:
    commit_batch(ledger, [ship(1, ("A", 1), key="used")], NOW)
    before = batches(url)
    commit_batch(ledger, commands, NOW)
    assert batches(url) == before + commits


def test_a_batch_whose_row_was_taken_by_whoever_looked_for_it_is_never_committed(
    url: str, ledger: PostgresLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = uuid.uuid4()
    monkeypatch.setattr(uuid, "uuid4", lambda: batch)
    assert not ledger._is_committed(batch)
    with pytest.raises(psycopg.errors.UniqueViolation), ledger.transaction():
        decide_and_save(ledger)
    assert rows(url, "SELECT * FROM fulfillments") == []


def test_what_became_of_a_batch_is_told_by_its_row(ledger: PostgresLedger) -> None:
    with ledger.transaction():
        decide_and_save(ledger)
        batch = ledger._batch
    assert batch is not None
    assert [ledger._is_committed(batch) for _ in range(2)] == [True, True]
    assert [ledger._is_committed(uuid.UUID(int=7)) for _ in range(2)] == [False, False]


def decide_and_save(ledger: PostgresLedger, in_between: Callable[[], object] = lambda: None) -> None:
    """The least that a batch can be: an answer given again."""
    working_set = ledger.load(needs_of([ship(1, ("A", 1))]))
    working_set.has_replayed = True
    in_between()
    ledger.save(working_set)


def test_old_rows_of_batches_are_removed(url: str, ledger: PostgresLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_BATCHES_BETWEEN_SWEEPS", 2)
    execute(url, "UPDATE commit_batches SET created_at = now() - interval '30 days'")
    for _ in range(3):
        commit_batch(ledger, [ship(1, ("A", 1))], NOW)
    assert batches(url) == 3


# Batches that the database undoes


@contextmanager
def failing(url: str, times: int, code: str, when: str) -> Iterator[None]:
    """A database that raises this error, so many times, as a batch adds its row or commits it."""
    execute(url, "CREATE SEQUENCE failures")
    execute(
        url,
        f"""CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NOT NEW.is_resolved AND nextval('failures') <= {times} THEN RAISE SQLSTATE '{code}'; END IF;
            RETURN NULL;
        END $$""",
    )
    execute(
        url,
        f"CREATE CONSTRAINT TRIGGER failing AFTER INSERT ON commit_batches DEFERRABLE INITIALLY {when}"
        " FOR EACH ROW EXECUTE FUNCTION fail()",
    )
    try:
        yield
    finally:
        execute(url, "DROP FUNCTION fail CASCADE")
        execute(url, "DROP SEQUENCE failures")


@pytest.mark.parametrize("code", ["40001", "40P01"], ids=["serialization", "deadlock"])
@pytest.mark.parametrize(("times", "outcome"), [(ATTEMPTS_MAX - 1, Done), (99, Unavailable)])
def test_a_batch_that_others_stood_in_the_way_of_is_decided_anew(
    url: str, ledger: PostgresLedger, code: str, times: int, outcome: type[object]
) -> None:
    with failing(url, times, code, "IMMEDIATE"):
        (found,) = commit_batch(ledger, [ship(1, ("A", 1))], NOW)
    assert isinstance(found, outcome)
    assert rows(url, "SELECT fulfilled FROM orders WHERE id = 1") == [int(outcome is Done)]


def test_a_commit_that_the_database_refuses_was_not_applied(url: str, ledger: PostgresLedger) -> None:
    with failing(url, 1, "40001", "DEFERRED"):
        (refused,) = commit_batch(ledger, [ship(1, ("A", 1), key="k")], NOW)
        (again,) = commit_batch(ledger, [ship(1, ("A", 1), key="k")], NOW)
    assert isinstance(refused, Unavailable)
    assert isinstance(again, Done)
    assert not again.replayed
    assert rows(url, "SELECT fulfilled FROM orders WHERE id = 1") == [1]


def test_a_deadlock_with_a_stranger_is_retried(url: str, ledger: PostgresLedger) -> None:
    """The ledger waits first, and so it is the one that finds out."""
    with psycopg.connect(url) as stranger, ThreadPoolExecutor(1) as node:
        stranger.execute("SELECT * FROM orders WHERE id = 2 FOR UPDATE")
        waiting = node.submit(commit_batch, ledger, [both(1, 2)], NOW)
        until(lambda: rows(url, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'transactionid'") == [1])
        before = deadlocks(url)
        time.sleep(0.3)  # each looks for a circle after a second of its own: on a busy machine the two came close
        stranger.execute("SELECT * FROM orders WHERE id = 1 FOR UPDATE")
        stranger.rollback()
        (found,) = waiting.result(SECONDS_MAX)
    assert isinstance(found, Done)
    until(lambda: deadlocks(url) == before + 1)
    assert rows(url, "SELECT fulfilled FROM orders") == [1, 1]


def test_contention_leaves_a_transaction_that_can_be_begun_again(url: str, ledger: PostgresLedger) -> None:
    with failing(url, 1, "40001", "IMMEDIATE"):
        with pytest.raises(Contention), ledger.transaction():
            decide_and_save(ledger)
        with ledger.transaction():
            decide_and_save(ledger)


def test_a_command_that_meets_a_name_already_taken_fails_or_succeeds_alone(url: str, ledger: PostgresLedger) -> None:
    """Another program added a row with the id that the ledger is about to hand out."""
    (taken,) = rows(url, "SELECT nextval('fulfillment_ids') + 1")
    add = "INSERT INTO fulfillments SELECT {}, 1, 'created', 'x', NULL, NULL, 'none', 'operator', 0"
    execute(url, add.format(taken))
    before = batches(url)
    outcomes = commit_batch(ledger, [ship(1, ("A", 1), number=f"T{at}") for at in range(3)], NOW)
    assert [type(outcome) for outcome in outcomes] == [Done] * 3
    assert batches(url) == before + 3, "one transaction each"
    execute(url, f"DELETE FROM fulfillments WHERE id = {taken}")


# Plans


@pytest.mark.parametrize(("seconds", "reads_all"), [(0, False), (3_600, True)], ids=["made anew", "control: kept"])
def test_a_plan_that_was_made_while_a_table_was_small_is_not_kept(
    url: str, ledger: PostgresLedger, monkeypatch: pytest.MonkeyPatch, seconds: int, *, reads_all: bool
) -> None:
    monkeypatch.setattr(postgres, "PLANS_SECONDS_MAX", seconds)
    execute(url, "ALTER TABLE kept_answers SET (autovacuum_enabled = off)")
    execute(url, "VACUUM kept_answers")
    for key in ("while it is empty", "soon after"):
        commit_batch(ledger, [ship(1, ("A", 1), key=key)], NOW)
        execute(
            url,
            f"INSERT INTO kept_answers SELECT '{key}', n, '', 'null', NULL, true, 0 FROM generate_series(1, 5000) AS n",
        )
    commit_batch(ledger, [ship(1, ("A", 1), key="once it is large")], NOW)
    assert ledger._connection is not None
    plan = ledger._connection.execute("EXPLAIN EXECUTE load_kept_answers (ARRAY['a'], ARRAY['k'])").fetchall()
    assert ("Join Filter" in str(plan)) is reads_all, plan
    execute(url, "DELETE FROM kept_answers")


# A database that is away


def kill_connection(url: str, ledger: PostgresLedger) -> None:
    assert ledger._connection is not None
    execute(url, f"SELECT pg_terminate_backend({ledger._connection.info.backend_pid}, 5000)")


def test_a_connection_lost_before_commit_is_unavailable_and_then_made_anew(url: str, ledger: PostgresLedger) -> None:
    with pytest.raises(Unavailable), ledger.transaction():
        decide_and_save(ledger, in_between=lambda: kill_connection(url, ledger))
    (done,) = commit_batch(ledger, [ship(1, ("A", 1))], NOW)
    assert isinstance(done, Done)


def test_a_connection_lost_between_batches_is_not_noticed(url: str, ledger: PostgresLedger) -> None:
    commit_batch(ledger, [ship(1, ("A", 1))], NOW)
    kill_connection(url, ledger)
    (done,) = commit_batch(ledger, [ship(1, ("A", 1))], NOW)
    assert isinstance(done, Done)
    kill_connection(url, ledger)
    assert ledger.carry_out(Errand((Step("keep_feed_mark", ("fanned_out", 7)),))) == [[]]
    assert rows(url, "SELECT place FROM feed_marks") == [7]
    assert ledger._connection is not None
    ledger._connection.close()
    (done,) = commit_batch(ledger, [ship(1, ("A", 1))], NOW)
    assert isinstance(done, Done)


def test_a_reader_that_lost_its_connection_makes_another(url: str) -> None:
    with closing_reading(url) as reading:
        assert reading.order(1, None) is not None
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        execute(url, f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {others}")
        assert reading.order(1, None) is not None


@contextmanager
def closing_reading(url: str) -> Iterator[Any]:
    reading = postgres_reading(url)
    try:
        yield reading
    finally:
        reading.close()


@contextmanager
def read_only(url: str) -> Iterator[None]:
    """A primary that takes no writes on new connections."""
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    change = partial(execute, f"{url}&options=-c%20default_transaction_read_only%3Doff")
    change(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        yield
    finally:
        change(f"ALTER DATABASE {name} RESET default_transaction_read_only")


@pytest.mark.parametrize("is_connected", [True, False])
def test_a_database_that_takes_no_writes_is_unavailable_and_read_on(
    url: str, ledger: PostgresLedger, is_connected: bool
) -> None:
    if is_connected:
        commit_batch(ledger, [ship(404)], NOW)
        assert ledger._connection is not None
        ledger._connection.execute("SET default_transaction_read_only = on")
    with read_only(url), closing_reading(url) as reading:
        for _ in range(2):
            (refused,) = commit_batch(ledger, [ship(1, ("A", 1))], NOW)
            assert isinstance(refused, Unavailable)
        assert reading.fulfillments(FulfillmentFilter(), None, 9, None).documents == []
    (done,) = commit_batch(ledger, [ship(1, ("A", 1))], NOW)
    assert isinstance(done, Done)
