-- ?1: [order id, partner] pairs, as a JSON array
SELECT line.order_id, line.position, line.sku, line.ordered, line.fulfilled, line.cancelled, line.partner, line.on_time,
    line.title
FROM json_each(?1) AS wanted
JOIN order_lines AS line ON line.order_id = wanted.value ->> 0
WHERE line.partner = wanted.value ->> 1
ORDER BY line.order_id, line.position
