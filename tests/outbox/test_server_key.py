"""The server's own key: a setting, or a file that only its owner reads, made when it is first needed."""

import asyncio
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from shipledger.outbox.server_key import ServerKey
from shipledger.storage.sqlite_reading import open_to_read
from tests.outbox.receiver import Receiver, receiving
from tests.outbox.webhook_server import create_orders, register, wait_for
from tests.postgres_server import Databases
from tests.serving import running

INSIDE = {"SHIPLEDGER_WEBHOOK_NETWORKS": "127.0.0.0/8"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db.webhook-key"
    assert ServerKey("", file).find() is None
    assert not file.exists()
    made = ServerKey("", file).require()
    assert made is not None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for again in (ServerKey("", file).find(), ServerKey("", file).require()):
        assert again is not None
        assert again.check() == made.check()
    other = ServerKey("s" * 32, file).find()
    assert other is not None
    assert other.check() != made.check(), "a setting goes over the file"
    assert ServerKey("", None).require() is None


def test_an_embedded_ledger_has_all_it_needs_and_holds_no_secret(tmp_path: Path, receiver: Receiver) -> None:
    database = tmp_path / "ledger.db"
    with running(database, **INSIDE) as server:
        secret = register(server, receiver.url)["secret"]
    with running(database, **INSIDE) as server:
        create_orders(server, 1)
        wait_for(lambda: receiver.received)
        assert secret not in server.get("/v1/webhooks").body.decode()
    receiver.received[0].verified(secret)
    key = (tmp_path / "ledger.db.webhook-key").read_bytes()
    dump = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.db*") if path.suffix != ".webhook-key")
    for hidden in (secret.removeprefix("whsec_").encode(), key, bytes.fromhex(key.decode())):
        assert hidden not in dump
    connection = open_to_read(database)
    assert connection.execute("SELECT count(*) FROM webhook_endpoints").get == 1
    connection.close()


def test_on_postgresql_the_setting_is_asked_for(databases: Databases, tmp_path: Path) -> None:
    with (
        databases.dropped_at_the_end(databases.create) as create,
        running(create(), log=tmp_path / "node.log", **INSIDE) as server,
    ):
        answer = server.post("/v1/webhooks", {"url": "http://127.0.0.1/"})
        assert (answer.status, answer.json()["error"]) == (409, "Webhooks Not Set Up")
        assert "SHIPLEDGER_WEBHOOK_KEY" in answer.json()["message"]


def test_a_receiver_that_hangs_does_not_keep_the_server_from_ending(tmp_path: Path, receiver: Receiver) -> None:
    async def hang(_: web.BaseRequest) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    receiver.answer = hang
    with running(tmp_path / "ledger.db", **INSIDE) as server:
        endpoint = register(server, receiver.url)
        create_orders(server, 3)
        connection = open_to_read(tmp_path / "ledger.db")
        wait_for(lambda: connection.execute("SELECT count(*) FROM webhook_messages").get == 3)
        connection.close()
        time.sleep(0.3)
        begin = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(15) == 0
        assert time.monotonic() - begin < 10
    receiver.answer = None
    with running(tmp_path / "ledger.db", **INSIDE):
        wait_for(lambda: len(receiver.taken) == 3)
    for came in receiver.taken:
        came.verified(endpoint["secret"])
