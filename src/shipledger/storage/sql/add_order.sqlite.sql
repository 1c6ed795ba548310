INSERT INTO orders (
    id, status, phase, ordered, fulfilled, cancelled, on_hold, event_count, content, created_at, cancelled_at, hold_reason,
    reference, channel, email, shipping_address, shipping_service, ship_by, deliver_by, metadata
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
