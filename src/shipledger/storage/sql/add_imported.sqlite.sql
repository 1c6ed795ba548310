INSERT INTO imported_fulfillments (import_id, fulfillment_id, account, key)
VALUES (?, ?, ?, ?)
