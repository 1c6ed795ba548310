-- ?1: [endpoint, event, due_at] of messages that were not taken, whose order's later ones wait for them, as a JSON array
UPDATE webhook_messages
SET due_at = result.value ->> 2
FROM json_each(?1) AS result
JOIN webhook_messages AS head ON head.endpoint_id = result.value ->> 0 AND head.event_id = result.value ->> 1
WHERE webhook_messages.endpoint_id = head.endpoint_id AND webhook_messages.order_id = head.order_id
    AND webhook_messages.status = 'pending' AND webhook_messages.place > head.place
    AND webhook_messages.due_at < result.value ->> 2
