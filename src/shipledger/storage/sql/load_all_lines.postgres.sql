SELECT order_id, position, sku, ordered, fulfilled, cancelled, partner, on_time
FROM order_lines
WHERE order_id = ANY(%b::bigint[])
