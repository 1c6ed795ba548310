"""`shipledger serve` with a relay that is killed at a named point, or that is broken on purpose, for controls.

The product has no setting for any of this: a process of the tests alters the code, and then runs the command.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from shipledger.cli.main import main
from shipledger.outbox import relay
from shipledger.outbox.recorder import Recorder
from shipledger.outbox.relay import FAN_OUT_EVENTS, Relay
from shipledger.outbox.sender import Sender
from shipledger.storage.port import Errand, Step
from tests.serving import Database, Server, running

COMMAND = (sys.executable, "-m", "tests.outbox.altered_relay", "serve")
ALTERATIONS = "SHIPLEDGER_TEST_ALTERATIONS"
STEPS: dict[str, tuple[type[Any], str]] = {
    "fan-out": (Relay, "_fan_out"),
    "claim": (Relay, "_take"),
    "send": (Sender, "send"),
    "record": (Recorder, "_keep"),
}


def altered(database: Database, *alterations: tuple[Any, ...], **options: Any) -> AbstractContextManager[Server]:
    """A server with these alterations, stopped at the end of the block. One that kills itself is gone by then."""
    return running(database, command=COMMAND, **options, **{ALTERATIONS: json.dumps(alterations)})


def kill_at(point: str, call: int) -> None:
    """SIGKILL at the given call of a step, counted from 1: when it begins, or when it has ended."""
    step, _, when = point.partition(" ")
    owner, method = STEPS[step]
    original: Callable[..., Any] = getattr(owner, method)
    calls = 0

    async def deadly(self: Any, *arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        mine = calls
        if mine == call and when == "begins":
            _die()
        result = await original(self, *arguments)
        if mine == call and when == "ended":
            _die()
        return result

    setattr(owner, method, deadly)


def short_leases(seconds: int) -> None:
    """So that a test need not wait for half a minute until another relay goes on."""
    relay.LEASE_SECONDS = seconds
    relay.RENEW_SECONDS = seconds // 2


def mark_before_messages(step: int) -> None:
    """An outbox that is written after its commit: the mark moves in one transaction, messages follow in another.

    SIGKILL between the two, at the given step.
    """
    steps = 0

    async def fan_out(self: Relay) -> bool:
        nonlocal steps
        found = await self._storage.read(self._storage.reading.fan_out_range, FAN_OUT_EVENTS)
        if found is None:
            return False
        first, last = found
        await self._storage.carry_out(Errand((Step("keep_feed_mark", ("fanned_out", last)),)))
        steps += 1
        if steps == step:
            _die()
        await self._storage.carry_out(Errand((Step("add_webhook_messages", (first, last, self._clock())),)))
        return last - first >= FAN_OUT_EVENTS

    Relay._fan_out = fan_out  # type: ignore[method-assign]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    for name, *arguments in json.loads(os.environ[ALTERATIONS]):
        globals()[name](*arguments)
    main()
