UPDATE orders
SET status = ?, fulfilled = ?, cancelled = ?, on_hold = ?, hold_reason = ?, cancelled_at = ?, event_count = ?
WHERE id = ?
