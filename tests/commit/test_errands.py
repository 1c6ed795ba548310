"""Errands: writing beside the batches, each a transaction of its own."""

import asyncio
import queue
from pathlib import Path
from typing import Any

import pytest

from shipledger.commit.batch_committer import BatchCommitter
from shipledger.commit.committer_process import CommitterProcess
from shipledger.commit.errand_line import ErrandLine
from shipledger.outcome import Crashed, Done, OutcomeUnknown, Unavailable
from shipledger.storage.port import Errand, ErrandDone, Step, WritingLedger
from shipledger.storage.sqlite import SqliteLedger
from tests.commit.commands import NOW, hand_in_handful, new_ledger, order

SECONDS_MAX = 10
MARK = Errand((Step("keep_feed_mark", ("fanned_out", 7)), Step("feed_end", ())))
BAD = Errand((Step("keep_feed_mark", ("removed", 9)), Step("keep_feed_mark", ("removed", "no place"))))


def marks(ledger: SqliteLedger) -> list[tuple[Any, ...]]:
    return list(ledger._connection.execute("SELECT name, place FROM feed_marks ORDER BY name"))


def test_an_errand_answers_the_rows_of_each_step(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path / "ledger.db")
    assert ledger.carry_out(MARK) == [[], [(0,)]]
    assert marks(ledger) == [("fanned_out", 7)]
    ledger.close()


def test_an_errand_is_done_whole_or_not_at_all_and_fails_alone(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path / "ledger.db")
    committer = BatchCommitter(ledger, lambda: NOW)
    told: queue.SimpleQueue[Any] = queue.SimpleQueue()
    committer.do_errand(BAD, told.put)
    hand_in_handful(committer, [order(1, ("A", 1))], told.put)
    committer.do_errand(MARK, told.put)
    committer.start()
    found = [told.get(timeout=SECONDS_MAX) for _ in range(3)]
    assert marks(ledger) == [("fanned_out", 7)]
    assert [type(one) for one in found] == [list, Crashed, ErrandDone], "commands do not wait for errands"
    assert isinstance(found[0][0], Done)
    committer.close()


def ask(committer: CommitterProcess, lines: list[ErrandLine], *errands: Errand) -> list[Any]:
    """What each errand answers, handed in by a line of its own, beside an order."""

    async def run() -> list[Any]:
        await committer.connect(when_lost=lambda: None)
        for line in lines:
            await line.connect()
        found = await asyncio.gather(
            *(line.carry_out(errand) for line, errand in zip(lines, errands, strict=True)),
            committer.submit(order(1, ("A", 1))), return_exceptions=True,
        )  # fmt: skip
        await committer.disconnect(SECONDS_MAX)
        with pytest.raises((Unavailable, OutcomeUnknown)):
            await lines[0].carry_out(MARK)
        return list(found)

    try:
        return asyncio.run(run())
    finally:
        committer.close()


def test_an_errand_goes_to_the_committing_process_and_back(tmp_path: Path) -> None:
    new_ledger(tmp_path / "ledger.db").close()

    def opened() -> WritingLedger:
        return SqliteLedger(tmp_path / "ledger.db")

    committer = CommitterProcess(opened, lambda: NOW)
    lines = [committer.errand_line(), committer.errand_line()]
    committer.start()
    done, failed, outcome = ask(committer, lines, MARK, BAD)
    assert done[0] == []
    assert isinstance(failed, Crashed)
    assert isinstance(outcome, Done)
