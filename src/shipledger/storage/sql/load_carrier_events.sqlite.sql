-- ?1: fulfillment ids, as a JSON array
SELECT event.fulfillment_id, event.position, event.status, event.occurred_at, event.message, event.location,
    event.received_at
FROM json_each(?1) AS wanted
JOIN carrier_events AS event ON event.fulfillment_id = wanted.value
ORDER BY event.fulfillment_id, event.position
