INSERT INTO webhook_endpoints (
    id, partner, created_at, starts_after, url, description, event_types, is_ordered, salt, key_check, previous_salt, previous_until, disabled_at,
    disabled_because, deleted_at, failing_since, in_order_up_to
)
SELECT *
FROM unnest(
    %b::bigint[], %b::text[], %b::bigint[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::boolean[],
    %b::bytea[], %b::bytea[], %b::bytea[], %b::bigint[], %b::bigint[], %b::text[], %b::bigint[], %b::bigint[],
    %b::bigint[]
)
