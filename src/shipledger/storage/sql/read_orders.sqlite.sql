-- ?1: ids, ?2: references, as JSON arrays
SELECT id, reference, ordered, fulfilled, cancelled, on_hold, hold_reason, cancelled_at, event_count, content,
    coalesce(ship_by, deliver_by)
FROM orders
WHERE id IN (SELECT value FROM json_each(?1))
UNION ALL
SELECT id, reference, ordered, fulfilled, cancelled, on_hold, hold_reason, cancelled_at, event_count, content,
    coalesce(ship_by, deliver_by)
FROM orders
WHERE reference IN (SELECT value FROM json_each(?2))
