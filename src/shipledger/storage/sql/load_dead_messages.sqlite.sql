-- ?1: an endpoint, ?2: the moment since which they are dead, ?3: how many
SELECT event_id FROM webhook_messages
WHERE endpoint_id = ?1 AND status = 'dead' AND finished_at >= ?2
ORDER BY finished_at, event_id
LIMIT ?3
