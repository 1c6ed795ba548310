-- ?1: the partner, ?2: the position after which to read, ?3: how many. See load_events.
SELECT event.id, event.id, event.type, event.created_at, event.order_id, event.sequence, event.data
FROM partner_events AS told
CROSS JOIN events AS event ON event.id = told.event_id
WHERE told.partner = ?1 AND told.event_id > ?2
ORDER BY told.event_id
LIMIT ?3
