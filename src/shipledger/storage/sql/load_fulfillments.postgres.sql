SELECT id, order_id, status, tracking_number, tracking_url, carrier, tracking_check, created_at, account
FROM fulfillments
WHERE id = ANY(%b::bigint[])
