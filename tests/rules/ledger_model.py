"""The ledger as one would keep it on paper: one command at a time, unit by unit. Slow, and too plain to be wrong."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import replace

from shipledger.command import CancelOrder, CreateOrder, FulfillmentCommand, OrderCommand, OrderKey, RepeatedTracking
from shipledger.outcome import Done
from shipledger.refusal import Reason
from tests.rules.asking import Parcel, account_of, origin
from tests.rules.ledger_model_changes import expect_change
from tests.rules.paper import (
    Changed,
    Document,
    Expected,
    Fault,
    PaperFulfillment,
    PaperLine,
    PaperOrder,
    Recorded,
    Refused,
    Same,
    Shipped,
    numbered_orders,
)

Share = tuple[PaperOrder, Counter[str] | None]
Request = Parcel | CreateOrder | OrderCommand | FulfillmentCommand


class LedgerModel:
    def __init__(self) -> None:
        self.orders: dict[int, PaperOrder] = {}
        self.fulfillments: list[PaperFulfillment] = []
        self.kept: dict[tuple[str, str], tuple[Hashable, Done]] = {}
        self.routes: dict[str, str] = {}
        """Whose the skus are that no sender said a partner of."""

    def find(self, key: OrderKey) -> PaperOrder | None:
        if isinstance(key, int):
            return self.orders.get(key)
        named = [order for order in self.orders.values() if order.reference == key]
        return named[0] if named else self.orders.get(int(key) if key.isdigit() else 0)

    # What should become of a request.

    def expect(self, request: Request) -> Expected:
        if isinstance(request, Parcel):
            return self._expect_parcel(request)
        kept = self._kept(request)
        if kept is not None:
            return kept
        return self._expect_order(request) if isinstance(request, CreateOrder) else expect_change(self, request)

    def _expect_order(self, command: CreateOrder) -> Expected:
        content = command.content
        known = [order for order in self.orders.values() if order.id == content.id]
        known += [o for o in self.orders.values() if content.reference and o.reference == content.reference]
        if any(order.sent != content for order in known):
            return Refused(Reason.ORDER_EXISTS, frozenset({("order_exists", None, None, None)}))
        return Same(Done({}, known[0].id, is_new=False)) if known else Recorded()

    def _expect_parcel(self, parcel: Parcel) -> Expected:
        groups = merged_groups(parcel)
        if groups is None:
            return CONTRADICTION
        kept = None if parcel.dry_run else self._kept(parcel)
        if kept is not None:
            return kept
        shares = self._shares(groups, parcel.partner)
        if isinstance(shares, Refused):
            return shares
        return self._expect_repeat(parcel, shares) or self._expect_shares(parcel, shares)

    def _kept(self, request: Request) -> Expected | None:
        name = key_of(request)
        if name is None or name not in self.kept:
            return None
        meaning, done = self.kept[name]
        if meaning != meaning_of(request):
            return Refused(Reason.KEY_REUSED, frozenset({("idempotency_key_reused", None, None, None)}))
        return Same(replace(done, replayed=True))

    def _shares(self, groups: dict[OrderKey, Counter[str] | None], partner: str | None) -> list[Share] | Refused:
        shares: dict[int, Share] = {}
        for key, lines in groups.items():
            order = self.find(key)
            if order is None or not order.of(partner):
                return Refused(Reason.ORDER_NOT_FOUND)
            if order.id in shares and (lines is None) != (shares[order.id][1] is None):
                return CONTRADICTION
            known = shares.get(order.id, (order, None))[1]
            shares[order.id] = order, lines if known is None or lines is None else known + lines
        return list(shares.values())

    def _expect_repeat(self, parcel: Parcel, shares: list[Share]) -> Expected | None:
        """Only a request without a key can be a repeat: another key says that it is another parcel."""
        if parcel.repeated is RepeatedTracking.ACCEPT or parcel.key is not None:
            return None
        found = [earlier for share in shares if (earlier := self._earlier(parcel, *share)) is not None]
        if found and parcel.repeated is RepeatedTracking.REJECT:
            return Refused(Reason.FULFILLMENT_EXISTS, frozenset({("already_fulfilled", None, None, None)}))
        if len(found) < len(shares) or parcel.repeated is RepeatedTracking.REJECT:
            return None
        documents = [earlier.document for earlier in found]
        if parcel.dry_run:
            documents = [{**document, "status": "dry_run", "id": None} for document in documents]
        body = {
            "status": documents[0]["status"],
            "tracking_number": parcel.number,
            "created_at": documents[0]["created_at"],
            "fulfillments": documents,
        }
        is_one = len(documents) == 1
        made_id = documents[0]["id"] if is_one else None
        return Same(Done(documents[0] if is_one else body, made_id, is_new=False, replayed=True))

    def _earlier(self, parcel: Parcel, order: PaperOrder, lines: Counter[str] | None) -> PaperFulfillment | None:
        for earlier in reversed(self.fulfillments):
            is_same_label = (earlier.order_id, earlier.number) == (order.id, parcel.number)
            is_same_content = not order.remaining(parcel.partner) if lines is None else earlier.contents == lines
            if earlier.stands and is_same_label and is_same_content and earlier.account == account_of(parcel.partner):
                return earlier
        return None

    def _expect_shares(self, parcel: Parcel, shares: list[Share]) -> Expected:
        partner = parcel.partner
        states = [(o, order_state(o)) for o, _ in shares]
        if any(state for _, state in states):
            codes = [state for _, state in states if state]
            reason = Reason.ORDER_CANCELLED if codes[0] == "order_cancelled" else Reason.ORDER_ON_HOLD
            return Refused(reason, frozenset((code, None, None, None) for code in codes))
        faults: set[Fault] = {
            ("unknown_sku", sku, quantity, 0)
            for order, lines in shares
            for sku, quantity in (lines or {}).items()
            if sku not in {line.sku for line in order.of(partner)}
        }
        if faults:
            return Refused(Reason.INVALID_LINES, frozenset(faults))
        for order, lines in shares:
            remaining = order.remaining(partner)
            if lines is None and not remaining:
                faults.add(("nothing_remaining", None, None, 0))
            for sku, quantity in (lines or {}).items():
                if quantity > remaining[sku]:
                    code = "quantity_exceeds_remaining" if remaining[sku] else "nothing_remaining"
                    faults.add((code, sku, quantity, remaining[sku]))
        if faults:
            return Refused(Reason.INVALID_LINES, frozenset(faults))
        numbered = numbered_orders(self.fulfillments, parcel.number, partner)
        own = {order.id for order, _ in shares}
        taken = [(o.id, o.remaining(partner) if lines is None else lines) for o, lines in shares]
        return Shipped(taken, len(numbered & own), bool(numbered - own))

    # What becomes of the ledger, once it was done.

    def apply(self, request: Request, expected: Expected, done: Done) -> None:
        if isinstance(request, Parcel) and request.dry_run:
            return
        name = key_of(request)
        if name is not None and name not in self.kept:
            self.kept[name] = meaning_of(request), done
        if isinstance(expected, Recorded) and isinstance(request, CreateOrder):
            lines = [
                PaperLine(line.sku, line.quantity, line.partner or self.routes.get(line.sku))
                for line in request.content.lines
            ]
            content = request.content
            self.orders[done.body["id"]] = PaperOrder(
                done.body["id"], content, lines, content.reference, content.ship_by
            )
        elif isinstance(expected, Changed):
            self._change(expected)
        elif isinstance(expected, Shipped) and isinstance(request, Parcel):
            for (order_id, contents), document in zip(expected.shares, documents_of(done), strict=True):
                self._ship(self.orders[order_id], contents, request, document)

    def _change(self, expected: Changed) -> None:
        self.orders[expected.order.id] = expected.order
        changed = expected.fulfillment
        if changed is not None:
            same = [one.made["id"] == changed.made["id"] for one in self.fulfillments]
            self.fulfillments[same.index(True)] = changed

    def _ship(self, order: PaperOrder, contents: Counter[str], parcel: Parcel, document: Document) -> None:
        held: Counter[int] = Counter()
        for sku in contents.elements():
            line = next(line for line in order.of(parcel.partner) if line.sku == sku and line.open)
            line.shipped += 1
            held[next(at for at, known in enumerate(order.lines) if known is line)] += 1
        account, partners = account_of(parcel.partner), {order.lines[at].partner for at in held}
        self.fulfillments.append(
            PaperFulfillment(order.id, parcel.number, account, contents, held, document, dict(document), partners)
        )
        order.events.append("fulfillment.created")
        if not order.remaining(None):
            order.events.append("order.fulfilled")


CONTRADICTION = Refused(Reason.INVALID_REQUEST, frozenset({("contradicting_groups", None, None, None)}))


def merged_groups(parcel: Parcel) -> dict[OrderKey, Counter[str] | None] | None:
    """What is asked of each order by its name; None where two groups of one name contradict each other."""
    groups: dict[OrderKey, Counter[str] | None] = {}
    for key, lines in parcel.groups:
        counts: Counter[str] | None = None if lines is None else Counter()
        for sku, quantity in lines or ():
            counts = (counts or Counter()) + Counter({sku: quantity})
        if key in groups:
            known = groups[key]
            if (known is None) != (counts is None):
                return None
            counts = None if known is None or counts is None else known + counts
        groups[key] = counts
    return groups


def documents_of(done: Done) -> list[Document]:
    """Each fulfillment of an answer, as the answer tells it, without warnings."""
    documents = done.body.get("fulfillments", [done.body]) if "tracking_number" in done.body else []
    return [{name: value for name, value in document.items() if name != "warnings"} for document in documents]


def order_state(order: PaperOrder) -> str | None:
    """What forbids that anything of an order is shipped."""
    return "order_cancelled" if order.is_cancelled else "order_on_hold" if order.hold_reason else None


def key_of(request: Request) -> tuple[str, str] | None:
    if isinstance(request, Parcel):
        return None if request.key is None else (account_of(request.partner), request.key)
    return None if request.idempotency_key is None else (request.origin.account, request.idempotency_key)


def meaning_of(request: Request) -> Hashable:
    if isinstance(request, CreateOrder):
        return repr(request.content)
    if isinstance(request, CancelOrder):
        lines = request.lines and frozenset((line.sku, line.quantity) for line in request.lines)
        return "cancel", request.order_id, lines
    if not isinstance(request, Parcel):
        return repr(replace(request, origin=origin(), idempotency_key=None))
    groups = merged_groups(request) or {}
    return request.number, frozenset(
        (key, None if lines is None else frozenset(lines.items())) for key, lines in groups.items()
    )
