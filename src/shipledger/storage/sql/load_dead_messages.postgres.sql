SELECT event_id FROM webhook_messages
WHERE endpoint_id = %s AND status = 'dead' AND finished_at >= %s
ORDER BY finished_at, event_id
LIMIT %s
