INSERT INTO carrier_events (fulfillment_id, position, status, occurred_at, received_at, message, location)
VALUES (?, ?, ?, ?, ?, ?, ?)
