SELECT order_id, position, sku, ordered, fulfilled, cancelled, partner, on_time, title
FROM order_lines
WHERE order_id = ANY(%b::bigint[])
ORDER BY order_id, position
