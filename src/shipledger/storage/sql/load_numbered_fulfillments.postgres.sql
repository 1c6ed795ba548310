SELECT made.id, made.order_id, made.status, made.tracking_number, made.tracking_url, made.carrier, made.tracking_check,
    made.created_at, made.account
FROM unnest(%b::bigint[], %b::text[]) AS wanted (order_id, tracking_number)
JOIN fulfillments AS made ON made.tracking_number = wanted.tracking_number AND made.order_id = wanted.order_id
ORDER BY made.id
