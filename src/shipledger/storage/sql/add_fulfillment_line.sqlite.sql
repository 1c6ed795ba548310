INSERT INTO fulfillment_lines (fulfillment_id, position, sku, quantity)
VALUES (?, ?, ?, ?)
