SELECT wanted.number
FROM unnest(%b::text[]) AS wanted (number)
WHERE EXISTS (SELECT 1 FROM fulfillments WHERE fulfillments.tracking_number = wanted.number)
