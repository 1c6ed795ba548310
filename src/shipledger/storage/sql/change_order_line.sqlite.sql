UPDATE order_lines
SET fulfilled = ?, cancelled = ?
WHERE order_id = ? AND sku = ? AND position = ?
