-- ?1: ids, as a JSON array
SELECT id, order_id, status, tracking_number, tracking_url, carrier, tracking_check, created_at, account
FROM fulfillments
WHERE id IN (SELECT value FROM json_each(?1))
