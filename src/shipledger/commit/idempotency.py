"""Idempotency keys: the first success under a key is its answer for ever; refusals are not kept and can be mended."""

from dataclasses import replace

from shipledger.command import Command
from shipledger.outcome import Done, Outcome
from shipledger.refusal import Detail, Reason, Refusal
from shipledger.timestamp import Microseconds
from shipledger.working_set import KeptAnswer, WorkingSet


def kept_outcome(command: Command, key: str, working_set: WorkingSet) -> Outcome | None:
    """The answer that the command's key holds; a refusal where it holds another request's; None where it is unused."""
    kept = working_set.kept.get((command.origin.account, key))
    if kept is None:
        return None
    if kept.fingerprint != command.fingerprint():
        detail = Detail("idempotency_key_reused", "Idempotency-Key", Reason.KEY_REUSED.sentence)
        return Refusal(Reason.KEY_REUSED, (detail,))
    working_set.has_replayed = True
    return replace(kept.done, replayed=True)


def keep_answer(command: Command, key: str, done: Done, working_set: WorkingSet, now: Microseconds) -> None:
    """Keep the answer with the changes that it tells of: both are committed, or neither is."""
    working_set.keep_answer(KeptAnswer(command.origin.account, key, command.fingerprint(), done, now))
