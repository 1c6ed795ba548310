SELECT fulfillment_id, position, sku, quantity, partner
FROM fulfillment_lines
WHERE fulfillment_id = ANY(%b::bigint[])
ORDER BY fulfillment_id, position
