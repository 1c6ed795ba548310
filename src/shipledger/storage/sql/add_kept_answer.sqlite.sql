INSERT INTO kept_answers (account, key, fingerprint, body, made_id, is_new, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
