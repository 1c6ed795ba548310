"""What becomes of a command: done, refused, or, by no fault of its sender's, not carried out."""

from collections.abc import Awaitable, Sequence
from typing import Any, Protocol

from shipledger.command import AllOrNone, Command
from shipledger.refusal import Refusal
from shipledger.value import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    """The command was carried out. `body` is its answer as a JSON object.

    `made_id` is the one thing that it made (None for a parcel of several orders and for a dry run); `is_new` is False
    where the thing was there before; `replayed` where an earlier answer is given again.
    """

    body: dict[str, Any]
    made_id: int | None = None
    is_new: bool = True
    replayed: bool = False


Outcome = Done | Refusal


class Fault(Exception):
    """Something of ours went wrong; the command's sender is not to blame."""


class Unavailable(Fault):
    """Nothing was applied: overloaded, draining, or the database is away. The same request may be sent again soon."""


class OutcomeUnknown(Fault):
    """COMMIT was sent and its answer was lost. The same request is safe to repeat with its Idempotency-Key."""


class Crashed(Fault):
    """A defect in deciding or saving this one command. Nothing of it was applied."""


class Submit(Protocol):
    """The door to the committer: hand in a command, await its durable outcome. Raises `Fault`."""

    def __call__(self, command: Command) -> Awaitable[Outcome]: ...


class SubmitMany(Protocol):
    """The door for commands by the hundred, which never keep single ones waiting for long.

    Await the durable outcome of each, in their order. Raises `Unavailable`.
    """

    def __call__(self, commands: Sequence[Command] | AllOrNone) -> Awaitable[list[Outcome | Fault]]: ...
