WITH given AS (SELECT %s::bigint AS endpoint_id, %b::bigint[] AS ids, %s::bigint AS now)
INSERT INTO webhook_messages (endpoint_id, event_id, place, order_id, status, attempts, due_at, added_at)
SELECT endpoint.id, event.id, place.position, event.order_id, 'pending', 0, given.now, given.now
FROM given
JOIN event_positions AS place ON place.event_id = ANY(given.ids)
JOIN events AS event ON event.id = place.event_id
JOIN webhook_endpoints AS endpoint
    ON strpos(endpoint.event_types, ' * ') > 0 OR strpos(endpoint.event_types, ' ' || event.type || ' ') > 0
WHERE endpoint.id = given.endpoint_id AND event.order_id IS NOT NULL
    AND place.position > coalesce((SELECT place FROM feed_marks WHERE name = 'removed'), 0)
    AND (
        endpoint.partner IS NULL
        OR EXISTS (
            SELECT 1 FROM partner_events AS told
            WHERE told.partner = endpoint.partner AND told.position = place.position
        )
    )
ON CONFLICT (endpoint_id, event_id)
DO UPDATE SET status = 'pending', attempts = 0, due_at = excluded.due_at, added_at = excluded.added_at, finished_at = NULL
RETURNING event_id
