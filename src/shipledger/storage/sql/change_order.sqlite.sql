-- Without phase, hold and cancellation: SQLite rewrites the entries of every index on a column that a statement sets,
-- changed or not.
UPDATE orders
SET status = ?, fulfilled = ?, cancelled = ?, event_count = ?
WHERE id = ?
