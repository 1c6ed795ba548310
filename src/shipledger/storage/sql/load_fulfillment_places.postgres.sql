-- Where a fulfillment is never changes: it is read before its order is locked.
SELECT parcel.id, parcel.order_id, line.sku
FROM fulfillments AS parcel
JOIN fulfillment_lines AS line ON line.fulfillment_id = parcel.id
WHERE parcel.id = ANY(%b::bigint[])
