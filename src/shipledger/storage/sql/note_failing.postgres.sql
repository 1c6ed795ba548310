UPDATE webhook_endpoints SET failing_since = result.moment
FROM unnest(%b::bigint[], %b::bigint[]) AS result (endpoint_id, moment)
WHERE id = result.endpoint_id AND failing_since IS NULL
