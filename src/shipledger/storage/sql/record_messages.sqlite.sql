-- ?1: [endpoint, event, due_at before, status, attempts, due_at, finished_at] of each message, as a JSON array.
-- One that is to be sent again meanwhile is due at another moment, and stays so.
UPDATE webhook_messages
SET status = result.value ->> 3, attempts = result.value ->> 4, due_at = result.value ->> 5,
    finished_at = result.value ->> 6
FROM json_each(?1) AS result
WHERE webhook_messages.endpoint_id = result.value ->> 0 AND webhook_messages.event_id = result.value ->> 1
    AND webhook_messages.status = 'pending' AND webhook_messages.due_at = result.value ->> 2
