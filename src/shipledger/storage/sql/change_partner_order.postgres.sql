-- By how much the totals change: the rest of the partner's lines need not be known.
UPDATE partner_orders
SET fulfilled = partner_orders.fulfilled + change.fulfilled, cancelled = partner_orders.cancelled + change.cancelled
FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::text[]) AS change (fulfilled, cancelled, order_id, partner)
WHERE partner_orders.order_id = change.order_id AND partner_orders.partner = change.partner
