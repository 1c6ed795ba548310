"""Which rows a batch of commands needs. Storage loads these and no others: an order may have thousands of lines."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from shipledger.command import (
    AddCarrierEvent,
    CancelFulfillment,
    CancelOrder,
    ChangeOrder,
    ChangeTracking,
    Command,
    CreateFulfillment,
    CreateOrder,
    FulfillmentCommand,
    HoldOrder,
    OrderCommand,
    OrderKey,
    ReleaseOrder,
    RepeatedTracking,
    TakeOverFulfillment,
    is_id_in_digits,
)
from shipledger.file_import import BeginImport, FinishImport, TakeBack, UndoImport
from shipledger.key import CreateKey, NoteKeyUse, RevokeKey, RotateKey
from shipledger.order import Order
from shipledger.partner_view import Partner
from shipledger.routing import PutPartner
from shipledger.webhook import ChangeEndpoint, CreateEndpoint, DeleteEndpoint, RotateSecret

REPEATS_COMPARED_MAX = 50
"""Earlier fulfillments with one order and tracking number that a repeat is looked for in."""

USES_COMPARED_MAX = 2
"""Fulfillments of other orders with one tracking number that are looked at, on either side of an order's own: a few,
so that a number that thousands have costs no more than another."""

PAST_EVENTS_MAX = 2
"""Events of an order that was stopped elsewhere: that it is cancelled, some or all of it, and on hold."""

ADMINISTRATIVE_EVENTS_MAX = 2
"""Events of one administrative command: a rotation tells of the old key and of the new one."""


@dataclass(slots=True)
class Needs:
    """The rows to load.

    `lines` are the skus needed of each order (None: all its lines; an empty set: the order alone). `partners` are
    orders with a partner of which it is needed whether it has a line there, `partner_lines` those of which all the
    partner's lines are. `kept` are accounts with their idempotency keys. `repeats` are orders with tracking numbers and
    who looks, `repeats_max` fulfillments of each, and `uses_max` with this number of other orders on either side.
    `cancelled` are those of which the same is needed of fulfillments that were cancelled.
    `fulfillments` are ids, each with the tracking numbers that it is to get and who looks: of which orders they are and
    which lines they hold is looked up first (`add_place`). `details` are ids of orders that are written down whole.


    Tables of administration are small, and loaded whole (`keys`, `endpoints`, `imports`) under a lock where several
    nodes write.
    """

    lines: dict[OrderKey, set[str] | None] = field(default_factory=dict)
    partners: set[tuple[OrderKey, str]] = field(default_factory=set)
    partner_lines: set[tuple[OrderKey, str]] = field(default_factory=set)
    kept: set[tuple[str, str]] = field(default_factory=set)
    repeats: set[tuple[OrderKey, str, Partner]] = field(default_factory=set)
    cancelled: set[tuple[OrderKey, str]] = field(default_factory=set)
    fulfillments: dict[int, set[tuple[str, Partner]]] = field(default_factory=dict)
    details: set[int] = field(default_factory=set)
    repeats_compared: int = 1
    uses_compared: int = USES_COMPARED_MAX
    orders_to_add: int = 0
    fulfillments_to_add: int = 0
    changes: int = 0
    new_order_names: set[OrderKey] = field(default_factory=set)
    """Ids and references that are to be taken, if nobody has them."""
    renamed: dict[OrderKey, set[int]] = field(default_factory=dict)
    """Orders that commands of the batch give a reference, by it."""
    keys: bool = False
    partners_to_change: bool = False
    endpoints: bool = False
    imports: bool = False
    administrative_events_to_add: int = 0

    def add(self, command: Command) -> None:
        """Need what this command needs, too."""
        if command.idempotency_key is not None:
            self.kept.add((command.origin.account, command.idempotency_key))
        match command:
            case CreateFulfillment() | TakeOverFulfillment():
                self._add_parcel(command)
            case CreateOrder():
                self._add_order(command)
            case CreateKey() | RevokeKey() | RotateKey():
                self.keys = True
                self.administrative_events_to_add += ADMINISTRATIVE_EVENTS_MAX
            case PutPartner():
                self.partners_to_change = True
                self.administrative_events_to_add += 1
            case CreateEndpoint() | ChangeEndpoint() | DeleteEndpoint() | RotateSecret():
                self.endpoints = True
                self.administrative_events_to_add += 1
            case NoteKeyUse():
                self.keys = True
            case ChangeOrder() | CancelOrder() | HoldOrder() | ReleaseOrder():
                self._add_order_change(command)
            case ChangeTracking() | CancelFulfillment() | AddCarrierEvent():
                self._add_fulfillment_change(command)
            case BeginImport() | FinishImport() | UndoImport():
                self.imports = True
            case TakeBack(made=made):
                self.changes += 1
                self.fulfillments.setdefault(made.fulfillment_id, set())

    def _add_parcel(self, command: CreateFulfillment | TakeOverFulfillment) -> None:
        if isinstance(command, CreateFulfillment):
            self._add_fulfillment(command)
        else:
            self._add_taken_over(command)

    def _add_fulfillment(self, command: CreateFulfillment) -> None:
        self.fulfillments_to_add += len(command.orders)
        partner = command.origin.partner
        for share in command.orders:
            if partner is not None:
                self.partners.add((share.order, partner))
            if share.lines is not None:
                self._need_lines(share.order, {line.sku for line in share.lines})
            elif partner is None:
                self._need_lines(share.order, None)
            else:
                self._need_lines(share.order, set())
                self.partner_lines.add((share.order, partner))
            self.repeats.add((share.order, command.tracking.number, partner))
        if command.repeated is not RepeatedTracking.ACCEPT or command.import_id is not None:
            self.repeats_compared = REPEATS_COMPARED_MAX
        if command.origin.partner is not None:
            self.uses_compared = REPEATS_COMPARED_MAX

    def _add_taken_over(self, command: TakeOverFulfillment) -> None:
        """Also when the order came here, and parcels of it that are like this one."""
        self.fulfillments_to_add += 1
        self.changes += len(command.past.timeline) + 1
        order = command.share.order
        self._need_lines(order, {line.sku for line in command.share.lines or ()})
        if isinstance(order, int):
            self.details.add(order)
        self.repeats.add((order, command.tracking.number, None))
        if command.past.is_cancelled:
            self.cancelled.add((order, command.tracking.number))
        self.repeats_compared = REPEATS_COMPARED_MAX

    def _add_order(self, command: CreateOrder) -> None:
        self.orders_to_add += 1
        if command.content.has_a_past:
            self.changes += PAST_EVENTS_MAX
        for key in (command.content.id, command.content.reference):
            if key is not None:
                self._need_lines(key, set())
                self.new_order_names.add(key)

    def _add_order_change(self, command: OrderCommand) -> None:
        """The whole order: the answer and the event tell all of it."""
        self.changes += 1
        self._need_lines(command.order_id, None)
        self.details.add(command.order_id)
        reference = command.changes.get("reference") if isinstance(command, ChangeOrder) else None
        if reference is not None:
            self._need_lines(reference, set())
            self.new_order_names.add(reference)
            self.renamed.setdefault(reference, set()).add(command.order_id)

    def _add_fulfillment_change(self, command: FulfillmentCommand) -> None:
        self.changes += 1
        numbers = self.fulfillments.setdefault(command.fulfillment_id, set())
        if isinstance(command, ChangeTracking) and "number" in command.changes:
            numbers.add((command.changes["number"], command.origin.partner))
            if command.origin.partner is not None:
                self.uses_compared = REPEATS_COMPARED_MAX

    def add_place(self, fulfillment_id: int, order_id: int, sku: str) -> None:
        """Need the order that a fulfillment is of, and a line that it holds."""
        self._need_lines(order_id, {sku})
        self.repeats.update((order_id, number, partner) for number, partner in self.fulfillments[fulfillment_id])

    def _need_lines(self, key: OrderKey, skus: set[str] | None) -> None:
        known = self.lines.get(key, set())
        self.lines[key] = None if skus is None or known is None else known | skus

    @property
    def routing(self) -> bool:
        """Whether the rules are needed by which lines go to partners."""
        return self.orders_to_add > 0 or self.partners_to_change

    @property
    def events_to_add(self) -> int:
        """At most: one for each new thing and each change, one for each order that a parcel completes, and those of
        administration.
        """
        added = self.orders_to_add + 2 * self.fulfillments_to_add
        return added + self.changes + self.administrative_events_to_add

    @property
    def repeats_max(self) -> int:
        """How many earlier fulfillments to load: what the batch itself cancels or corrects may be among them."""
        return self.repeats_compared + len(self.fulfillments)

    @property
    def uses_max(self) -> int:
        """The same of those of other orders."""
        return self.uses_compared + len(self.fulfillments)

    @property
    def order_ids_to_add(self) -> int:
        """At most: one for each new order, and one more for each that a source's own id may stand in the way of."""
        return 2 * self.orders_to_add

    def order_names(self) -> tuple[list[int], list[str]]:
        """The ids and the references under which the orders may be found: digits may be either."""
        ids = {key for key in self.lines if isinstance(key, int)}
        references = [key for key in self.lines if isinstance(key, str)]
        ids.update(int(key) for key in references if is_id_in_digits(key))
        return sorted(ids), sorted(references)

    def lines_of_ids(self) -> set[tuple[int, str]]:
        """The lines needed of orders that are named by their id: they can be asked for before the orders are found."""
        return {(key, sku) for key, skus in self.lines.items() if isinstance(key, int) for sku in skus or ()}

    def of_found(
        self, might_mean: Callable[[OrderKey], Iterable[Order]], numbers_in_use: Collection[str]
    ) -> "FoundNeeds":
        """What is needed of those orders that were found, and of those tracking numbers that are in use.

        A command of the batch may give an order the reference that a later one names: what that needs is needed of each
        order that may be meant.
        """

        def meant(key: OrderKey) -> set[int]:
            names = (key, *self.renamed[key]) if key in self.renamed else (key,)
            return {order.id for name in names for order in might_mean(name)}

        found = FoundNeeds()
        whole = {order_id for key, skus in self.lines.items() if skus is None for order_id in meant(key)}
        found.whole_orders = sorted(whole)
        for key, skus in self.lines.items():
            for order_id in meant(key) if skus else ():
                if order_id not in whole:
                    found.lines.update([(order_id, sku) for sku in skus or ()])
        found.partners = {(order_id, partner) for key, partner in self.partners for order_id in meant(key)}
        own = {(order_id, partner) for key, partner in self.partner_lines for order_id in meant(key)}
        found.partner_lines = {(order_id, partner) for order_id, partner in own if order_id not in whole}
        used = [(meant(key), number, partner) for key, number, partner in self.repeats if number in numbers_in_use]
        found.repeats = {(order_id, number, partner) for ids, number, partner in used for order_id in ids}
        given_up = [(meant(key), number) for key, number in self.cancelled if number in numbers_in_use]
        found.cancelled = {(order_id, number) for ids, number in given_up for order_id in ids}
        # An order that the batch itself adds has no id yet: every order with the number is another.
        found.uses = {(order_id, number, partner) for ids, number, partner in used for order_id in ids or {0}}
        return found


@dataclass(slots=True)
class FoundNeeds:
    """What is needed of orders whose ids are known, see `Needs`; `whole_orders` are those of which all lines are.

    `uses` are like `repeats`: fulfillments with the number on the orders beside this one are asked for.
    """

    lines: set[tuple[int, str]] = field(default_factory=set)
    whole_orders: list[int] = field(default_factory=list)
    partners: set[tuple[int, str]] = field(default_factory=set)
    partner_lines: set[tuple[int, str]] = field(default_factory=set)
    repeats: set[tuple[int, str, Partner]] = field(default_factory=set)
    uses: set[tuple[int, str, Partner]] = field(default_factory=set)
    cancelled: set[tuple[int, str]] = field(default_factory=set)


def needs_of(commands: Iterable[Command]) -> Needs:
    """What a batch needs."""
    needs = Needs()
    for command in commands:
        needs.add(command)
    return needs
