-- ?1: the first event of the batch. Who is told of what: see docs/api.md.
INSERT INTO partner_events (partner, event_id)
SELECT seen.partner, event.id
FROM events AS event
CROSS JOIN partner_orders AS seen ON seen.order_id = event.order_id
WHERE event.id >= ?1
    AND (
        event.type IN ('order.created', 'order.held', 'order.released', 'order.cancelled')
        OR event.type LIKE 'fulfillment.%'
        AND EXISTS (
            SELECT 1 FROM fulfillment_lines AS line
            WHERE line.fulfillment_id = event.data ->> 'id' AND line.partner = seen.partner
        )
    )
