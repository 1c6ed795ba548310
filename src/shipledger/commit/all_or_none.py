"""Commands that stand or fall together: one transaction, in which each sees what those before it did."""

from shipledger.command import AllOrNone, Command
from shipledger.commit.batch import fault_of, in_one_transaction, outcome_of
from shipledger.outcome import Done, Fault, Outcome
from shipledger.refusal import Reason, Refusal
from shipledger.storage.port import Ledger
from shipledger.timestamp import Microseconds
from shipledger.working_set import WorkingSet


def commit_all_or_none(ledger: Ledger, asked: AllOrNone, now: Microseconds) -> list[Outcome | Fault]:
    """The durable outcome of each command, in order. Where one is refused, nothing of the others is applied.

    An answer that is given again tells of an earlier request: it stands, whatever becomes of this one.
    """
    try:
        return in_one_transaction(ledger, asked.commands, lambda working_set: _decide_together(asked, working_set, now))
    except Exception as error:  # whatever storage raises
        fault = fault_of(error)
        return [fault for _ in asked.commands]


def _decide_together(asked: AllOrNone, working_set: WorkingSet, now: Microseconds) -> list[Outcome | Fault]:
    mark = working_set.mark()
    outcomes = [outcome_of(command, working_set, now) for command in asked.commands]
    if not asked.is_spoiled and all(isinstance(outcome, Done) for outcome in outcomes):
        return outcomes
    working_set.drop_since(mark)
    return [
        _without_the_others(command, working_set, now) if isinstance(outcome, Done) else outcome
        for command, outcome in zip(asked.commands, outcomes, strict=True)
    ]


def _without_the_others(command: Command, working_set: WorkingSet, now: Microseconds) -> Outcome | Fault:
    """What is said to a command that could be carried out, now that nothing of its request is.

    It is asked once more, since what it repeats may have been an item of the same request.
    """
    mark = working_set.mark()
    outcome = outcome_of(command, working_set, now)
    working_set.drop_since(mark)
    is_repeat = isinstance(outcome, Done) and (outcome.replayed or not outcome.is_new)
    return outcome if is_repeat else Refusal(Reason.NOT_ALONE)
