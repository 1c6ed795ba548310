SELECT earlier.id, earlier.order_id, earlier.status, earlier.tracking_number, earlier.tracking_url, earlier.carrier,
    earlier.tracking_check, earlier.created_at, earlier.account
FROM unnest(%b::bigint[], %b::text[]) AS wanted (order_id, tracking_number)
CROSS JOIN LATERAL (
    SELECT *
    FROM fulfillments
    WHERE fulfillments.tracking_number = wanted.tracking_number
        AND fulfillments.order_id = wanted.order_id
        AND fulfillments.status = 'cancelled'
    ORDER BY fulfillments.id DESC
    LIMIT %s
) AS earlier
ORDER BY earlier.id DESC
