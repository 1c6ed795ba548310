UPDATE webhook_endpoints AS endpoint
SET url = changed.url, description = changed.description, event_types = changed.event_types, is_ordered =
    changed.is_ordered, salt = changed.salt, key_check = changed.key_check, previous_salt = changed.previous_salt,
    previous_until = changed.previous_until, disabled_at = changed.disabled_at, disabled_because =
    changed.disabled_because, deleted_at = changed.deleted_at, failing_since = changed.failing_since, in_order_up_to =
    changed.in_order_up_to
FROM unnest(
    %b::text[], %b::text[], %b::text[], %b::boolean[], %b::bytea[], %b::bytea[], %b::bytea[], %b::bigint[],
    %b::bigint[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[]
)
    AS changed (
        url, description, event_types, is_ordered, salt, key_check, previous_salt, previous_until, disabled_at,
        disabled_because, deleted_at, failing_since, in_order_up_to, id
    )
WHERE endpoint.id = changed.id
