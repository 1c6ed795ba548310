SELECT fulfillment_id, position, status, occurred_at, message, location, received_at
FROM carrier_events
WHERE fulfillment_id = ANY(%b::bigint[])
ORDER BY fulfillment_id, position
