-- As load_orders, without locking them.
SELECT id, reference, ordered, fulfilled, cancelled, on_hold, hold_reason, cancelled_at, event_count, content,
    coalesce(ship_by, deliver_by)
FROM orders
WHERE id = ANY(%b::bigint[]) OR reference = ANY(%b::text[])
ORDER BY id
