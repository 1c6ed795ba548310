-- ?1: the place after which, ?2: the place before which, ?3: how many
SELECT id FROM events WHERE id > ?1 AND id < ?2 AND order_id IS NOT NULL ORDER BY id LIMIT ?3
