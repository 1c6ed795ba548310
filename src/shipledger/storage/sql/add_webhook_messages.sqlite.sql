-- ?1: the place after which, ?2: the place up to which, ?3: now. A message that is there already stays as it is.
INSERT INTO webhook_messages (endpoint_id, event_id, place, order_id, status, attempts, due_at, added_at)
SELECT endpoint.id, event.id, event.id, event.order_id, 'pending', 0,
    max(?3, CASE WHEN endpoint.is_ordered THEN ifnull((
        SELECT max(earlier.due_at) FROM webhook_messages AS earlier
        WHERE earlier.endpoint_id = endpoint.id AND earlier.status = 'pending' AND earlier.order_id = event.order_id
    ), 0) ELSE 0 END),
    ?3
FROM events AS event
JOIN webhook_endpoints AS endpoint
    ON instr(endpoint.event_types, ' * ') OR instr(endpoint.event_types, ' ' || event.type || ' ')
WHERE event.id > ?1 AND event.id <= ?2 AND event.order_id IS NOT NULL
    AND endpoint.deleted_at IS NULL AND event.id > endpoint.starts_after
    AND (
        endpoint.partner IS NULL
        OR EXISTS (SELECT 1 FROM partner_events AS told WHERE told.partner = endpoint.partner AND told.event_id = event.id)
    )
ON CONFLICT DO NOTHING
