"""Who waits for events is woken by the next one, and misses none."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

from shipledger.outbox.feed_watch import FeedWatch

LONG = 30.0


def seconds(story: Callable[[], Awaitable[None]]) -> float:
    async def run() -> None:
        await story()

    begin = time.monotonic()
    asyncio.run(run())
    return time.monotonic() - begin


def test_what_is_noted_between_the_mark_and_the_wait_is_not_missed() -> None:
    async def story() -> None:
        watch = FeedWatch(None)
        mark = watch.mark()
        watch.note()
        await watch.changed(mark, LONG)

    assert seconds(story) < LONG / 3


def test_all_who_wait_are_woken_from_another_thread() -> None:
    async def story() -> None:
        watch = FeedWatch(None)
        waiting = [asyncio.create_task(watch.changed(watch.mark(), LONG)) for _ in range(100)]
        await asyncio.sleep(0.05)
        threading.Thread(target=watch.note).start()
        await asyncio.gather(*waiting)

    assert seconds(story) < LONG / 3


def test_nobody_waits_for_what_was_before_or_longer_than_asked() -> None:
    async def story() -> None:
        watch = FeedWatch(None)
        watch.note()
        begin = time.monotonic()
        await watch.changed(watch.mark(), 0.2)
        assert time.monotonic() - begin >= 0.19

    assert seconds(story) < LONG / 3


def test_a_watch_that_is_closed_lets_go() -> None:
    async def story() -> None:
        watch = FeedWatch(None)
        waiting = asyncio.create_task(watch.changed(watch.mark(), LONG))
        await asyncio.sleep(0.05)
        watch.close()
        await waiting
        await watch.changed(watch.mark(), LONG)
        assert watch.is_closed

    assert seconds(story) < LONG / 3


def test_where_others_write_one_reader_looks_for_all_and_only_while_anyone_waits() -> None:
    async def story() -> None:
        looks, end = 0, 7

        async def read_end() -> int:
            nonlocal looks
            looks += 1
            if looks == 2:
                raise OSError("the database is away")
            return end

        watch = FeedWatch(read_end)
        waiting = [asyncio.create_task(watch.changed(watch.mark(), LONG)) for _ in range(50)]
        await asyncio.gather(*waiting)  # the first look finds an end that was not known
        waiting = [asyncio.create_task(watch.changed(watch.mark(), LONG)) for _ in range(50)]
        await asyncio.sleep(0.35)
        assert looks < 10
        end = 8
        await asyncio.gather(*waiting)
        await asyncio.sleep(0.3)
        before = looks
        await asyncio.sleep(0.3)
        assert looks == before

    assert seconds(story) < LONG / 3
