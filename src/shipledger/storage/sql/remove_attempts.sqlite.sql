-- ?1: the moment before which, ?2: how many
DELETE FROM webhook_attempts
WHERE (endpoint_id, attempted_at, event_id) IN (
    SELECT attempt.endpoint_id, attempt.attempted_at, attempt.event_id
    FROM webhook_endpoints AS endpoint
    CROSS JOIN webhook_attempts AS attempt ON attempt.endpoint_id = endpoint.id AND attempt.attempted_at < ?1
    LIMIT ?2
)
RETURNING event_id
