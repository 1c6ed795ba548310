-- ?1: endpoints, as a JSON array, ?2: who asks, ?3: now, ?4: until when
UPDATE webhook_endpoints
SET leased_by = ?2, leased_until = ?4
WHERE id IN (SELECT value FROM json_each(?1))
    AND (leased_by IS NULL OR leased_by = ?2 OR leased_until <= ?3)
RETURNING id
