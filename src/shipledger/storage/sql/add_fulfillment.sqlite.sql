INSERT INTO fulfillments (id, order_id, status, tracking_number, tracking_url, carrier, account, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
