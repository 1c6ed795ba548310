SELECT seen.order_id, seen.partner
FROM unnest(%b::bigint[], %b::text[]) AS wanted (order_id, partner)
JOIN partner_orders AS seen ON seen.order_id = wanted.order_id AND seen.partner = wanted.partner
