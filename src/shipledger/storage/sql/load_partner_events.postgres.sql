SELECT place.position, event.id, event.type, event.created_at, event.order_id, event.sequence, event.data
FROM event_positions AS place
JOIN events AS event ON event.id = place.event_id
JOIN partner_orders AS seen ON seen.order_id = event.order_id AND seen.partner = %s
WHERE place.position > %s
    AND (
        event.type IN ('order.created', 'order.held', 'order.released', 'order.cancelled')
        OR starts_with(event.type, 'fulfillment.')
        AND EXISTS (
            SELECT 1 FROM fulfillment_lines AS line
            WHERE line.fulfillment_id = CAST(CAST(event.data AS json) ->> 'id' AS bigint) AND line.partner = seen.partner
        )
    )
ORDER BY place.position
LIMIT %s
