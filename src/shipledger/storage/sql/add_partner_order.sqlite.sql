INSERT INTO partner_orders (order_id, partner, ordered, fulfilled, cancelled, created_at)
VALUES (?, ?, ?, ?, ?, ?)
