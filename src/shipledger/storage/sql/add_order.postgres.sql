INSERT INTO orders (
    id, status, phase, ordered, fulfilled, cancelled, on_hold, event_count, content, created_at, cancelled_at, hold_reason,
    reference, channel, email, shipping_address, shipping_service, ship_by, deliver_by, metadata
)
SELECT *
FROM unnest(
    %b::bigint[], %b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::boolean[], %b::bigint[], %b::bytea[],
    %b::bigint[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[],
    %b::bigint[], %b::text[]
)
