INSERT INTO partners (name, rules, changed_at)
SELECT *
FROM unnest(%b::text[], %b::text[], %b::bigint[])
ON CONFLICT (name) DO UPDATE SET rules = excluded.rules, changed_at = excluded.changed_at
