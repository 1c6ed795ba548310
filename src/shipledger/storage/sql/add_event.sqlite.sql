INSERT INTO events (id, order_id, sequence, type, created_at, actor, key_id, request_id, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
