INSERT INTO kept_answers (account, key, fingerprint, body, made_id, is_new, created_at)
SELECT *
FROM unnest(%b::text[], %b::text[], %b::bytea[], %b::text[], %b::bigint[], %b::boolean[], %b::bigint[])
