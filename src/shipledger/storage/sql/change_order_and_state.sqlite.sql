UPDATE orders
SET fulfilled = ?, cancelled = ?, event_count = ?, status = ?, on_hold = ?, hold_reason = ?, cancelled_at = ?
WHERE id = ?
