INSERT INTO carrier_events (fulfillment_id, position, status, occurred_at, received_at, message, location)
SELECT *
FROM unnest(%b::bigint[], %b::integer[], %b::text[], %b::bigint[], %b::bigint[], %b::text[], %b::text[])
