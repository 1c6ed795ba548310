SELECT candidate.id
FROM (SELECT nextval('order_ids') AS id FROM generate_series(1, %s)) AS candidate
WHERE NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = candidate.id)
