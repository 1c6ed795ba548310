-- A partner is told what the feed tells it: see load_partner_events.
WITH given AS (SELECT %s::bigint AS first, %s::bigint AS last, %s::bigint AS now)
INSERT INTO webhook_messages (endpoint_id, event_id, place, order_id, status, attempts, due_at, added_at)
SELECT endpoint.id, event.id, place.position, event.order_id, 'pending', 0,
    greatest(given.now, CASE WHEN endpoint.is_ordered THEN (
        SELECT max(earlier.due_at) FROM webhook_messages AS earlier
        WHERE earlier.endpoint_id = endpoint.id AND earlier.status = 'pending' AND earlier.order_id = event.order_id
    ) END),
    given.now
FROM given
JOIN event_positions AS place ON place.position > given.first AND place.position <= given.last
JOIN events AS event ON event.id = place.event_id
JOIN webhook_endpoints AS endpoint
    ON strpos(endpoint.event_types, ' * ') > 0 OR strpos(endpoint.event_types, ' ' || event.type || ' ') > 0
WHERE event.order_id IS NOT NULL AND endpoint.deleted_at IS NULL AND place.position > endpoint.starts_after
    AND (
        endpoint.partner IS NULL
        OR EXISTS (
            SELECT 1 FROM partner_orders AS seen
            WHERE seen.order_id = event.order_id AND seen.partner = endpoint.partner
        )
        AND (
            event.type IN ('order.created', 'order.held', 'order.released', 'order.cancelled')
            OR starts_with(event.type, 'fulfillment.')
            AND EXISTS (
                SELECT 1 FROM fulfillment_lines AS line
                WHERE line.fulfillment_id = CAST(CAST(event.data AS json) ->> 'id' AS bigint) AND line.partner = endpoint.partner
            )
        )
    )
ON CONFLICT DO NOTHING
