UPDATE webhook_endpoints SET disabled_at = result.moment, disabled_because = result.why
FROM unnest(%b::bigint[], %b::bigint[], %b::text[]) AS result (endpoint_id, moment, why)
WHERE id = result.endpoint_id AND disabled_at IS NULL
