SELECT wanted.order_id, wanted.partner
FROM unnest(%b::bigint[], %b::text[]) AS wanted (order_id, partner)
WHERE EXISTS (
    SELECT 1
    FROM order_lines AS line
    WHERE line.order_id = wanted.order_id AND coalesce(line.partner, '') = wanted.partner
        AND line.fulfilled + line.cancelled < line.ordered
)
