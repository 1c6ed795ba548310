-- ?1: endpoints, as a JSON array, ?2: who has them
UPDATE webhook_endpoints SET leased_by = NULL, leased_until = NULL
WHERE id IN (SELECT value FROM json_each(?1)) AND leased_by = ?2
