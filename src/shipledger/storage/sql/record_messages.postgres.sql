-- One that is to be sent again meanwhile is due at another moment, and stays so.
UPDATE webhook_messages AS message
SET status = result.status, attempts = result.attempts, due_at = result.due_at, finished_at = result.finished_at
FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[])
    AS result (endpoint_id, event_id, was_due_at, status, attempts, due_at, finished_at)
WHERE message.endpoint_id = result.endpoint_id AND message.event_id = result.event_id AND message.status = 'pending'
    AND message.due_at = result.was_due_at
