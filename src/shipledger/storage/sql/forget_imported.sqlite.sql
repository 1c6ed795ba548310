DELETE FROM imported_fulfillments WHERE import_id = ? AND fulfillment_id = ?
