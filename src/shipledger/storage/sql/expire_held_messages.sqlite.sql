-- ?1: now, ?2: the moment before which held messages were added, ?3: how many
UPDATE webhook_messages SET status = 'dead', finished_at = ?1
WHERE (endpoint_id, event_id) IN (
    SELECT message.endpoint_id, message.event_id
    FROM webhook_endpoints AS endpoint
    JOIN webhook_messages AS message ON message.endpoint_id = endpoint.id AND message.status = 'pending'
    WHERE (endpoint.disabled_at IS NOT NULL OR endpoint.deleted_at IS NOT NULL) AND message.added_at < ?2
    LIMIT ?3
)
RETURNING event_id
