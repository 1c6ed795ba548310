INSERT INTO fulfillment_lines (fulfillment_id, position, sku, quantity, partner)
SELECT *
FROM unnest(%b::bigint[], %b::integer[], %b::text[], %b::bigint[], %b::text[])
