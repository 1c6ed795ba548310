WITH given AS (SELECT %s::bigint AS before, %s::bigint AS many), old AS (
    SELECT attempt.endpoint_id, attempt.attempted_at, attempt.event_id
    FROM given, webhook_endpoints AS endpoint
    JOIN webhook_attempts AS attempt ON attempt.endpoint_id = endpoint.id
    WHERE attempt.attempted_at < given.before
    LIMIT (SELECT many FROM given)
)
DELETE FROM webhook_attempts AS attempt
USING old
WHERE attempt.endpoint_id = old.endpoint_id AND attempt.attempted_at = old.attempted_at
    AND attempt.event_id = old.event_id
RETURNING attempt.event_id
