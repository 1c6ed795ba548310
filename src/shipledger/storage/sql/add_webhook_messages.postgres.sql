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
            SELECT 1 FROM partner_events AS told
            WHERE told.partner = endpoint.partner AND told.position = place.position
        )
    )
ON CONFLICT DO NOTHING
