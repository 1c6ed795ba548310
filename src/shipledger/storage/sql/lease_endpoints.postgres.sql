WITH given AS (SELECT %b::bigint[] AS ids, %s::text AS asking, %s::bigint AS now, %s::bigint AS until)
UPDATE webhook_endpoints
SET leased_by = given.asking, leased_until = given.until
FROM given
WHERE webhook_endpoints.id = ANY(given.ids)
    AND (leased_by IS NULL OR leased_by = given.asking OR leased_until <= given.now)
RETURNING webhook_endpoints.id
