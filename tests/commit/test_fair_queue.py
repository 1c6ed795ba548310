"""Accounts take turns, and each finds room: nobody waits behind all of another's rush."""

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from shipledger.command import CreateFulfillment
from shipledger.commit import batch_committer, fair_queue
from shipledger.commit.committer_process import CommitterProcess
from shipledger.commit.fair_queue import Room, Turns
from shipledger.outcome import Done, Unavailable
from tests.commit.commands import ORIGIN, new_ledger, ship
from tests.commit.held_ledger import Gate, parcels
from tests.commit.test_committer_process import commit_for, until_commit

PLACES = 900


@dataclass(frozen=True)
class Asked:
    account: str
    number: int


def lined_up(**counts: int) -> Turns[Asked]:
    turns: Turns[Asked] = Turns()
    for account, count in counts.items():
        turns.add(account, [Asked(account, number) for number in range(count)])
    return turns


def test_accounts_take_turns() -> None:
    turns = lined_up(rush=100, few=2, one=1)
    taken = turns.take(7)
    assert [asked.account for asked in taken] == ["rush", "few", "one", "rush", "few", "rush", "rush"]
    assert [asked.number for asked in taken if asked.account == "rush"] == [0, 1, 2, 3]


def test_each_account_keeps_its_order_and_nothing_is_lost() -> None:
    turns = lined_up(a=50, b=7, c=1)
    taken: list[Asked] = []
    while turns:
        taken += turns.take(9)
    for account, count in (("a", 50), ("b", 7), ("c", 1)):
        assert [asked.number for asked in taken if asked.account == account] == list(range(count))
    assert turns.take(9) == []


def test_a_batch_is_shared_evenly_by_those_who_have_enough() -> None:
    assert Counter(asked.account for asked in lined_up(a=500, b=500, c=500).take(255)) == {"a": 85, "b": 85, "c": 85}


def test_whose_turn_was_last_goes_to_the_end() -> None:
    turns = lined_up(a=9, b=9)
    assert [asked.account for asked in turns.take(1) + turns.take(1) + turns.take(1)] == ["a", "b", "a"]


def fill(room: Room, account: str) -> int:
    """How many places an account gets, one after the other."""
    taken = 0
    while taken <= PLACES:
        try:
            room.take(account)
        except Unavailable:
            break
        taken += 1
    return taken


def test_one_account_alone_has_most_of_the_queue_and_leaves_room_for_another() -> None:
    room = Room(PLACES)
    assert fill(room, "rush") == PLACES * 8 // 9 + 1
    assert fill(room, "few") > 50


def test_where_three_crowd_in_there_is_a_place_for_one_more() -> None:
    room = Room(PLACES)
    assert all(fill(room, f"rush {number}") for number in range(3))
    assert fill(room, "few") > 0


def test_without_shares_one_account_takes_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(fair_queue, "CROWDING", PLACES)
    room = Room(PLACES)
    fill(room, "rush")
    assert fill(room, "few") <= 1


def test_what_is_given_back_can_be_taken_again() -> None:
    room = Room(PLACES)
    first = fill(room, "a")
    room.give_back("a", first)
    assert fill(room, "a") == first


def of(account: str, number: str) -> CreateFulfillment:
    return replace(ship(1, ("A", 1), number=number), origin=replace(ORIGIN, account=account))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    new_ledger(tmp_path / "ledger.db").close()
    return tmp_path / "ledger.db"


def batch_of_the_few(path: Path) -> int:
    """In which batch of a rush of forty, four in each, a request of another account is; the rush's first is 0."""

    async def client(committer: CommitterProcess, gate: Gate) -> None:
        first = committer.submit(of("rush", "first"))
        await until_commit(gate)
        rush = [committer.submit(of("rush", f"r{number}")) for number in range(40)]
        few = committer.submit(of("few", "few"))
        await asyncio.sleep(0.2)  # the other process has them all
        gate.let_go.set()
        for answer in (first, few, *rush):
            assert isinstance(await answer, Done)

    commit_for(client, path, batch_max=4)
    oldest_first = [number for number, _ in reversed(parcels(path))]
    return -(-oldest_first.index("few") // 4)


def test_one_request_of_another_account_is_in_the_next_batch_of_a_rush(path: Path) -> None:
    assert batch_of_the_few(path) == 1


def test_without_turns_it_waits_behind_all_of_the_rush(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: one line for all."""
    monkeypatch.setattr(batch_committer.Handful, "account", property(lambda _: "all"))
    assert batch_of_the_few(path) > 5
