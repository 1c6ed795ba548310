INSERT INTO order_lines (order_id, sku, position, ordered, fulfilled, cancelled, partner, title, on_time)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
