"""Every "no" that the ledger can say. A refusal is a value, not an exception: nothing went wrong or was written."""

from enum import Enum

from shipledger.value import dataclass


class Reason(Enum):
    """Why a request is refused: the title and the sentence that its answer carries.

    The titles and sentences of the published page are its own, to the letter.
    """

    INVALID_LINES = (
        "Invalid SKU or Quantity",
        "One or more line items have an invalid SKU or quantity specified.",
    )
    INVALID_REQUEST = ("Invalid Request", "The request is invalid; its details say what to mend.")
    ORDER_NOT_FOUND = ("Order Not Found", "The order with the specified ID was not found.")
    NOT_FOUND = ("Not Found", "There is nothing here.")
    ORDER_CANCELLED = ("Order Cancelled", "The order is cancelled; nothing of it can be fulfilled any more.")
    ORDER_ON_HOLD = ("Order On Hold", "The order is on hold; release it before it is fulfilled.")
    ORDER_EXISTS = ("Order Exists", "Another order with this id or reference was recorded before.")
    FULFILLMENT_EXISTS = (
        "Fulfillment Exists",
        "The same lines of this order were already fulfilled with this tracking number.",
    )
    RULE_TAKEN = ("Rule Taken", "Another partner has one of these rules; a rule belongs to one partner.")
    KEY_ENDED = ("Key Ended", "This key was revoked or replaced, or it has expired; make a new one.")
    FULFILLMENT_CANCELLED = ("Fulfillment Cancelled", "The fulfillment is cancelled; nothing of it can be changed.")
    KEY_REUSED = (
        "Idempotency-Key Reused",
        "This Idempotency-Key was used for another request; use a new key for a new request.",
    )
    NOT_ALONE = (
        "Failed Dependency",
        "Nothing is wrong with this item, but another of its request was refused: nothing of the request was applied.",
    )

    @property
    def title(self) -> str:
        """The short name, answered as ``error``."""
        return self.value[0]

    @property
    def sentence(self) -> str:
        """What it means, answered as ``message``."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Detail:
    """One fault: a code for programs, where it is (``line_items[0].quantity``), and how to mend it."""

    code: str
    at: str
    message: str
    sku: str | None = None
    requested: int | None = None
    remaining: int | None = None
    order_id: int | None = None
    """The order whose skus are searched for the nearest one; never shown."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to a command that was not carried out."""

    reason: Reason
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True)
class Caution:
    """Something that its sender should know of a request that was accepted all the same."""

    code: str
    at: str
    message: str
