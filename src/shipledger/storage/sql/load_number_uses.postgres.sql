SELECT used.tracking_number, used.id, used.order_id, wanted.partner
FROM unnest(%b::bigint[], %b::text[], %b::text[]) AS wanted (order_id, tracking_number, partner)
CROSS JOIN (SELECT %s::bigint) AS bound (uses_max)
CROSS JOIN LATERAL (
    (
        SELECT *
        FROM fulfillments
        WHERE fulfillments.tracking_number = wanted.tracking_number AND fulfillments.order_id < wanted.order_id
            AND fulfillments.status <> 'cancelled'
        ORDER BY fulfillments.order_id DESC
        LIMIT bound.uses_max
    )
    UNION ALL
    (
        SELECT *
        FROM fulfillments
        WHERE fulfillments.tracking_number = wanted.tracking_number AND fulfillments.order_id > wanted.order_id
            AND fulfillments.status <> 'cancelled'
        ORDER BY fulfillments.order_id
        LIMIT bound.uses_max
    )
) AS used
WHERE wanted.partner IS NULL
    OR EXISTS (
        SELECT 1 FROM fulfillment_lines AS line
        WHERE line.fulfillment_id = used.id AND line.partner = wanted.partner
    )
