WITH given AS (SELECT %s::bigint AS endpoint_id, %s::bigint AS now, %s::bigint AS many, %s::boolean AS is_ordered,
    %s::text AS asking)
SELECT message.event_id, message.place, message.attempts, message.due_at,
    event.id, event.type, event.created_at, event.order_id, event.sequence, event.data
FROM given
JOIN webhook_endpoints AS endpoint
    ON endpoint.id = given.endpoint_id AND endpoint.leased_by = given.asking
        AND endpoint.disabled_at IS NULL AND endpoint.deleted_at IS NULL
JOIN webhook_messages AS message
    ON message.endpoint_id = given.endpoint_id AND message.status = 'pending' AND message.due_at <= given.now
JOIN events AS event ON event.id = message.event_id
WHERE NOT (given.is_ordered AND EXISTS (
    SELECT 1 FROM webhook_messages AS earlier
    WHERE earlier.endpoint_id = message.endpoint_id AND earlier.status = 'pending'
        AND earlier.order_id = message.order_id AND earlier.place < message.place
))
ORDER BY message.due_at, message.place
LIMIT (SELECT many FROM given)
