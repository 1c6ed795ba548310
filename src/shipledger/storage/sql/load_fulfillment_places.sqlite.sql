-- ?1: fulfillment ids, as a JSON array. Where a fulfillment is never changes: it is read before its order is locked.
SELECT parcel.id, parcel.order_id, line.sku
FROM json_each(?1) AS wanted
JOIN fulfillments AS parcel ON parcel.id = wanted.value
JOIN fulfillment_lines AS line ON line.fulfillment_id = parcel.id
