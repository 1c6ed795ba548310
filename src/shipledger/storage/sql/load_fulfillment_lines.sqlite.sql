-- ?1: fulfillment ids, as a JSON array
SELECT line.fulfillment_id, line.position, line.sku, line.quantity, line.partner
FROM json_each(?1) AS wanted
JOIN fulfillment_lines AS line ON line.fulfillment_id = wanted.value
ORDER BY line.fulfillment_id, line.position
