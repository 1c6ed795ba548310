"""What the relay does over seconds and weeks: each rule of the schedule, on a clock that the test moves."""

import asyncio
import json
import socket
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from operator import itemgetter

import pytest
from aiohttp import web

from shipledger.command import CreateOrder
from shipledger.order import OrderContent, OrderedLine
from shipledger.timestamp import MICROSECONDS_A_SECOND
from shipledger.webhook import RETRY_SECONDS, CreateEndpoint, DeleteEndpoint, RotateSecret, Sealed
from tests.commit.commands import ORIGIN, ship
from tests.outbox.house import MAKER, SALT, SEALED, House, live, verify, work
from tests.outbox.receiver import Receiver, receiving
from tests.storage.conftest import Database, PostgresDatabase

HOUR = 3_600
DAY = 24 * HOUR


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def orders_of(receiver: Receiver) -> list[int]:
    """The orders that it was told of, in the order of the telling."""
    return [json.loads(came.body)["order_id"] for came in receiver.taken]


async def slower_at_first(request: web.BaseRequest) -> web.Response:
    """What is sent at once comes in another order."""
    await asyncio.sleep(0.03 if int(request.headers["webhook-id"]) % 2 else 0)
    return web.Response()


def unused_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"


def test_each_event_is_sent_once_to_each_who_wants_it(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        await house.register(receiver.url + "/all")
        await house.register(receiver.url + "/parcels", "fulfillment.created")
        ids = await house.create_orders(3)
        await house.commit(ship(ids[0], ("A", 1), number="T1"), ship(ids[1], number="T2"))
        async with house.relay() as relay:
            await work(relay)
            await work(relay)
        told: defaultdict[str, list[str]] = defaultdict(list)
        for came in receiver.received:
            verify(came)
            told[came.path].append(json.loads(came.body)["type"])
        parcels = ["fulfillment.created"] * 2
        assert sorted(told["/hook/all"]) == [*parcels, *["order.created"] * 3, "order.fulfilled"]
        assert told["/hook/parcels"] == parcels
        assert set(house.messages()) == {("sent", 1)}

    live(database, story)


def test_the_whole_schedule_runs_to_its_end_and_the_message_is_dead_but_not_lost(
    database: Database, receiver: Receiver
) -> None:
    async def story(house: House) -> None:
        receiver.always(500)
        endpoint_id = await house.register(receiver.url)
        await house.create_orders()
        begin, waits = house.now, []
        async with house.relay() as relay:
            await work(relay)
            for _ in RETRY_SECONDS:
                due = house.next_due() or 0
                waits.append((due - house.now) / MICROSECONDS_A_SECOND)
                house.now = due - 1
                before = len(receiver.received)
                await work(relay)
                assert len(receiver.received) == before, "it is not sent before it is due"
                house.now = due
                await work(relay)
            assert waits == list(RETRY_SECONDS)
            assert (house.now - begin) / MICROSECONDS_A_SECOND > 3 * DAY
            assert house.messages() == [("dead", 10)]
            assert len(receiver.received) == 10
            assert len({(came.id, came.body) for came in receiver.received}) == 1, "the same id and bytes each time"
            assert len({came.headers["webhook-timestamp"] for came in receiver.received}) == 10
            # Five years later, somebody asks for what was given up.
            house.pass_seconds(5 * 365 * DAY)
            assert house.reading.webhooks.dead_messages(endpoint_id, begin, 10) == [int(receiver.received[0].id)]

    live(database, story)


def test_a_receiver_that_was_down_for_three_days_gets_everything(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        receiver.always(503)
        house.chance = 1.0
        await house.register(receiver.url)
        ids: list[int] = []
        end = house.now + 3 * DAY * MICROSECONDS_A_SECOND
        async with house.relay() as relay:
            while house.now < end:
                ids += await house.create_orders(2)
                await work(relay)
                house.pass_seconds(6 * HOUR)
            assert not receiver.taken
            receiver.answer = None
            await house.work_off(relay)
            assert sorted(orders_of(receiver)) == ids
            assert len(receiver.taken) == len(ids), "each is taken once"
        assert {status for status, _ in house.messages()} == {"sent"}

    live(database, story)


def test_an_endpoint_that_takes_nothing_for_five_days_is_disabled_and_all_is_held_and_sent_in_order(
    database: Database, receiver: Receiver
) -> None:
    async def story(house: House) -> None:
        receiver.always(500)
        endpoint_id = await house.register(receiver.url)
        ids = []
        async with house.relay() as relay:
            for _ in range(11):
                ids += await house.create_orders(3)
                await work(relay)
                house.pass_seconds(DAY / 2)
            found = house.endpoint(endpoint_id)
            assert found.disabled_because == "failing"
            assert found.disabled_at is not None
            assert found.failing_since is not None
            assert found.disabled_at - found.failing_since >= 5 * DAY * MICROSECONDS_A_SECOND
            tried = len(receiver.received)
            ids += await house.create_orders(30)
            await work(relay)
            house.pass_seconds(DAY)
            await work(relay)
            assert len(receiver.received) == tried, "nothing is sent to it"
            dead = set(house.reading.webhooks.dead_messages(endpoint_id, 0, 1_000))
            receiver.answer = slower_at_first
            await house.change(endpoint_id, is_enabled=True)
            await work(relay)
        rows = house.database.query("SELECT order_id FROM webhook_messages WHERE status = 'dead'")
        dead_orders = {order_id for (order_id,) in rows}
        assert len(dead_orders) == len(dead)
        assert orders_of(receiver) == [id_ for id_ in ids if id_ not in dead_orders], "in the order of the feed"
        assert house.endpoint(endpoint_id).failing_since is None

    live(database, story)


def test_what_is_held_for_more_than_thirty_days_is_given_up(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        endpoint_id = await house.register(receiver.url)
        await house.change(endpoint_id, is_enabled=False)
        async with house.relay() as relay:
            await house.create_orders()
            await work(relay)
            house.pass_seconds(29 * DAY)
            await house.create_orders()
            await work(relay)
            assert house.messages() == [("pending", 0), ("pending", 0)]
            house.pass_seconds(2 * DAY)
            await work(relay)
            assert house.messages() == [("dead", 0), ("pending", 0)]
            await house.change(endpoint_id, is_enabled=True)
            await work(relay)
        assert house.messages() == [("dead", 0), ("sent", 1)]

    live(database, story)


def test_gone_disables_at_once_and_the_message_is_held(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        receiver.always(410)
        endpoint_id = await house.register(receiver.url)
        ids = await house.create_orders()
        async with house.relay() as relay:
            await work(relay)
            assert house.endpoint(endpoint_id).disabled_because == "gone"
            ids += await house.create_orders(2)
            house.pass_seconds(HOUR)
            await work(relay)
            assert len(receiver.received) == 1
            receiver.answer = None
            await house.change(endpoint_id, is_enabled=True)
            await work(relay)
        assert orders_of(receiver) == ids

    live(database, story)


def test_retry_after_is_honoured(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        receiver.always(429, Retry_After="7200")
        await house.register(receiver.url)
        await house.create_orders()
        async with house.relay() as relay:
            await work(relay)
            assert house.next_due() == house.now + 2 * HOUR * MICROSECONDS_A_SECOND

    live(database, story)


def test_an_ordered_endpoint_is_told_of_each_order_in_order(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        refused: set[str] = set()

        async def answer(request: web.BaseRequest) -> web.Response:
            event = json.loads(await request.read())
            if event["order_id"] == 1 and event["type"] == "order.created" and len(refused) < 2:
                refused.add(request.headers["webhook-timestamp"])
                return web.Response(status=500)
            return web.Response()

        receiver.answer = answer
        await house.register(receiver.url, is_ordered=True)
        await house.create_orders(2)
        await house.commit(*(ship(id_, ("A", 1), number=f"T{at}") for at in range(3) for id_ in (1, 2)))
        async with house.relay() as relay:
            await work(relay)
            taken = [json.loads(came.body) for came in receiver.taken]
            assert [event["sequence"] for event in taken] == [1, 2, 3, 4]
            assert {event["order_id"] for event in taken} == {2}, "the other order does not wait"
            await house.work_off(relay)
        of_first = [event for came in receiver.taken if (event := json.loads(came.body))["order_id"] == 1]
        assert [event["sequence"] for event in of_first] == [1, 2, 3, 4]

    live(database, story)


def test_another_relay_goes_on_when_a_lease_runs_out_and_not_before(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        await house.register(receiver.url)
        ids = await house.create_orders(5)
        async with house.relay("first") as first, house.relay("second") as second:
            await first._fan_out()
            due = await house.storage.read(house.reading.webhooks.due_endpoints, house.now, "first")
            await house.storage.carry_out(first._lease([one.id for one in due], house.now))  # and then it is killed
            await work(second)
            assert not receiver.received
            house.pass_seconds(29)
            await work(second)
            assert not receiver.received
            house.pass_seconds(2)
            await work(second)
        assert sorted(orders_of(receiver)) == ids

    live(database, story)


def test_relays_that_work_at_once_send_each_message_once(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        for number in range(6):
            await house.register(f"{receiver.url}/{number}")
        ids = await house.create_orders(50)
        async with house.relay("a") as a, house.relay("b") as b, house.relay("c") as c:
            await asyncio.gather(*(relay.turn() for relay in (a, b, c)))
            await asyncio.gather(*(relay.settle() for relay in (a, b, c)))
        assert len(receiver.received) == 6 * len(ids)
        assert len({(came.path, came.id) for came in receiver.received}) == 6 * len(ids)

    live(database, story)


def test_a_lease_is_given_back_when_there_is_nothing_to_send(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        await house.register(receiver.url)
        async with house.relay("a") as a, house.relay("b") as b:
            for relay in (a, b, a):
                await house.create_orders()
                await work(relay)
        assert len(receiver.taken) == 3

    live(database, story)


def test_a_deleted_endpoint_is_sent_nothing(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        endpoint_id = await house.register(receiver.url)
        await house.create_orders()
        await house.commit(DeleteEndpoint(ORIGIN, endpoint_id))
        async with house.relay() as relay:
            await work(relay)
        assert not receiver.received

    live(database, story)


def test_the_old_secret_signs_for_a_day_and_no_longer(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        endpoint_id = await house.register(receiver.url)
        await house.commit(RotateSecret(ORIGIN, endpoint_id, Sealed(b"n" * 16, SEALED.key_check)))
        async with house.relay() as relay:
            for seconds in (0, DAY - 1, 1):
                house.pass_seconds(seconds)
                await house.create_orders()
                await work(relay)
        counts = [len(came.headers["webhook-signature"].split()) for came in receiver.received]
        assert counts == [2, 2, 1]

    live(database, story)


def test_with_another_server_key_webhooks_wait(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        endpoint_id = await house.register(receiver.url)
        await house.commit(RotateSecret(ORIGIN, endpoint_id, Sealed(SALT, b"another!")))
        await house.create_orders()
        async with house.relay() as relay:
            await work(relay)
            assert not receiver.received
            await house.commit(RotateSecret(ORIGIN, endpoint_id, Sealed(SALT, MAKER.check())))
            await work(relay)
        (came,) = receiver.received
        verify(came)

    live(database, story)


def test_attempts_are_recorded_with_what_was_answered(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        reachable, unreachable = await house.register(receiver.url), await house.register(unused_url())
        await house.create_orders()
        async with house.relay() as relay:
            await work(relay)
        rows = house.database.query("SELECT endpoint_id, status, error, answer FROM webhook_attempts ORDER BY 1")
        assert rows == [(reachable, 200, None, "thank you"), (unreachable, None, "no connection", "")]

    live(database, story)


def test_a_backlog_longer_than_what_is_held_in_memory_is_sent_whole(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        await house.register(receiver.url)
        ids = [id_ for _ in range(15) for id_ in await house.create_orders(100)]
        async with house.relay() as relay:
            await work(relay)
        assert sorted(orders_of(receiver)) == ids
        assert set(house.messages()) == {("sent", 1)}

    live(database, story)


def test_secrets_cannot_be_made_from_what_the_database_holds(database: Database) -> None:
    async def story(house: House) -> None:
        await house.register("https://example.com/")
        secret = MAKER.secret(SALT)
        for (value,) in house.database.query("SELECT salt FROM webhook_endpoints") + house.database.query(
            "SELECT key_check FROM webhook_endpoints"
        ):
            assert secret not in bytes(value)
        if not isinstance(database, PostgresDatabase):
            content = house.database.content()
            assert secret not in repr(content).encode()
            assert MAKER._key not in repr(content).encode()

    live(database, story)


def test_a_partner_s_receiver_is_told_what_its_feed_tells_and_nothing_else(
    database: Database, receiver: Receiver
) -> None:
    async def story(house: House) -> None:
        acme = replace(ORIGIN, account="partner:acme", partner="acme")
        await house.made(CreateEndpoint(acme, receiver.url, None, ("*",), False, SEALED))
        lines = (OrderedLine("A", 2, partner="acme"), OrderedLine("B", 2, partner="other"), OrderedLine("C", 1))
        mixed = CreateOrder(ORIGIN, OrderContent(1, lines, email="a@example.com"))
        others = CreateOrder(ORIGIN, OrderContent(2, lines[1:]))
        await house.commit(mixed, others)
        await house.commit(ship(1, ("A", 1), ("B", 1), number="T1"), ship(1, ("C", 1), number="T2"))
        async with house.relay() as relay:
            await work(relay)
        told = [json.loads(came.body) for came in receiver.taken]
        assert sorted(event["type"] for event in told) == ["fulfillment.created", "order.created"]
        assert b'"B"' not in b"".join(came.body for came in receiver.taken)
        feed = [placed.document for placed in house.reading.events(0, 100, "acme")]
        assert sorted(told, key=itemgetter("id")) == feed
        for came in receiver.taken:
            verify(came)

    live(database, story)


def test_a_receiver_that_hangs_holds_up_nobody_else(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        async def hang(request: web.BaseRequest) -> web.Response:
            if request.path.endswith("hangs"):
                await asyncio.sleep(HOUR)
            return web.Response()

        receiver.answer = hang
        hanging = await house.register(receiver.url + "/hangs")
        others = [await house.register(f"{receiver.url}/{number}") for number in range(5)]
        await house.create_orders(60)
        async with house.relay(seconds_max=HOUR) as relay:
            await relay.turn()
            lanes = [relay._lanes[endpoint_id] for endpoint_id in others]
            await asyncio.wait([lane.task for lane in lanes])
            assert not relay._lanes[hanging].task.done()
            assert len(receiver.taken) == 60 * len(others)

    live(database, story)


def test_a_new_receiver_is_told_nothing_from_before_also_where_an_older_one_still_waits_for_it(
    database: Database, receiver: Receiver
) -> None:
    async def story(house: House) -> None:
        await house.register(receiver.url + "/old")
        await house.create_orders(2)
        await house.register(receiver.url + "/new")
        (last,) = await house.create_orders()
        async with house.relay() as relay:
            await work(relay)
        told = [json.loads(came.body)["order_id"] for came in receiver.taken if came.path == "/hook/new"]
        assert told == [last]
        assert len(receiver.taken) == 4

    live(database, story)


def test_an_endpoint_is_leased_to_one_relay_at_a_time(database: Database) -> None:
    async def story(house: House) -> None:
        endpoint_id = await house.register("https://example.com/")
        async with house.relay("a") as a, house.relay("b") as b:
            for seconds in (0, 29, 29):
                house.pass_seconds(seconds)
                assert await house._carry_out(a._lease([endpoint_id], house.now)) == [[(endpoint_id,)]]
                assert await house._carry_out(b._lease([endpoint_id], house.now)) == [[]]
            house.pass_seconds(31)
            assert await house._carry_out(b._lease([endpoint_id], house.now)) == [[(endpoint_id,)]]
            assert await house._carry_out(a._lease([endpoint_id], house.now)) == [[]]

    live(database, story)


def test_what_was_written_down_while_the_lane_read_is_not_sent_again(database: Database, receiver: Receiver) -> None:
    async def story(house: House) -> None:
        house.read_seconds = 0.2
        await house.register(receiver.url)
        for _ in range(7):
            await house.create_orders(100)
        async with house.relay() as relay:
            await work(relay)
        assert len(receiver.taken) == 700
        assert len({came.id for came in receiver.taken}) == 700

    live(database, story)


def test_an_endpoint_that_is_disabled_in_the_middle_of_a_backlog_is_left_in_peace(
    database: Database, receiver: Receiver
) -> None:
    async def story(house: House) -> None:
        async def slowly(_: web.BaseRequest) -> web.Response:
            await asyncio.sleep(0.1)
            return web.Response()

        receiver.answer = slowly
        endpoint_id = await house.register(receiver.url)
        for _ in range(5):
            await house.create_orders(100)
        async with house.relay() as relay:
            await relay.turn()
            await asyncio.sleep(0.3)
            await house.change(endpoint_id, is_enabled=False)
            await relay.turn()
            await relay.settle()
            taken = len(receiver.taken)
            assert taken < 400
            receiver.answer = None
            await house.change(endpoint_id, is_enabled=True)
            await work(relay)
        assert len(receiver.taken) == len({came.id for came in receiver.taken}) == 500
        assert set(house.messages()) == {("sent", 1)}

    live(database, story)
