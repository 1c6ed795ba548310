UPDATE webhook_messages SET attempts = 0, due_at = added_at
WHERE endpoint_id = ? AND status = 'pending' AND attempts > 0
