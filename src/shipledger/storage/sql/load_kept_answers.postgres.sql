SELECT kept.account, kept.key, kept.fingerprint, kept.body, kept.made_id, kept.is_new, kept.created_at
FROM unnest(%b::text[], %b::text[]) AS wanted (account, key)
JOIN kept_answers AS kept ON kept.account = wanted.account AND kept.key = wanted.key
