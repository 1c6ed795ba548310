-- ?1: [endpoint, event, moment, milliseconds, status, error, answer] of each attempt, as a JSON array
INSERT INTO webhook_attempts (endpoint_id, event_id, attempted_at, duration_ms, status, error, answer)
SELECT made.value ->> 0, made.value ->> 1, made.value ->> 2, made.value ->> 3, made.value ->> 4, made.value ->> 5,
    made.value ->> 6
FROM json_each(?1) AS made
WHERE true
ON CONFLICT DO NOTHING
