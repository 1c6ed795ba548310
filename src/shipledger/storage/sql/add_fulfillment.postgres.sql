INSERT INTO fulfillments
    (id, order_id, status, tracking_number, tracking_url, carrier, tracking_check, account, created_at)
SELECT *
FROM unnest(
    %b::bigint[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[]
)
