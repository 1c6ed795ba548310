INSERT INTO imported_fulfillments (import_id, fulfillment_id, account, key)
SELECT *
FROM unnest(%b::bigint[], %b::bigint[], %b::text[], %b::text[])
