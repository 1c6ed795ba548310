UPDATE webhook_messages SET attempts = 0, due_at = added_at
WHERE endpoint_id = ANY(%b::bigint[]) AND status = 'pending' AND attempts > 0
