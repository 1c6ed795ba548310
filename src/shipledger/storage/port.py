"""What the rest of the house may ask of a database: a ledger to write in batches, and a reading side for pages."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from shipledger.document import Document
from shipledger.file_import import Imported
from shipledger.key import Key
from shipledger.needs import Needs
from shipledger.partner_view import Partner
from shipledger.reconciliation import Reconcile, Recorded
from shipledger.timestamp import Microseconds
from shipledger.working_set import WorkingSet


class Contention(Exception):
    """Another node's batch stood in the way, and the database undid this one: it may be decided anew at once."""


@dataclass(frozen=True, slots=True)
class Step:
    """A statement by its name, with its values: a list stands for rows, or for a column of them."""

    statement: str
    values: tuple[Any, ...]


Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Errand:
    """Writing that decides nothing, in the background of the commands: its steps are one transaction."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ErrandDone:
    """The rows that each step answered."""

    answers: list[Rows]


class Ledger(Protocol):
    """The writing side. One thread uses it; a batch is `with transaction(): load, decide, save`."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commit durably at the end of the block where anything was saved; undo all of it where the block raises.

        Raises Contention where another writer stood in the way, `shipledger.outcome.Unavailable` where nothing was
        applied because the database cannot take it now, and `OutcomeUnknown` where COMMIT was sent and failed.
        """
        ...

    def load(self, needs: Needs) -> WorkingSet:
        """The rows that a batch needs."""
        ...

    def save(self, working_set: WorkingSet) -> None:
        """Write what the batch added and changed."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


class WritingLedger(Ledger, Protocol):
    """The writing side with errands beside the batches."""

    def carry_out(self, errand: Errand) -> list[Rows]:
        """Do it in a transaction of its own; returns the rows that each step answers. Raises as `transaction`."""
        ...


@dataclass(frozen=True, slots=True)
class Range:
    """From the first moment to the last, both included; None is open."""

    first: Microseconds | None = None
    last: Microseconds | None = None


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders a list holds; None is any."""

    status: str | None = None
    on_hold: bool | None = None
    sku: str | None = None
    reference: str | None = None
    tracking_number: str | None = None
    created_at: Range = Range()
    deliver_by: Range = Range()
    late_at: Microseconds | None = None
    """Orders that are late at this moment."""


@dataclass(frozen=True, slots=True)
class FulfillmentFilter:
    """Which fulfillments a list holds; None is any."""

    status: str | None = None
    sku: str | None = None
    order_id: int | None = None
    reference: str | None = None
    tracking_number: str | None = None
    created_at: Range = Range()


@dataclass(frozen=True, slots=True)
class LateFilter:
    """Which late orders a report holds; None is any."""

    partner: str | None = None


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """Which keys a list holds; None is any."""

    role: str | None = None
    partner: str | None = None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which changes the audit trail shows; None is any."""

    type: str | None = None
    order_id: int | None = None
    key_id: int | None = None
    actor: str | None = None
    request_id: str | None = None
    created_at: Range = Range()


@dataclass(frozen=True, slots=True)
class AttemptFilter:
    """Which attempts a list holds; None is any."""

    event_id: int | None = None


Position = tuple[int, ...]
"""Where a page of a list ended: what its last row is sorted by."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and where the next page begins (None at the end)."""

    documents: list[Document]
    next: Position | None


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """An event as the feed tells it, and its place there."""

    place: int
    document: Document


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some events of the feed, and the id of the last one read: what to go on after. 0 is before the first."""

    events: list[Document]
    last_id: int


@dataclass(frozen=True, slots=True)
class FeedGap:
    """The feed cannot be read after this event: it is none of this ledger's (None), or what followed is not kept.

    `oldest_id` is the oldest event that is; 0 where none is.
    """

    oldest_id: int | None


class Reading(Protocol):
    """The reading side. Any thread may use it; it sees what is committed and never waits for the writer.

    Each question says who asks: a partner learns of its own lines and what follows from them, and of nothing else. None
    is the operator, who sees all.
    """

    def order(self, order_id: int, partner: Partner) -> Document | None:
        """An order with its newest fulfillments."""
        ...

    def orders(self, wanted: OrderFilter, after: Position | None, limit: int, partner: Partner) -> Page:
        """Orders, newest first."""
        ...

    def fulfillment(self, fulfillment_id: int, partner: Partner) -> Document | None:
        """A fulfillment."""
        ...

    def fulfillments(self, wanted: FulfillmentFilter, after: Position | None, limit: int, partner: Partner) -> Page:
        """Fulfillments, newest first."""
        ...

    def whole_fulfillments(
        self, wanted: FulfillmentFilter, after: Position | None, limit: int, partner: Partner
    ) -> Page:
        """The same, each with what another ledger needs to have it, too; a partner sees what it sees in lists."""
        ...

    def late_orders(self, now: Microseconds, wanted: LateFilter, after: Position | None, limit: int) -> Page:
        """Orders that are late now, the longest first."""
        ...

    def partners(self) -> list[Document]:
        """How each partner does, and the operator's own first."""
        ...

    def timeline(self, fulfillment_id: int, partner: Partner) -> list[Document] | None:
        """What was heard of a fulfillment's parcel, the latest first; None where there is no such fulfillment."""

    def recorded_for(self, asked: Reconcile) -> Recorded | None:
        """What a reconciliation looks at; None where there is more of it than one answer may hold."""
        ...

    def imports(self) -> list[Document]:
        """Imports of files, the oldest first."""
        ...

    def imported(self, import_id: int, limit: int) -> list[Imported]:
        """What stands of what an import made, the newest first."""
        ...

    def events(self, after: int, limit: int, partner: Partner) -> list[PlacedEvent]:
        """What happened after this place in the feed, in its order, which never skips. The first place is 1."""
        ...

    def feed(self, after_id: int, limit: int, partner: Partner) -> FeedPage | FeedGap:
        """What happened after this event (0: from the first on), in the order of the feed."""
        ...

    def feed_end(self) -> int:
        """The last place in the feed; 0 where nothing happened yet."""
        ...

    def routed_to(self, name: str | None) -> list[Document]:
        """What is routed to a partner, as a list of one or none; or to every partner, by name. For the operator."""
        ...

    def skus(self, order_id: int, partner: Partner) -> Sequence[str]:
        """The skus of an order, each once."""
        ...

    def keys(self) -> Sequence[Key]:
        """Every key, the oldest first."""
        ...

    def keys_listed(self, wanted: KeyFilter, after: Position | None, limit: int, _: Partner) -> Page:
        """Keys, newest first: the operator's alone to read."""
        ...

    def audit(self, wanted: AuditFilter, after: Position | None, limit: int, _: Partner) -> Page:
        """Changes, newest first, with who made them: the operator's alone to read."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...
