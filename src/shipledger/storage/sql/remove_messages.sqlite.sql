-- ?1: the place after which, ?2: the place up to which
DELETE FROM webhook_messages
WHERE endpoint_id IN (SELECT id FROM webhook_endpoints) AND event_id > ?1 AND event_id <= ?2
