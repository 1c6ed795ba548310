"""Writes down what became of attempts, those of a moment in one transaction."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from shipledger.outbox.storage import Storage
from shipledger.storage.port import Errand, Step
from shipledger.storage.webhook_reading import DueEndpoint, DueMessage
from shipledger.timestamp import MICROSECONDS_A_SECOND
from shipledger.webhook import FAILING_SECONDS_MAX, Attempt, Disabled, MessageStatus, Verdict

log = logging.getLogger("shipledger.outbox")

GATHER_SECONDS = 0.03
RESULTS_MAX = 1_000
"""Results in one transaction."""
RETRY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one attempt at one message. `when_kept` is called when it is written down."""

    endpoint: DueEndpoint
    message: DueMessage
    attempt: Attempt
    verdict: Verdict
    when_kept: Callable[[], None]


class Recorder:
    """Keeps results until storage has taken them; those that are lost with the process are sent again."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._results: list[Result] = []
        self._is_wanted = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def add(self, result: Result) -> None:
        """Hand in a result."""
        self._results.append(result)
        self._is_wanted.set()

    async def stop(self) -> None:
        """End at once. Who hands in results waits for them to be kept."""
        self._task.cancel()
        await asyncio.wait((self._task,))

    async def _run(self) -> None:
        while True:
            await self._is_wanted.wait()
            await asyncio.sleep(GATHER_SECONDS)
            results, self._results = self._results[:RESULTS_MAX], self._results[RESULTS_MAX:]
            if not self._results:
                self._is_wanted.clear()
            if results:
                await self._keep(results)

    async def _keep(self, results: list[Result]) -> None:
        is_told = False
        while True:
            try:
                await self._storage.carry_out(errand_of(results))
                break
            except Exception as error:  # the database is away: what was sent stays sent, and is written down later
                if not is_told:
                    log.warning("what became of %d webhooks could not be written down yet: %s", len(results), error)
                is_told = True
                await asyncio.sleep(RETRY_SECONDS)
        for result in results:
            result.when_kept()


def errand_of(results: list[Result]) -> Errand:
    """The writing that results amount to."""
    taken = {result.endpoint.id for result in results if result.attempt.is_taken}
    failing = {
        result.endpoint.id: result for result in reversed(results) if result.endpoint.id not in taken
    }  # the first of each
    steps = [
        ("record_messages", [_message_row(result) for result in results]),
        ("postpone_messages", [late for result in results if (late := _postponed_row(result)) is not None]),
        ("add_webhook_attempts", [_attempt_row(result) for result in results]),
        ("note_failing", [(id_, result.attempt.attempted_at) for id_, result in sorted(failing.items())]),
        ("note_taking", sorted(taken)),
        ("disable_endpoints", [row for result in results if (row := _disabled_row(result, taken)) is not None]),
    ]
    return Errand(tuple(Step(name, (rows,)) for name, rows in steps if rows))


def _message_row(result: Result) -> tuple[int, int, int, str, int, int, int | None]:
    message, verdict = result.message, result.verdict
    finished_at = None if verdict.status is MessageStatus.PENDING else verdict.due_at
    return (
        result.endpoint.id, message.event_id, message.due_at, str(verdict.status), message.attempts + 1, verdict.due_at,
        finished_at,
    )  # fmt: skip


def _postponed_row(result: Result) -> tuple[int, int, int] | None:
    """A message that later ones of its order wait for: they are not due before it."""
    if not result.endpoint.is_ordered or result.verdict.status is not MessageStatus.PENDING:
        return None
    return result.endpoint.id, result.message.event_id, result.verdict.due_at


def _attempt_row(result: Result) -> tuple[int, int, int, int, int | None, str | None, str]:
    attempt = result.attempt
    return (
        result.endpoint.id, result.message.event_id, attempt.attempted_at, attempt.duration_ms, attempt.status,
        attempt.error, attempt.answer,
    )  # fmt: skip


def _disabled_row(result: Result, taken: set[int]) -> tuple[int, int, str] | None:
    """An endpoint that wants no more, or has taken nothing for days."""
    endpoint, attempt = result.endpoint, result.attempt
    if attempt.is_gone:
        why = Disabled.GONE
    elif (
        endpoint.failing_since is not None
        and endpoint.id not in taken
        and attempt.attempted_at - endpoint.failing_since >= FAILING_SECONDS_MAX * MICROSECONDS_A_SECOND
    ):
        why = Disabled.FAILING
    else:
        return None
    log.warning("webhook endpoint %d is disabled: %s", endpoint.id, why)
    return endpoint.id, attempt.attempted_at, str(why)
