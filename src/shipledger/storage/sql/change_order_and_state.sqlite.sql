UPDATE orders
SET status = ?, fulfilled = ?, cancelled = ?, event_count = ?, phase = ?, on_hold = ?, hold_reason = ?, cancelled_at = ?
WHERE id = ?
