INSERT INTO partner_orders (order_id, partner, ordered, fulfilled, cancelled, created_at)
SELECT *
FROM unnest(%b::bigint[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[])
