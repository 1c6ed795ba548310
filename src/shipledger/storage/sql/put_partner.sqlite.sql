INSERT INTO partners (name, rules, changed_at)
VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET rules = excluded.rules, changed_at = excluded.changed_at
