-- Without the status: SQLite rewrites the entries of every index on a column that a statement sets, changed or not.
UPDATE orders
SET fulfilled = ?, cancelled = ?, on_hold = ?, hold_reason = ?, cancelled_at = ?, event_count = ?
WHERE id = ?
