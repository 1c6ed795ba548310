"""Keys as every database keeps them, and facts of administration, which are in no feed."""

import threading
from dataclasses import replace

import pytest

from shipledger.command import Command
from shipledger.commit.batch import commit_batch
from shipledger.key import Key, NoteKeyUse, RevokeKey, Role, RotateKey, Scope
from shipledger.needs import Needs
from shipledger.outcome import Done, Fault, Outcome
from shipledger.storage.port import Ledger, Reading
from shipledger.storage.postgres_connection import connect
from shipledger.storage.postgres_sequencer import number_events
from tests.commit.commands import NOW, ORIGIN, order
from tests.postgres_server import empty
from tests.rules.key_asking import create
from tests.storage.conftest import Database, PostgresDatabase


def keys_of(ledger: Ledger) -> dict[int, Key]:
    with ledger.transaction():
        return ledger.load(Needs(keys=True)).keys


def commit(ledger: Ledger, *commands: Command, now: int = NOW) -> list[Outcome]:
    outcomes = []
    for outcome in commit_batch(ledger, commands, now):
        assert not isinstance(outcome, Fault), outcome
        outcomes.append(outcome)
    return outcomes


def test_a_key_is_loaded_as_it_was_saved(ledger: Ledger) -> None:
    asked = create(2, Role.PARTNER, "acme", scopes=frozenset({Scope.ORDERS_READ}), rate_limit=7, expires_at=NOW + 9)
    commit(ledger, create(1), asked)
    keys = keys_of(ledger)
    assert keys[1] == Key(1, create(1).credential, "key 1", Role.OPERATOR, None, frozenset(Scope), None, NOW)
    assert keys[2] == Key(
        2, asked.credential, "key 2", Role.PARTNER, "acme", frozenset({Scope.ORDERS_READ}), 7, NOW, NOW + 9
    )


def test_every_change_of_a_key_is_saved(ledger: Ledger) -> None:
    commit(ledger, create(1), create(2))
    rotation = RotateKey(ORIGIN, 1, create(3).credential, overlap_seconds=1)
    commit(ledger, rotation, RevokeKey(ORIGIN, 2), NoteKeyUse(ORIGIN, ((1, NOW + 5),)), now=NOW + 1)
    keys = keys_of(ledger)
    assert (keys[1].replaced_by, keys[1].expires_at, keys[1].last_used_at) == (3, NOW + 1 + 1_000_000, NOW + 5)
    assert keys[2].revoked_at == NOW + 1
    assert keys[3].credential == create(3).credential


def test_a_batch_that_asks_for_no_key_loads_none(ledger: Ledger) -> None:
    commit(ledger, create(1))
    with ledger.transaction():
        assert ledger.load(Needs()).keys == {}


def test_facts_of_administration_are_of_no_order_and_in_no_feed(
    database: Database, ledger: Ledger, reading: Reading
) -> None:
    commit(ledger, create(1), order(1, ("A", 1)), RevokeKey(replace(ORIGIN, key_id=1), 1))
    if isinstance(database, PostgresDatabase):
        with connect(database.url, is_writer=True) as connection:
            assert number_events(connection) == 1
    assert [placed.document["type"] for placed in reading.events(0, 10, None)] == ["order.created"]
    rows = database.query("SELECT type, order_id, sequence, key_id FROM events ORDER BY id")
    assert rows == [
        ("key.created", None, None, None),
        ("order.created", 1, 1, None),
        ("key.revoked", None, None, 1),
    ]


def made_at_once(url: str, nodes: int) -> list[int]:
    """The ids of the keys that as many nodes make: each an operator's, and then a partner's."""
    ledgers = [PostgresDatabase(url).ledger() for _ in range(nodes)]
    outcomes: list[Outcome | Fault] = []
    gate = threading.Barrier(nodes)

    def ask(number: int) -> None:
        gate.wait()
        for command in (create(2 * number + 1), create(2 * number + 2, Role.PARTNER, "acme")):
            outcomes.extend(commit_batch(ledgers[number], [command], NOW))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(nodes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for ledger in ledgers:
        ledger.close()
    return sorted(outcome.made_id or 0 for outcome in outcomes if isinstance(outcome, Done))


NODES = 4


def test_nodes_that_make_keys_at_once_each_see_those_of_the_others(postgres_url: str) -> None:
    for _ in range(5):
        empty(postgres_url)
        assert made_at_once(postgres_url, NODES) == list(range(1, 2 * NODES + 1))


def test_without_the_lock_nodes_stand_in_each_other_s_way(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr("shipledger.storage.postgres._claims", lambda needs: [])
    attempts = []
    for _ in range(5):
        empty(postgres_url)
        attempts.append(made_at_once(postgres_url, NODES))
    assert any(len(made) < 2 * NODES for made in attempts)
