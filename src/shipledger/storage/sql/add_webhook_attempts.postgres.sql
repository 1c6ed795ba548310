INSERT INTO webhook_attempts (endpoint_id, event_id, attempted_at, duration_ms, status, error, answer)
SELECT *
FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::text[], %b::text[])
ON CONFLICT DO NOTHING
