SELECT told.position, event.id, event.type, event.created_at, event.order_id, event.sequence, event.data
FROM partner_events AS told
JOIN events AS event ON event.id = told.event_id
WHERE told.partner = %s AND told.position > %s
ORDER BY told.position
LIMIT %s
