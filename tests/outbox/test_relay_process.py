"""The process that sends webhooks and the one that serves do not outlive each other."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.commit.altered_server import altered
from tests.outbox.webhook_server import SETTINGS, wait_for
from tests.serving import STOP_SECONDS_MAX, running

SLOW = ("slow_commits", 1.0)


def test_it_ends_with_the_server_that_is_killed(tmp_path: Path) -> None:
    with running(tmp_path / "ledger.db", **SETTINGS) as server:
        committing, relaying = server.committing(), server.relaying()
        assert committing.pid != relaying.pid
        server.kill_serving_process()
        wait_for(lambda: not relaying.is_running())


def test_a_server_that_has_lost_it_answers_what_it_was_sent_and_ends_to_be_started_anew(tmp_path: Path) -> None:
    order = {"id": 1, "line_items": [{"sku": "A", "quantity": 1}]}
    with altered(tmp_path / "ledger.db", SLOW, **SETTINGS) as server, ThreadPoolExecutor(1) as client:
        answer = client.submit(server.post, "/v1/orders", order)
        time.sleep(SLOW[1] / 2)
        server.relaying().kill()
        assert answer.result(STOP_SECONDS_MAX).status == 201
        assert server.process.wait(STOP_SECONDS_MAX) == 1


def test_a_node_that_leaves_webhooks_to_others_has_none(tmp_path: Path) -> None:
    with running(tmp_path / "ledger.db", **SETTINGS, SHIPLEDGER_RELAY="off") as server:
        assert server.relaying() == server.committing()
