SELECT id, partner, url, description, event_types, is_ordered, created_at, starts_after, salt, key_check,
    previous_salt, previous_until, disabled_at, disabled_because, deleted_at, failing_since, in_order_up_to
FROM webhook_endpoints
ORDER BY id
