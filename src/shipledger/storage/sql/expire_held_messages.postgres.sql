WITH given AS (SELECT %s::bigint AS now, %s::bigint AS before, %s::bigint AS many), old AS (
    SELECT message.endpoint_id, message.event_id
    FROM given, webhook_endpoints AS endpoint
    JOIN webhook_messages AS message ON message.endpoint_id = endpoint.id AND message.status = 'pending'
    WHERE (endpoint.disabled_at IS NOT NULL OR endpoint.deleted_at IS NOT NULL) AND message.added_at < given.before
    LIMIT (SELECT many FROM given)
)
UPDATE webhook_messages AS message SET status = 'dead', finished_at = given.now
FROM given, old
WHERE message.endpoint_id = old.endpoint_id AND message.event_id = old.event_id
RETURNING message.event_id
