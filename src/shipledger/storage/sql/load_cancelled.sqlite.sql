-- ?1: [order id, tracking number] pairs, as a JSON array; ?2: how many fulfillments of each are needed
SELECT earlier.id, earlier.order_id, earlier.status, earlier.tracking_number, earlier.tracking_url, earlier.carrier,
    earlier.tracking_check, earlier.created_at, earlier.account
FROM json_each(?1) AS wanted
JOIN fulfillments AS earlier ON earlier.id IN (
    SELECT id
    FROM fulfillments
    WHERE tracking_number = wanted.value ->> 1 AND order_id = wanted.value ->> 0 AND status = 'cancelled'
    ORDER BY id DESC
    LIMIT ?2
)
ORDER BY earlier.id DESC
