-- Without the state: SQLite rewrites the entries of every index on a column that a statement sets, changed or not.
UPDATE orders
SET fulfilled = ?, cancelled = ?, event_count = ?
WHERE id = ?
