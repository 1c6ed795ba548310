-- ?1: [endpoint, moment, why] of endpoints to leave in peace, as a JSON array
UPDATE webhook_endpoints SET disabled_at = result.value ->> 1, disabled_because = result.value ->> 2
FROM json_each(?1) AS result
WHERE webhook_endpoints.id = result.value ->> 0 AND disabled_at IS NULL
