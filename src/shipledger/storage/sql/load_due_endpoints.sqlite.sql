-- ?1: now, ?2: who asks. Those that have a message to send, and that nobody else has taken.
SELECT * FROM (
    SELECT endpoint.id, endpoint.partner, endpoint.url, endpoint.salt, endpoint.previous_salt, endpoint.previous_until,
        endpoint.key_check, endpoint.is_ordered, endpoint.in_order_up_to, endpoint.failing_since,
        (
            SELECT min(due_at) FROM webhook_messages AS message
            WHERE message.endpoint_id = endpoint.id AND message.status = 'pending'
        ) AS due_at
    FROM webhook_endpoints AS endpoint
    WHERE endpoint.disabled_at IS NULL AND endpoint.deleted_at IS NULL
        AND (endpoint.leased_by IS NULL OR endpoint.leased_by = ?2 OR endpoint.leased_until <= ?1)
)
WHERE due_at <= ?1
ORDER BY id
