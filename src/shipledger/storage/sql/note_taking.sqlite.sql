-- ?1: endpoints that took a message, as a JSON array
UPDATE webhook_endpoints SET failing_since = NULL
WHERE id IN (SELECT value FROM json_each(?1)) AND failing_since IS NOT NULL
