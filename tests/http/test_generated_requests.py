"""Thousands of requests made by chance: no 5xx, and nothing written for one that was refused.

A million of them: SHIPLEDGER_TEST_GENERATED_REQUESTS=1000000.
"""

import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from shipledger.boot.ledgers import check_ledger
from tests.http.generated_requests import events_of, house_of, judge, send_generated
from tests.http.key_holders import close_server
from tests.serving import Engine, running

COUNT = int(os.environ.get("SHIPLEDGER_TEST_GENERATED_REQUESTS", "20000"))
"""Of both databases together."""
IS_LONG = COUNT > 20_000
SEED = random.randrange(10**6) if IS_LONG else 1
REQUESTS_A_SECOND_MIN = 100


@pytest.mark.on_both_databases
@pytest.mark.timeout(60 + COUNT // REQUESTS_A_SECOND_MIN)
def test_no_request_fails_and_what_is_refused_writes_nothing(engine: Engine) -> None:
    """Takes some 20 s for each database: few requests would reach few of the ways to go wrong."""
    with engine.running() as server:
        keys = house_of(close_server(server))
        known = events_of(server)
        answers = send_generated(server, keys, COUNT // 2, SEED)
        found = judge(server, answers, known)
        print(f"\n{len(answers)} generated requests, seed {SEED}: {dict(sorted(found.statuses.items()))}")
        assert found.faults == []
        for status in (200, 201, 400, 401, 403, 404, 405, 409, 415, 422):
            assert found.statuses[status] > 0, "what is never answered proves nothing"
        assert len(events_of(server) - known) > COUNT // 100
        database = server.database
    assert [finding for finding in check_ledger(database) if finding.broken] == []


BROKEN = {
    "a type is not looked at": (
        "500: ",
        "import shipledger.http.fields as fields; fields.whole_number = lambda value: value",
    ),
    "a refusal changes the ledger": (
        "was refused",
        """
import shipledger.commit.batch as batch
from shipledger.event import EventType
from shipledger.refusal import Refusal
real = batch.decide
def decide(command, working_set, now):
    outcome = real(command, working_set, now)
    if isinstance(outcome, Refusal):
        working_set.event_ids = iter(range(10**9 + now % 10**9 * 1000, 10**15))
        working_set.add_administrative_event(command.origin, EventType.KEY_REVOKED, {}, now)
    return outcome
batch.decide = decide
""",
    ),
    "the answer to a refusal is kept": (
        "was no success",
        """
import shipledger.commit.batch as batch
from shipledger.outcome import Done
from shipledger.refusal import Refusal
real = batch.decide
def decide(command, working_set, now):
    outcome = real(command, working_set, now)
    if isinstance(outcome, Refusal) and command.idempotency_key is not None:
        batch.keep_answer(command, command.idempotency_key, Done({}), working_set, now)
    return outcome
batch.decide = decide
""",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_build_is_caught(tmp_path: Path, name: str) -> None:
    """The controls, each broken as its process starts."""
    said, broken = BROKEN[name]
    (tmp_path / "sitecustomize.py").write_text(broken)
    with running(tmp_path / "ledger.db", PYTHONPATH=str(tmp_path)) as server:
        keys = house_of(close_server(server))
        known = events_of(server)
        found = judge(server, send_generated(server, keys, 2_000, seed=2), known)
    assert any(said in fault for fault in found.faults), found


def test_an_answer_that_lies_is_caught(tmp_path: Path) -> None:
    """The control of the judge: successes that are told as refusals."""
    with running(tmp_path / "ledger.db") as server:
        keys = house_of(close_server(server))
        known = events_of(server)
        answers = send_generated(server, keys, 400, seed=3)
        assert judge(server, answers, known).faults == []
        lies = [replace(answered, status=400) for answered in answers]
        assert judge(server, lies, known).faults != []
