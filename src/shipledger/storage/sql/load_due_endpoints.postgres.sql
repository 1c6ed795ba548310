WITH given AS (SELECT %s::bigint AS now, %s::text AS asking)
SELECT due.*
FROM given, LATERAL (
    SELECT endpoint.id, endpoint.partner, endpoint.url, endpoint.salt, endpoint.previous_salt, endpoint.previous_until,
        endpoint.key_check, endpoint.is_ordered, endpoint.in_order_up_to, endpoint.failing_since,
        (
            SELECT min(due_at) FROM webhook_messages AS message
            WHERE message.endpoint_id = endpoint.id AND message.status = 'pending'
        ) AS due_at
    FROM webhook_endpoints AS endpoint
    WHERE endpoint.disabled_at IS NULL AND endpoint.deleted_at IS NULL
        AND (endpoint.leased_by IS NULL OR endpoint.leased_by = given.asking OR endpoint.leased_until <= given.now)
) AS due
WHERE due.due_at <= given.now
ORDER BY due.id
