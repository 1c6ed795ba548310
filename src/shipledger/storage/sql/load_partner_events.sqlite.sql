-- ?1: the partner, ?2: the position after which to read, ?3: how many. See load_events.
SELECT event.id, event.id, event.type, event.created_at, event.order_id, event.sequence, event.data
FROM events AS event
CROSS JOIN partner_orders AS seen ON seen.order_id = event.order_id AND seen.partner = ?1
WHERE event.id > ?2
    AND (
        event.type IN ('order.created', 'order.held', 'order.released', 'order.cancelled')
        OR event.type LIKE 'fulfillment.%'
        AND EXISTS (
            SELECT 1 FROM fulfillment_lines AS line
            WHERE line.fulfillment_id = event.data ->> 'id' AND line.partner = ?1
        )
    )
ORDER BY event.id
LIMIT ?3
