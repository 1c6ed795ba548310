-- ?1: [order id, sku] pairs, as a JSON array
SELECT line.order_id, line.position, line.sku, line.ordered, line.fulfilled, line.cancelled, line.partner, line.on_time
FROM json_each(?1) AS wanted
JOIN order_lines AS line ON line.order_id = wanted.value ->> 0 AND line.sku = wanted.value ->> 1
