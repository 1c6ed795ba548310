INSERT INTO fulfillment_lines (fulfillment_id, position, sku, quantity, partner)
VALUES (?, ?, ?, ?, ?)
