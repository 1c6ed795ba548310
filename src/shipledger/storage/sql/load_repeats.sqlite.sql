-- ?1: [order id, tracking number, who looks] triples, as a JSON array (null: the operator, who sees all);
-- ?2: how many fulfillments of each are needed
SELECT earlier.id, earlier.order_id, earlier.status, earlier.tracking_number, earlier.tracking_url, earlier.carrier,
    earlier.tracking_check, earlier.created_at, earlier.account
FROM json_each(?1) AS wanted
JOIN fulfillments AS earlier ON earlier.id IN (
    SELECT id
    FROM fulfillments
    WHERE tracking_number = wanted.value ->> 1 AND order_id = wanted.value ->> 0 AND status <> 'cancelled'
        AND (
            wanted.value ->> 2 IS NULL
            OR EXISTS (
                SELECT 1 FROM fulfillment_lines AS line
                WHERE line.fulfillment_id = fulfillments.id AND line.partner = wanted.value ->> 2
            )
        )
    ORDER BY id DESC
    LIMIT ?2
)
ORDER BY earlier.id DESC
