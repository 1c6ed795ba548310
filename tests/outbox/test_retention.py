"""What is old is forgotten in small steps, and what must stay stays: audit, keys, and whatever waits to be told."""

import json
from collections.abc import Iterator

import pytest

from shipledger.boot.ledgers import check_ledger
from shipledger.outbox.retention import REST_SECONDS, ROWS_A_STEP, STEP_SECONDS, Retention
from shipledger.storage.port import FeedGap, FeedPage
from tests.commit.commands import ship
from tests.outbox.house import House, live, work
from tests.outbox.receiver import Receiver, receiving
from tests.storage.conftest import Database, PostgresDatabase

DAY = 24 * 3_600
DAYS = 40


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


async def forget(house: House, days: int = DAYS) -> None:
    """All that is old by now, step by step."""
    retention = Retention(house.storage, days)
    for _ in range(20):
        await retention.work(house.now)
        house.pass_seconds(STEP_SECONDS)
    house.pass_seconds(REST_SECONDS)


def test_the_feed_forgets_what_is_old_and_says_where_it_begins(database: Database) -> None:
    async def story(house: House) -> None:
        await house.create_orders(3)
        await house.commit(ship(1, ("A", 1), number="T1"))
        house.pass_seconds(DAYS * DAY + 1)
        await house.create_orders(2)
        before = house.reading.feed(0, 100, None).events
        await forget(house)
        page = house.reading.feed(0, 100, None)
        assert page == FeedPage(before[4:], before[-1]["id"])
        assert house.reading.feed(before[0]["id"], 100, None) == FeedGap(before[4]["id"])
        assert house.reading.feed(before[3]["id"], 100, None) == page
        house.pass_seconds(DAYS * DAY + 1)
        await forget(house)
        assert house.reading.feed(before[0]["id"], 100, None) == FeedGap(0)

    live(database, story)


def test_who_did_what_when_stays(database: Database) -> None:
    async def story(house: House) -> None:
        await house.register("https://example.com/")
        await house.create_orders(2)
        await house.commit(ship(2, ("A", 1), number="T1", key="k1"))
        columns = "id, order_id, sequence, type, created_at, actor, key_id, request_id"
        before = house.database.query(f"SELECT {columns} FROM events ORDER BY id")
        house.pass_seconds(2 * DAYS * DAY)
        async with house.relay() as relay:
            await work(relay)
        await house.change(1, is_enabled=False)
        await forget(house)
        assert house.database.query(f"SELECT {columns} FROM events ORDER BY id")[: len(before)] == before
        assert house.database.query("SELECT count(*) FROM kept_answers") == [(1,)]
        assert house.database.query("SELECT count(*) FROM fulfillments") == [(1,)]
        told = house.database.query("SELECT data FROM events WHERE order_id IS NULL ORDER BY id")
        assert all(json.loads(data)["url"] for (data,) in told), "administration is for the audit, and stays whole"

    live(database, story)


def test_a_forgetful_ledger_is_a_sound_one(database: Database) -> None:
    async def story(house: House) -> None:
        await house.create_orders(3)
        await house.commit(ship(1, ("A", 1), number="T1"), ship(2, number="T2"))
        house.pass_seconds(DAYS * DAY + 1)
        await forget(house)
        assert house.database.query("SELECT place FROM feed_marks WHERE name = 'removed'")

    live(database, story)
    where = database.url if isinstance(database, PostgresDatabase) else database.path  # type: ignore[attr-defined]
    assert [finding for finding in check_ledger(where) if finding.broken] == []


def test_what_waits_to_be_told_is_kept_however_old_it_is(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        endpoint_id = await house.register(receiver.url)
        ids = await house.create_orders(2)
        house.pass_seconds(DAYS * DAY + 1)
        await forget(house)
        assert len(house.reading.feed(0, 100, None).events) == 2, "nobody made messages of them yet"
        receiver.always(500)
        async with house.relay() as relay:
            await work(relay)
            await forget(house)
            assert len(house.reading.feed(0, 100, None).events) == 2, "the messages wait"
            receiver.answer = None
            house.pass_seconds(DAY)
            await work(relay)
            told = [json.loads(came.body) for came in receiver.taken]
            assert sorted(event["order_id"] for event in told) == ids
            assert all(event["data"]["line_items"] for event in told)
            await forget(house)
            assert house.reading.feed(0, 100, None).events == []
            assert house.messages() == []
            (event_id, *_) = sorted(event["id"] for event in told)
            assert await house.replay(endpoint_id, [event_id]) == 0, "there is nothing left to tell"
            house.pass_seconds(DAYS * DAY + 1)
            await forget(house)
        assert house.database.query("SELECT count(*) FROM webhook_attempts") == [(0,)]

    live(database, story)


def test_a_step_is_small_and_there_is_none_by_default(database: Database) -> None:
    async def story(house: House) -> None:
        for _ in range(3):
            await house.create_orders(ROWS_A_STEP)
        house.pass_seconds(DAYS * DAY + 1)
        await forget(house, days=0)
        assert house.database.query("SELECT count(*) FROM feed_marks") == [(0,)]
        retention = Retention(house.storage, DAYS)
        for steps in (1, 2, 3):
            await retention.work(house.now)
            await retention.work(house.now)
            assert len(house.reading.feed(0, 1_000, None).events) == (3 - steps) * ROWS_A_STEP
            house.pass_seconds(STEP_SECONDS)

    live(database, story)


def test_the_relay_takes_the_steps(database: Database) -> None:
    async def story(house: House) -> None:
        await house.create_orders(2)
        house.pass_seconds(DAYS * DAY + 1)
        async with house.relay(retention_days=DAYS) as relay:
            await relay.turn()
        assert house.reading.feed(0, 100, None).events == []

    live(database, story)
