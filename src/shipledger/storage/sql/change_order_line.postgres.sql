UPDATE order_lines
SET fulfilled = change.fulfilled, cancelled = change.cancelled, on_time = change.on_time
FROM unnest(%b::bigint[], %b::bigint[], %b::boolean[], %b::bigint[], %b::text[], %b::integer[])
    AS change (fulfilled, cancelled, on_time, order_id, sku, position)
WHERE order_lines.order_id = change.order_id AND order_lines.sku = change.sku
    AND order_lines.position = change.position
