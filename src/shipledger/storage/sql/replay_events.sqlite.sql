-- ?1: an endpoint, ?2: event ids, as a JSON array, ?3: now. Only what the endpoint is told of.
INSERT INTO webhook_messages (endpoint_id, event_id, place, order_id, status, attempts, due_at, added_at)
SELECT endpoint.id, event.id, event.id, event.order_id, 'pending', 0, ?3, ?3
FROM json_each(?2) AS asked
JOIN events AS event ON event.id = asked.value
JOIN webhook_endpoints AS endpoint
    ON instr(endpoint.event_types, ' * ') OR instr(endpoint.event_types, ' ' || event.type || ' ')
WHERE endpoint.id = ?1 AND event.order_id IS NOT NULL
    AND event.id > ifnull((SELECT place FROM feed_marks WHERE name = 'removed'), 0)
    AND (
        endpoint.partner IS NULL
        OR EXISTS (SELECT 1 FROM partner_events AS told WHERE told.partner = endpoint.partner AND told.event_id = event.id)
    )
ON CONFLICT (endpoint_id, event_id)
DO UPDATE SET status = 'pending', attempts = 0, due_at = excluded.due_at, added_at = excluded.added_at, finished_at = NULL
RETURNING event_id
