"""A ledger in memory, and one that remembers what was told: the rules run on the real commit path without a disk."""

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

from shipledger.event import Event
from shipledger.file_import import FileImport, Imported
from shipledger.fulfillment import CarrierEvent, Fulfillment
from shipledger.key import Key
from shipledger.limits import ASSIGNED_ORDER_ID_MIN
from shipledger.needs import Needs
from shipledger.order import Order, OrderDetails
from shipledger.routing import Partner, routing_of
from shipledger.storage.port import Ledger
from shipledger.webhook import Endpoint
from shipledger.working_set import KeptAnswer, WorkingSet


class MemoryLedger:
    """`shipledger.storage.port.Ledger`: loads copies of what is needed and of nothing else, stores what is saved."""

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self.fulfillments: list[Fulfillment] = []
        self.details: dict[int, OrderDetails] = {}
        self.carrier_events: list[CarrierEvent] = []
        self.kept: dict[tuple[str, str], KeptAnswer] = {}
        self.keys: dict[int, Key] = {}
        self.partners: dict[str, Partner] = {}
        self.endpoints: dict[int, Endpoint] = {}
        self.imports: dict[int, FileImport] = {}
        self.imported: list[Imported] = []
        self._last_event_id = 0
        self._next_order_id = ASSIGNED_ORDER_ID_MIN

    def transaction(self) -> AbstractContextManager[None]:
        return nullcontext()  # `save` comes last and cannot fail

    def load(self, needs: Needs) -> WorkingSet:
        working_set = WorkingSet(
            fulfillment_ids=itertools.count(1 + max((made.id for made in self.fulfillments), default=0)),
            event_ids=itertools.count(1 + self._last_event_id),
            order_ids=(i for i in itertools.count(self._next_order_id) if i not in self.orders),
        )
        self._load_named(needs, working_set)
        ids, references = needs.order_names()
        for order in self.orders.values():
            if order.id in ids or order.reference in references:
                working_set.orders[order.id] = replace(order, lines=[], partners=set())
                if order.reference is not None:
                    working_set.references[order.reference] = order.id
        wanted = needs.of_found(working_set.might_mean, {made.tracking.number for made in self.fulfillments})
        for order in working_set.orders.values():
            order.lines += (
                replace(line, stored=(line.fulfilled, line.cancelled, line.on_time))
                for line in self.orders[order.id].lines
                if order.id in wanted.whole_orders
                or (order.id, line.sku) in wanted.lines
                or (order.id, line.partner) in wanted.partner_lines
            )
            order.partners = {
                p for order_id, p in wanted.partners if order_id == order.id and p in self._partners_of(order.id)
            }
        standing = [made for made in self.fulfillments if made.status != "cancelled"]
        for order_id, number, partner in wanted.repeats:
            earlier = [
                made
                for made in standing[::-1]
                if (made.order_id, made.tracking.number) == (order_id, number) and _is_seen_by(partner, made)
            ][: needs.repeats_max]
            known = working_set.repeats.get((order_id, number), [])
            found = {made.id: made for made in [*known, *earlier]}
            working_set.repeats[order_id, number] = sorted(found.values(), key=lambda made: -made.id)
            working_set.uses.setdefault(number, []).extend(earlier)
        for place in wanted.cancelled:
            working_set.cancelled[place] = [
                made
                for made in self.fulfillments[::-1]
                if (made.order_id, made.tracking.number) == place and made.status == "cancelled"
            ]
        for order_id, number, partner in wanted.uses:
            others = sorted((made for made in standing if made.tracking.number == number), key=_order_of)
            below = [made for made in others if made.order_id < order_id][-needs.uses_max :]
            above = [made for made in others if made.order_id > order_id][: needs.uses_max]
            seen = [made for made in below + above if _is_seen_by(partner, made)]
            working_set.uses.setdefault(number, []).extend(seen)
        if needs.routing:
            working_set.partners = dict(self.partners)
            working_set.routing = routing_of(self.partners.values())
        working_set.kept = {name: kept for name, kept in self.kept.items() if name in needs.kept}
        working_set.keys = {key.id: replace(key) for key in self.keys.values() if needs.keys}
        working_set.endpoints = {one.id: replace(one) for one in self.endpoints.values() if needs.endpoints}
        working_set.feed_end = working_set.feed_end_to_be = self._last_event_id
        working_set.imports = {known.id: replace(known) for known in self.imports.values() if needs.imports}
        return working_set

    def _load_named(self, needs: Needs, working_set: WorkingSet) -> None:
        for made in self.fulfillments:
            if made.id in needs.fulfillments:
                working_set.fulfillments[made.id] = made
                for held in made.lines:
                    needs.add_place(made.id, made.order_id, held.sku)
        for event in self.carrier_events:
            if event.fulfillment_id in needs.fulfillments:
                working_set.timelines.setdefault(event.fulfillment_id, []).append(event)
        working_set.details = {id_: known for id_, known in self.details.items() if id_ in needs.details}

    def _partners_of(self, order_id: int) -> set[str | None]:
        return {line.partner for line in self.orders[order_id].lines}

    def save(self, working_set: WorkingSet) -> None:
        added = {new.order.id: new.order for new in working_set.new_orders}
        for order in working_set.changed_orders.values():
            if order.id in self.orders:
                self.orders[order.id] = replace(order, lines=self.orders[order.id].lines)
        for line in working_set.changed_lines.values():
            if line.order_id in self.orders:
                self.orders[line.order_id].lines[line.position] = replace(line, stored=None)
        for order in added.values():
            self.orders[order.id] = replace(order, lines=[replace(line) for line in order.lines])
        assigned = [new.order.id for new in working_set.new_orders if new.content.id is None]
        self._next_order_id = max([self._next_order_id, *(order_id + 1 for order_id in assigned)])
        self.details |= {id_: working_set.details[id_] for id_ in added.keys() | working_set.changed_details}
        changed = {id_: working_set.fulfillments[id_] for id_ in working_set.changed_fulfillments}
        self.fulfillments = [changed.get(made.id, made) for made in self.fulfillments] + working_set.new_fulfillments
        self.carrier_events += working_set.new_carrier_events
        self.partners |= {partner.name: partner for partner in working_set.changed_partners}
        self.kept |= {(kept.account, kept.key): kept for kept in working_set.new_kept}
        self.keys |= {key.id: replace(key) for key in (*working_set.new_keys, *working_set.changed_keys.values())}
        endpoints = (*working_set.new_endpoints, *working_set.changed_endpoints.values())
        self.endpoints |= {endpoint.id: replace(endpoint) for endpoint in endpoints}
        imports = (*working_set.new_imports, *working_set.changed_imports.values())
        self.imports |= {known.id: replace(known) for known in imports}
        self.imported += working_set.new_imported
        for made in working_set.forgotten:
            self.imported.remove(made)
            del self.kept[made.account, made.key]
        self._last_event_id = max([self._last_event_id, *(event.id for event in working_set.new_events)])

    def close(self) -> None:
        pass


def _is_seen_by(partner: str | None, made: Fulfillment) -> bool:
    return partner is None or any(line.partner == partner for line in made.lines)


def _order_of(made: Fulfillment) -> int:
    return made.order_id


class WatchedLedger:
    """Any ledger, with the events and fulfillments that were committed to it since it was opened."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.events: list[Event] = []
        self.fulfillments: list[Fulfillment] = []
        self._saved: list[WorkingSet] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._saved.clear()
        with self.ledger.transaction():
            yield
        for working_set in self._saved:
            self.events += working_set.new_events
            changed = {id_: working_set.fulfillments[id_] for id_ in working_set.changed_fulfillments}
            self.fulfillments = [changed.get(made.id, made) for made in self.fulfillments]
            self.fulfillments += working_set.new_fulfillments

    def load(self, needs: Needs) -> WorkingSet:
        return self.ledger.load(needs)

    def save(self, working_set: WorkingSet) -> None:
        self.ledger.save(working_set)
        self._saved.append(working_set)

    def close(self) -> None:
        self.ledger.close()

    def whole_order(self, order_id: int) -> Order:
        """An order as it is stored, with all its lines."""
        with self.ledger.transaction():
            return self.ledger.load(Needs(lines={order_id: None})).orders[order_id]
