UPDATE orders
SET fulfilled = ?, cancelled = ?, on_hold = ?, hold_reason = ?, cancelled_at = ?, event_count = ?, status = ?
WHERE id = ?
