SELECT line.order_id, line.position, line.sku, line.ordered, line.fulfilled, line.cancelled, line.partner, line.on_time
FROM unnest(%b::bigint[], %b::text[]) AS wanted (order_id, sku)
JOIN order_lines AS line ON line.order_id = wanted.order_id AND line.sku = wanted.sku
