SELECT place.position, event.id, event.type, event.created_at, event.order_id, event.sequence, event.data
FROM event_positions AS place
JOIN events AS event ON event.id = place.event_id
WHERE place.position > %s
ORDER BY place.position
LIMIT %s
