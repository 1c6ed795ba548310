UPDATE orders
SET reference = ?, shipping_address = ?, ship_by = ?, deliver_by = ?, metadata = ?
WHERE id = ?
