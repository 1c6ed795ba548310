SELECT line.order_id, line.position, line.sku, line.ordered, line.fulfilled, line.cancelled, line.partner, line.on_time,
    line.title
FROM unnest(%b::bigint[], %b::text[]) AS wanted (order_id, partner)
JOIN order_lines AS line ON line.order_id = wanted.order_id AND line.partner = wanted.partner
ORDER BY line.order_id, line.position
