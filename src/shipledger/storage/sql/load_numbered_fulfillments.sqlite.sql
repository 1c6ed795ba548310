-- ?1: [order id, tracking number] pairs, as a JSON array
SELECT made.id, made.order_id, made.status, made.tracking_number, made.tracking_url, made.carrier, made.tracking_check,
    made.created_at, made.account
FROM json_each(?1) AS wanted
JOIN fulfillments AS made ON made.tracking_number = wanted.value ->> 1 AND made.order_id = wanted.value ->> 0
ORDER BY made.id
