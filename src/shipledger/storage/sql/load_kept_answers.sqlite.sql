-- ?1: [account, key] pairs, as a JSON array
SELECT kept.account, kept.key, kept.fingerprint, kept.body, kept.made_id, kept.is_new, kept.created_at
FROM json_each(?1) AS wanted
JOIN kept_answers AS kept ON kept.account = wanted.value ->> 0 AND kept.key = wanted.value ->> 1
