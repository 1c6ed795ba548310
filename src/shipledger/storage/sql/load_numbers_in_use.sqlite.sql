-- ?1: tracking numbers, as a JSON array
SELECT wanted.value
FROM json_each(?1) AS wanted
WHERE EXISTS (SELECT 1 FROM fulfillments WHERE fulfillments.tracking_number = wanted.value)
