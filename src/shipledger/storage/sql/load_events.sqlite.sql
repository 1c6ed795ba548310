-- ?1: the position after which to read, ?2: how many. The writer numbers events as it commits: an id is a position.
SELECT id, id, type, created_at, order_id, sequence, data
FROM events
WHERE id > ?1 AND order_id IS NOT NULL
ORDER BY id
LIMIT ?2
