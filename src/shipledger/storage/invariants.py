"""The invariants of a ledger, each as a query that finds what breaks it. A sound ledger gives no rows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shipledger.storage.rows import Row

EXAMPLES_SHOWN_MAX = 5

# Both databases understand these, but for how a number is read from JSON text, {made_id}, and for which events
# have a place in the feed, {placed_events}.
INVARIANTS = {
    "no line is over-fulfilled": """
        SELECT order_id, sku, position FROM order_lines
        WHERE fulfilled < 0 OR cancelled < 0 OR fulfilled + cancelled > ordered
    """,
    "a line's fulfilled quantity is the sum of its parcels": """
        SELECT line.order_id, line.sku, line.position FROM order_lines AS line
        LEFT JOIN (
            SELECT parcel.order_id, taken.sku, taken.position, sum(taken.quantity) AS quantity
            FROM fulfillment_lines AS taken JOIN fulfillments AS parcel ON parcel.id = taken.fulfillment_id
            WHERE parcel.status <> 'cancelled'
            GROUP BY parcel.order_id, taken.sku, taken.position
        ) AS taken ON taken.order_id = line.order_id AND taken.sku = line.sku AND taken.position = line.position
        WHERE line.fulfilled <> coalesce(taken.quantity, 0)
    """,
    "what a parcel holds is on its order": """
        SELECT taken.fulfillment_id, taken.sku, taken.position
        FROM fulfillment_lines AS taken LEFT JOIN fulfillments AS parcel ON parcel.id = taken.fulfillment_id
        LEFT JOIN order_lines AS line
            ON line.order_id = parcel.order_id AND line.sku = taken.sku AND line.position = taken.position
        WHERE line.order_id IS NULL
    """,
    "what a parcel holds belongs to the partner of its line": """
        SELECT taken.fulfillment_id, taken.sku, taken.position
        FROM fulfillment_lines AS taken JOIN fulfillments AS parcel ON parcel.id = taken.fulfillment_id
        JOIN order_lines AS line
            ON line.order_id = parcel.order_id AND line.sku = taken.sku AND line.position = taken.position
        WHERE taken.partner IS DISTINCT FROM line.partner
    """,
    "a partner's totals of an order are the sums of its lines": """
        SELECT coalesce(seen.order_id, line.order_id), coalesce(seen.partner, line.partner)
        FROM partner_orders AS seen
        FULL JOIN (
            SELECT order_id, partner, sum(ordered) AS ordered, sum(fulfilled) AS fulfilled, sum(cancelled) AS cancelled
            FROM order_lines WHERE partner IS NOT NULL GROUP BY order_id, partner
        ) AS line ON line.order_id = seen.order_id AND line.partner = seen.partner
        LEFT JOIN orders ON orders.id = seen.order_id
        WHERE (seen.ordered, seen.fulfilled, seen.cancelled, seen.created_at)
            IS DISTINCT FROM (line.ordered, line.fulfilled, line.cancelled, orders.created_at)
    """,
    "a parcel holds something": """
        SELECT id FROM fulfillments
        WHERE NOT EXISTS (SELECT 1 FROM fulfillment_lines WHERE fulfillment_id = fulfillments.id)
    """,
    "an order's totals are the sums of its lines": """
        SELECT id FROM orders
        LEFT JOIN (
            SELECT order_id, sum(ordered) AS ordered, sum(fulfilled) AS fulfilled, sum(cancelled) AS cancelled
            FROM order_lines GROUP BY order_id
        ) AS line ON line.order_id = orders.id
        WHERE (orders.ordered, orders.fulfilled, orders.cancelled)
            IS DISTINCT FROM (line.ordered, line.fulfilled, line.cancelled)
    """,
    "an order's status is what its totals amount to": """
        SELECT id FROM orders
        WHERE status <> CASE
            WHEN ordered = fulfilled + cancelled THEN CASE WHEN fulfilled > 0 THEN 'fulfilled' ELSE 'cancelled' END
            WHEN fulfilled > 0 THEN 'partially_fulfilled'
            ELSE 'unfulfilled'
        END
    """,
    "an order's phase is open, or the status it closed with": """
        SELECT id FROM orders
        WHERE phase <> CASE WHEN status IN ('fulfilled', 'cancelled') THEN status ELSE 'open' END
    """,
    "a partner's totals are what its lines amount to": """
        SELECT coalesce(kept.partner, line.partner) FROM (
            SELECT coalesce(partner, '') AS partner, sum(ordered - fulfilled - cancelled) AS open_quantity,
                count(DISTINCT CASE WHEN fulfilled + cancelled < ordered THEN order_id END) AS open_orders,
                count(CASE WHEN on_time = TRUE THEN 1 END) AS lines_on_time,
                count(CASE WHEN on_time = FALSE THEN 1 END) AS lines_late
            FROM order_lines GROUP BY coalesce(partner, '')
        ) AS line
        FULL JOIN (
            SELECT partner, sum(open_quantity) AS open_quantity, sum(open_orders) AS open_orders,
                sum(lines_on_time) AS lines_on_time, sum(lines_late) AS lines_late
            FROM partner_totals GROUP BY partner
        ) AS kept ON kept.partner = line.partner
        WHERE (kept.open_quantity, kept.open_orders, kept.lines_on_time, kept.lines_late)
            IS DISTINCT FROM (line.open_quantity, line.open_orders, line.lines_on_time, line.lines_late)
    """,
    "nothing remains of a cancelled order": """
        SELECT id FROM orders WHERE cancelled_at IS NOT NULL AND fulfilled + cancelled < ordered
    """,
    "only an order on hold has a reason for it": """
        SELECT id FROM orders WHERE hold_reason IS NOT NULL AND NOT on_hold
    """,
    "a parcel's timeline is numbered from 1 without a gap": """
        SELECT fulfillment_id FROM carrier_events
        GROUP BY fulfillment_id HAVING (min(position), max(position)) IS DISTINCT FROM (1, count(*))
    """,
    "a parcel's status is on its timeline": """
        SELECT id FROM fulfillments
        WHERE status NOT IN ('created', 'cancelled') AND NOT EXISTS (
            SELECT 1 FROM carrier_events
            WHERE carrier_events.fulfillment_id = fulfillments.id AND carrier_events.status = fulfillments.status
        )
    """,
    "every cancelled parcel has one event that tells of it, and no other has": """
        SELECT parcel.id FROM fulfillments AS parcel
        LEFT JOIN (
            SELECT {made_id} AS fulfillment_id, count(*) AS told FROM events
            WHERE type = 'fulfillment.cancelled' GROUP BY fulfillment_id
        ) AS event ON event.fulfillment_id = parcel.id
        WHERE coalesce(event.told, 0) <> CASE WHEN parcel.status = 'cancelled' THEN 1 ELSE 0 END
    """,
    "every cancelled order has one event that tells of it, and no other has": """
        SELECT id FROM orders
        LEFT JOIN (
            SELECT order_id, count(*) AS told FROM events WHERE type = 'order.cancelled' GROUP BY order_id
        ) AS event ON event.order_id = orders.id
        WHERE coalesce(told, 0) <> CASE WHEN cancelled_at IS NULL THEN 0 ELSE 1 END
    """,
    "a partner's numbers are those of its fulfillments": """
        SELECT coalesce(kept.account, made.account) FROM (
            SELECT account, count(*) AS numbers FROM fulfillments GROUP BY account
        ) AS made
        FULL JOIN (
            SELECT CASE WHEN partner = '' THEN 'operator' ELSE 'partner:' || partner END AS account,
                sum(numbers) AS numbers, sum(numbers_failed) AS failed
            FROM partner_totals GROUP BY partner
        ) AS kept ON kept.account = made.account
        WHERE coalesce(kept.numbers, 0) <> coalesce(made.numbers, 0) OR kept.failed > kept.numbers OR kept.failed < 0
    """,
    "an order's events are numbered from 1 without a gap": """
        SELECT coalesce(orders.id, event.order_id) FROM orders
        FULL JOIN (
            SELECT order_id, count(*) AS told, min(sequence) AS first, max(sequence) AS last
            FROM events WHERE order_id IS NOT NULL GROUP BY order_id
        ) AS event ON event.order_id = orders.id
        WHERE event_count = 0 OR (event_count, 1, event_count) IS DISTINCT FROM (told, first, last)
    """,
    "every parcel has one event that tells of its creation": """
        SELECT parcel.id FROM fulfillments AS parcel
        LEFT JOIN (
            SELECT {made_id} AS fulfillment_id, count(*) AS told FROM events
            WHERE type = 'fulfillment.created' GROUP BY fulfillment_id
        ) AS event ON event.fulfillment_id = parcel.id
        WHERE event.told IS DISTINCT FROM 1
    """,
    "every order has one event that tells of its creation": """
        SELECT id FROM orders
        LEFT JOIN (
            SELECT order_id, count(*) AS told FROM events WHERE type = 'order.created' GROUP BY order_id
        ) AS event ON event.order_id = orders.id
        WHERE told IS DISTINCT FROM 1
    """,
    "every key has one event that tells of its creation": """
        SELECT keys.id FROM keys
        LEFT JOIN (
            SELECT {made_id} AS made_key, count(*) AS told FROM events
            WHERE order_id IS NULL AND type = 'key.created' GROUP BY made_key
        ) AS event ON event.made_key = keys.id
        WHERE told IS DISTINCT FROM 1
    """,
    "a key that was replaced names a later one": """
        SELECT id FROM keys
        WHERE replaced_by <= id OR NOT EXISTS (SELECT 1 FROM keys AS newer WHERE newer.id = keys.replaced_by)
            AND replaced_by IS NOT NULL
    """,
    "each partner is told of what it sees, and of nothing else": """
        SELECT coalesce(told.partner, due.partner), coalesce(told.event_id, due.event_id)
        FROM partner_events AS told
        FULL JOIN (
            SELECT seen.partner, event.id AS event_id
            FROM {placed_events} AS event
            JOIN partner_orders AS seen ON seen.order_id = event.order_id
            WHERE event.type IN ('order.created', 'order.held', 'order.released', 'order.cancelled')
                OR event.type LIKE 'fulfillment.%'
                AND EXISTS (
                    SELECT 1 FROM fulfillment_lines AS line
                    WHERE line.fulfillment_id = {made_id} AND line.partner = seen.partner
                )
        ) AS due ON due.partner = told.partner AND due.event_id = told.event_id
        WHERE told.event_id IS NULL OR due.event_id IS NULL
    """,
    "what an import made is kept from being made again": """
        SELECT import_id, fulfillment_id FROM imported_fulfillments AS made
        WHERE NOT EXISTS (
            SELECT 1 FROM kept_answers AS kept
            WHERE kept.account = made.account AND kept.key = made.key AND kept.made_id = made.fulfillment_id
        )
    """,
    "what a kept answer names exists": """
        SELECT key FROM kept_answers
        WHERE made_id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM fulfillments WHERE id = made_id)
            AND NOT EXISTS (SELECT 1 FROM orders WHERE id = made_id)
            AND NOT EXISTS (SELECT 1 FROM keys WHERE id = made_id)
    """,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant, how many rows break it, and the first of them."""

    invariant: str
    broken: int
    examples: list[str]


def find_broken(select: Callable[[str], Iterable[Row]], made_id: str, placed_events: str = "events") -> list[Finding]:
    """What breaks each invariant. `made_id` is the SQL for the id of the fulfillment that an event's data tells of,
    `placed_events` is the SQL for the events that have a place in the feed.
    """
    return [
        finding(invariant, select(sql.replace("{made_id}", made_id).replace("{placed_events}", placed_events)))
        for invariant, sql in INVARIANTS.items()
    ]


def finding(invariant: str, broken: Iterable[Row]) -> Finding:
    """The finding that these rows are."""
    rows = list(broken)
    return Finding(invariant, len(rows), [" ".join(str(value) for value in row) for row in rows[:EXAMPLES_SHOWN_MAX]])
