"""One batch of commands as one transaction: load, decide, save, commit; only then may anyone be answered."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from shipledger.command import Command, CreateFulfillment
from shipledger.commit.idempotency import keep_answer, kept_outcome
from shipledger.decision import decide
from shipledger.needs import needs_of
from shipledger.outcome import Crashed, Done, Fault, Outcome, Unavailable
from shipledger.storage.port import Contention, Ledger
from shipledger.timestamp import Microseconds
from shipledger.working_set import WorkingSet

log = logging.getLogger("shipledger.commit")

ATTEMPTS_MAX = 3
"""How often a batch is decided when other nodes stand in its way."""


def commit_batch(ledger: Ledger, commands: Sequence[Command], now: Microseconds) -> list[Outcome | Fault]:
    """The durable outcome of each command, in order.

    A batch that fails as a whole is tried again one command at a time, so that a poisoned command fails alone.
    """
    try:
        return _commit(ledger, commands, now)
    except Exception as error:  # whatever storage raises: no command may take its neighbours along
        if len(commands) > 1 and not _hits_everyone(error):
            return [commit_batch(ledger, [command], now)[0] for command in commands]
        fault = fault_of(error)
        return [fault for _ in commands]


def _commit(ledger: Ledger, commands: Sequence[Command], now: Microseconds) -> list[Outcome | Fault]:
    return in_one_transaction(
        ledger, commands, lambda working_set: [outcome_of(command, working_set, now) for command in commands]
    )


Decide = Callable[[WorkingSet], list[Outcome | Fault]]


def in_one_transaction(ledger: Ledger, commands: Sequence[Command], decide_on: Decide) -> list[Outcome | Fault]:
    """Load, decide, save and commit; where another node's batch stood in the way, loaded and decided anew.

    Raises what storage raises.
    """
    for _ in range(ATTEMPTS_MAX - 1):
        with suppress(Contention):
            return _attempt(ledger, commands, decide_on)
    return _attempt(ledger, commands, decide_on)


def _attempt(ledger: Ledger, commands: Sequence[Command], decide_on: Decide) -> list[Outcome | Fault]:
    with ledger.transaction():
        working_set = ledger.load(needs_of(commands))
        outcomes = decide_on(working_set)
        ledger.save(working_set)
    return outcomes


def outcome_of(command: Command, working_set: WorkingSet, now: Microseconds) -> Outcome | Fault:
    """Decide one command; one that is refused, crashes, or is a dry run leaves no change behind."""
    mark = working_set.mark()
    is_dry = isinstance(command, CreateFulfillment) and command.dry_run
    key = None if is_dry else command.idempotency_key
    try:
        outcome = None if key is None else kept_outcome(command, key, working_set)
        if outcome is not None:
            return outcome
        outcome = decide(command, working_set, now)
        if is_dry:
            working_set.drop_since(mark)
        elif isinstance(outcome, Done):
            if key is not None:
                keep_answer(command, key, outcome, working_set, now)
            working_set.has_replayed |= not outcome.is_new
    except Exception as error:  # a defect in one command's rules must not touch the rest of its batch
        working_set.drop_since(mark)
        return fault_of(error)
    return outcome


def _hits_everyone(error: Exception) -> bool:
    """Whether the database is away: trying the commands one by one would only wait for it once more for each."""
    return isinstance(error, Fault)


def fault_of(error: Exception) -> Fault:
    """What is said of an error that nobody foresaw: nothing of its command was applied."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, Contention):
        return Unavailable(str(error))
    log.error("a command failed", exc_info=error)
    return Crashed("a command failed")
