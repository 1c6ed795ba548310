-- ?1: order ids, as a JSON array
SELECT id, reference, ordered, fulfilled, cancelled, on_hold, hold_reason, cancelled_at, event_count, content,
    coalesce(ship_by, deliver_by), channel, email, shipping_address, shipping_service, ship_by, deliver_by, metadata,
    created_at
FROM orders
WHERE id IN (SELECT value FROM json_each(?1))
