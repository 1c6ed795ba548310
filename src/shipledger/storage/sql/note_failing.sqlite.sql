-- ?1: [endpoint, moment] of endpoints that did not take a message, as a JSON array
UPDATE webhook_endpoints SET failing_since = result.value ->> 1
FROM json_each(?1) AS result
WHERE webhook_endpoints.id = result.value ->> 0 AND failing_since IS NULL
