UPDATE order_lines
SET fulfilled = ?, cancelled = ?, on_time = ?
WHERE order_id = ? AND sku = ? AND position = ?
