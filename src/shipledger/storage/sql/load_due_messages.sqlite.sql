-- ?1: an endpoint, ?2: now, ?3: how many, ?4: whether the messages of an order wait for each other,
-- ?5: who has taken the endpoint
SELECT message.event_id, message.place, message.attempts, message.due_at,
    event.id, event.type, event.created_at, event.order_id, event.sequence, event.data
FROM webhook_messages AS message
JOIN events AS event ON event.id = message.event_id
WHERE EXISTS (
        SELECT 1 FROM webhook_endpoints AS endpoint
        WHERE endpoint.id = ?1 AND endpoint.leased_by = ?5
            AND endpoint.disabled_at IS NULL AND endpoint.deleted_at IS NULL
    )
    AND message.endpoint_id = ?1 AND message.status = 'pending' AND message.due_at <= ?2
    AND NOT (?4 AND EXISTS (
        SELECT 1 FROM webhook_messages AS earlier
        WHERE earlier.endpoint_id = ?1 AND earlier.status = 'pending'
            AND earlier.order_id = message.order_id AND earlier.place < message.place
    ))
ORDER BY message.due_at, message.place
LIMIT ?3
