-- ?1: [order id, tracking number, who looks] triples, as a JSON array (null: the operator, who sees all);
-- ?2: how many fulfillments are looked at on either side of the order's own
SELECT used.tracking_number, used.id, used.order_id, wanted.value ->> 2
FROM json_each(?1) AS wanted
JOIN fulfillments AS used ON used.id IN (
    SELECT id FROM (
        SELECT id
        FROM fulfillments
        WHERE tracking_number = wanted.value ->> 1 AND order_id < wanted.value ->> 0 AND status <> 'cancelled'
        ORDER BY order_id DESC
        LIMIT ?2
    )
    UNION ALL
    SELECT id FROM (
        SELECT id
        FROM fulfillments
        WHERE tracking_number = wanted.value ->> 1 AND order_id > wanted.value ->> 0 AND status <> 'cancelled'
        ORDER BY order_id
        LIMIT ?2
    )
)
WHERE wanted.value ->> 2 IS NULL
    OR EXISTS (
        SELECT 1 FROM fulfillment_lines AS line
        WHERE line.fulfillment_id = used.id AND line.partner = wanted.value ->> 2
    )
