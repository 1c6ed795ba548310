UPDATE webhook_messages AS message
SET due_at = result.due_at
FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[]) AS result (endpoint_id, event_id, due_at)
JOIN webhook_messages AS head ON head.endpoint_id = result.endpoint_id AND head.event_id = result.event_id
WHERE message.endpoint_id = head.endpoint_id AND message.order_id = head.order_id
    AND message.status = 'pending' AND message.place > head.place AND message.due_at < result.due_at
